//! Which engine computes the sums: chosen by the processor, or by the caller.
//!
//! This is the only module with `unsafe`. Code for some instructions may run only where the processor has them; a value of
//! [`Ifma`] is the proof that it does, and [`Ifma::detect`] is the only way to get one.
#![allow(unsafe_code)]

use crate::point::Point;
use crate::sums::{Pair, Sums};

/// The arithmetic that a verifier uses. The verdicts are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Safe Rust without special instructions; for every processor.
    Portable,
    /// Eight sums at once with AVX-512 IFMA: Intel Ice Lake servers and later, AMD Zen 4 and later.
    Ifma,
}

impl Engine {
    /// The fastest one that this processor has.
    pub fn fastest() -> Engine {
        if Engine::Ifma.is_available() { Engine::Ifma } else { Engine::Portable }
    }

    /// Whether this processor has what the engine needs.
    pub fn is_available(self) -> bool {
        match self {
            Engine::Portable => true,
            Engine::Ifma => Ifma::detect().is_some(),
        }
    }
}

/// An engine and its memory.
#[derive(Debug)]
pub(crate) enum Calculator {
    Portable(Sums),
    Ifma(Ifma, Work),
}

impl Calculator {
    /// None where the processor lacks the instructions.
    pub(crate) fn new(engine: Engine) -> Option<Calculator> {
        match engine {
            Engine::Portable => Some(Calculator::Portable(Sums::default())),
            Engine::Ifma => Some(Calculator::Ifma(Ifma::detect()?, Work::default())),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Calculator::Portable(_) => Engine::Portable,
            Calculator::Ifma(..) => Engine::Ifma,
        }
    }

    /// The sums, in their order; None for one that the engine cannot compute. `pairs` must not be empty.
    pub(crate) fn compute(&mut self, pairs: &[Pair<'_>]) -> Vec<Option<Point>> {
        match self {
            Calculator::Portable(sums) => sums.compute(pairs).into_iter().map(Some).collect(),
            Calculator::Ifma(ifma, work) => ifma.compute(work, pairs),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod proof {
    use super::{Pair, Point};
    use crate::ifma;
    pub(crate) use crate::ifma::Work;

    /// Proof that this processor has the instructions of the module `ifma`.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Ifma(());

    impl Ifma {
        pub(crate) fn detect() -> Option<Ifma> {
            let has = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
            has.then_some(Ifma(()))
        }

        pub(crate) fn compute(self, work: &mut Work, pairs: &[Pair<'_>]) -> Vec<Option<Point>> {
            // SAFETY: the function is safe but for needing avx512f and avx512ifma, and `self` exists only where `detect`
            // found both.
            unsafe { ifma::compute(work, pairs) }
        }

        /// The arithmetic itself, for tests.
        #[cfg(test)]
        pub(crate) fn calculate(self, a: &[[i64; 5]; 8], b: &[[i64; 5]; 8]) -> ifma::Calculated {
            // SAFETY: as above.
            unsafe { ifma::calculate(a, b) }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod proof {
    use super::{Pair, Point};

    /// No other processor has these instructions.
    #[derive(Debug, Clone, Copy)]
    pub(crate) enum Ifma {}

    /// The memory of an engine that is not here.
    #[derive(Debug, Default)]
    pub(crate) struct Work;

    impl Ifma {
        pub(crate) fn detect() -> Option<Ifma> {
            None
        }

        pub(crate) fn compute(self, _: &mut Work, _: &[Pair<'_>]) -> Vec<Option<Point>> {
            match self {}
        }
    }
}

pub(crate) use proof::{Ifma, Work};
