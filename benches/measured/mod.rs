//! How long something takes, and how much memory.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// A round's time.
#[derive(Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

/// Measures this process, or those that it starts.
pub(crate) fn measure(who: UsageWho, work: impl FnOnce()) -> Took {
    let cpu = || {
        let usage: Usage = getrusage(who).expect("the system counts CPU time");
        let micros = (usage.user_time() + usage.system_time()).num_microseconds();
        Duration::from_micros(micros.unsigned_abs())
    };
    let (cpu_before, start) = (cpu(), Instant::now());
    work();
    Took { wall: start.elapsed(), cpu: cpu() - cpu_before }
}

/// The median of some figures and their range, to three places.
#[allow(dead_code, reason = "not every benchmark says it like this")]
pub(crate) fn spread(figures: &[f64]) -> String {
    let lowest = figures.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{:.3} ({lowest:.3} to {highest:.3})", median(figures.iter().copied()))
}

/// The figure in the middle.
pub(crate) fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Runs a command, and returns the most memory that it had, in KiB, as far as Linux tells.
pub(crate) fn run_and_watch(command: &mut Command) -> u64 {
    let mut child = command.spawn().expect("the binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = kib.unwrap_or(peak).max(peak);
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            assert!(status.success(), "{command:?} failed");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
