//! How the run is getting on, on standard error: a bar on a terminal, else a line every [`EVERY`].
//!
//! The bar is taken out of the way only for what is written to the same terminal. (Taking it away for each batch of
//! results that went to a file made it blink.) Lines come with deliveries, so that a run that waits for its input says
//! nothing.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::cli::log;
use crate::cli::streams::{self, grouped, stderr_takes_a_bar, stdout_is_a_terminal};

/// How often there is a line.
const EVERY: Duration = Duration::from_secs(10);

/// How the run is getting on.
pub(crate) struct Progress {
    shown: Shown,
    started: Instant,
    total_bytes: Option<u64>,
    /// Whether results go to the terminal, too.
    shares_terminal: bool,
}

enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Ticks),
}

/// Items that have a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reached {
    pub(crate) items: u64,
    pub(crate) failed: u64,
    /// How far they reach into the input.
    pub(crate) bytes: u64,
}

impl Progress {
    /// Progress through the stored bytes of the input, where their number is known; nothing unless `show`.
    pub(crate) fn new(total_bytes: Option<u64>, show: bool) -> Progress {
        let shown = match () {
            () if !show => Shown::Nothing,
            () if log::is_json() || !stderr_takes_a_bar() => Shown::Lines(Ticks::default()),
            () => Shown::Bar(bar(total_bytes)),
        };
        Progress { shown, started: Instant::now(), total_bytes, shares_terminal: stdout_is_a_terminal() }
    }

    /// Notes how far the run is.
    pub(crate) fn advance(&mut self, reached: Reached) {
        let elapsed = self.started.elapsed();
        match &mut self.shown {
            Shown::Nothing => {}
            Shown::Bar(bar) => {
                bar.set_message(message(reached, elapsed));
                bar.set_position(reached.bytes);
            }
            Shown::Lines(ticks) => {
                if ticks.is_due(elapsed) {
                    tell(reached, elapsed, self.total_bytes);
                }
            }
        }
    }

    /// Says something on standard error while the bar is out of the way.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        match &self.shown {
            Shown::Bar(bar) => bar.suspend(act),
            _ => act(),
        }
    }

    /// Writes results, which are in the way of the bar only where both are on the terminal.
    pub(crate) fn beside_results<T>(&self, act: impl FnOnce() -> T) -> T {
        if self.shares_terminal { self.aside(act) } else { act() }
    }

    /// Takes the progress bar away.
    pub(crate) fn finish(self) {
        if let Shown::Bar(bar) = self.shown {
            bar.finish_and_clear();
        }
    }
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::stderr());
    let template = match total_bytes {
        Some(_) => "{bar:30} {percent:>3}%  {msg}  {eta} left",
        None => "{spinner}  {msg}  {elapsed}",
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// When a line is due.
#[derive(Debug)]
struct Ticks {
    next: Duration,
}

impl Default for Ticks {
    fn default() -> Ticks {
        Ticks { next: EVERY }
    }
}

impl Ticks {
    /// Whether a line is due so long after the start. After a pause there is one, not one for each interval of it.
    fn is_due(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= self.next;
        while self.next <= elapsed {
            self.next += EVERY;
        }
        is_due
    }
}

fn message(reached: Reached, elapsed: Duration) -> String {
    let failed = match reached.failed {
        0 => String::new(),
        failed => format!(", {} failed", grouped(failed)),
    };
    format!("{} items{failed}, {}/s", grouped(reached.items), grouped(rate(reached.items, elapsed)))
}

fn rate(items: u64, elapsed: Duration) -> u64 {
    (items as f64 / elapsed.as_secs_f64().max(0.001)) as u64
}

/// The share of the input that was read, in percent.
fn percent(reached: Reached, total_bytes: Option<u64>) -> Option<u64> {
    let total = total_bytes.filter(|total| *total > 0)?;
    Some((u128::from(reached.bytes.min(total)) * 100 / u128::from(total)) as u64)
}

fn line(reached: Reached, elapsed: Duration, total_bytes: Option<u64>) -> String {
    let share = percent(reached, total_bytes).map(|share| format!("{share}%, ")).unwrap_or_default();
    format!("progress: {share}{}, {} s", message(reached, elapsed), elapsed.as_secs())
}

fn tell(reached: Reached, elapsed: Duration, total_bytes: Option<u64>) {
    let line = line(reached, elapsed, total_bytes);
    if !log::is_json() {
        return streams::say(&line);
    }
    let mut members = json!({
        "event": "progress",
        "items": reached.items,
        "failed": reached.failed,
        "elapsed_ms": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
    });
    if let Some(share) = percent(reached, total_bytes) {
        members["percent"] = json!(share);
    }
    log::event("info", &line, &members);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_due_every_ten_seconds() {
        let mut ticks = Ticks::default();
        let seconds = [0, 9, 10, 11, 19, 20, 55, 56, 60];
        let due: Vec<u64> = seconds.into_iter().filter(|at| ticks.is_due(Duration::from_secs(*at))).collect();
        assert_eq!(due, [10, 20, 55, 60]);
    }

    #[test]
    fn a_line_says_how_far_the_run_is() {
        let reached = Reached { items: 20_000, failed: 3, bytes: 50 };
        let elapsed = Duration::from_secs(10);
        assert_eq!(line(reached, elapsed, Some(200)), "progress: 25%, 20,000 items, 3 failed, 2,000/s, 10 s");
        assert_eq!(
            line(Reached { failed: 0, ..reached }, elapsed, None),
            "progress: 20,000 items, 2,000/s, 10 s"
        );
    }
}
