//! The progress bar, on standard error and only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::streams::{grouped, stderr_takes_a_bar};

/// How the run is getting on.
pub(crate) struct Progress {
    bar: ProgressBar,
    items: u64,
}

impl Progress {
    /// A bar over the stored bytes of the input, where their number is known; nothing is drawn
    /// unless `show`, and standard error is a terminal that takes it.
    pub(crate) fn new(total_bytes: Option<u64>, show: bool) -> Progress {
        if !show || !stderr_takes_a_bar() {
            return Progress { bar: ProgressBar::hidden(), items: 0 };
        }
        let bar = ProgressBar::with_draw_target(total_bytes, ProgressDrawTarget::stderr());
        let template = match total_bytes {
            Some(_) => "{bar:30} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner}  {msg}  {elapsed}",
        };
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar, items: 0 }
    }

    /// Notes that the items up to `items` are out, which reach `bytes` into the input.
    pub(crate) fn advance(&mut self, items: u64, bytes: u64) {
        self.items = items;
        if self.bar.is_hidden() {
            return;
        }
        let seconds = self.bar.elapsed().as_secs_f64().max(0.001);
        let rate = (items as f64 / seconds) as u64;
        self.bar.set_message(format!("{} items, {}/s", grouped(items), grouped(rate)));
        self.bar.set_position(bytes);
    }

    /// Does something with the terminal while the bar is out of the way.
    pub(crate) fn aside<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}
