//! Properties over invented values: how many cases are looked at, and where one that fails is kept.

use std::fmt::Debug;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};

/// Shows that a property holds for so many cases of a strategy; it panics where it does not hold. `PROPTEST_CASES`
/// says how many 256 cases are.
#[track_caller]
pub(crate) fn holds<V: Debug>(
    cases: u32,
    source: &'static str,
    strategy: impl Strategy<Value = V>,
    property: impl Fn(V),
) {
    let usual = Config::default();
    let config = Config {
        cases: (cases * usual.cases).div_ceil(256),
        source_file: Some(source),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        max_shrink_iters: 60,
        ..usual
    };
    let outcome = TestRunner::new(config).run(&strategy, |value| {
        property(value);
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
