//! How fast a key signs that is outside of this process, for `doctor` and `bench`.

use std::fmt;
use std::time::{Duration, Instant};

use super::streams::grouped;
use crate::keys::{SIGNATURE_BYTES, SignError, Signer, SigningKey, TEST_MESSAGE};

/// How often a single message is signed; the median is reported.
const SINGLE_CALLS: usize = 3;

/// What one worker gets from a key.
#[derive(Debug)]
pub(crate) struct KeySpeed {
    /// How long a single signature takes.
    latency: Duration,
    /// How many signatures were asked for at once, and how long they took.
    batch: (usize, Duration),
}

impl KeySpeed {
    /// Signs a few messages, one at a time, and then `batch` of them at once.
    ///
    /// # Errors
    /// Where the key does not sign.
    pub(crate) fn of(key: &dyn SigningKey, batch: usize) -> Result<KeySpeed, SignError> {
        let mut signer = key.signer()?;
        let single: Result<Vec<_>, _> = (0..SINGLE_CALLS).map(|_| time(&mut *signer, 1)).collect();
        let mut single = single?;
        single.sort_unstable();
        Ok(KeySpeed { latency: single[SINGLE_CALLS / 2], batch: (batch, time(&mut *signer, batch)?) })
    }
}

/// How long it takes to have so many messages signed at once.
fn time(signer: &mut dyn Signer, count: usize) -> Result<Duration, SignError> {
    let mut signatures = vec![[0; SIGNATURE_BYTES]; count];
    let begun = Instant::now();
    signer.sign(&vec![TEST_MESSAGE; count], &mut signatures)?;
    Ok(begun.elapsed())
}

/// "1 signature takes 5.2 ms, and 256 at once take 9.1 ms (28,131/s) for each worker"
impl fmt::Display for KeySpeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let (count, took) = self.batch;
        let rate = (count as f64 / took.as_secs_f64().max(f64::EPSILON)) as u64;
        write!(
            f,
            "1 signature takes {:.1} ms, and {count} at once take {:.1} ms ({}/s) for each worker",
            ms(self.latency),
            ms(took),
            grouped(rate)
        )
    }
}
