//! Turns: which batch is signed next, where workers share signers.
//!
//! A turn is drawn for each batch when it is recorded. It is over when the batch has got a signer, or will never need
//! one: a turn that is dropped, however that came about, holds nobody up. Turns come in the order in which they were
//! drawn, so that a run of one signer signs its batches in the order of its items, however many workers there are.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where turns are drawn.
#[derive(Debug, Default)]
pub struct Turns {
    line: Arc<Line>,
    drawn: u64,
}

impl Turns {
    /// The next turn.
    pub fn draw(&mut self) -> Turn {
        let turn = Turn { number: self.drawn, line: Some(Arc::clone(&self.line)) };
        self.drawn += 1;
        turn
    }
}

/// A place in the line.
#[derive(Debug)]
pub struct Turn {
    number: u64,
    /// None once it is over.
    line: Option<Arc<Line>>,
}

impl Turn {
    /// A turn that need not be waited for.
    pub fn at_once() -> Turn {
        Turn { number: 0, line: None }
    }

    /// Waits until all turns before it are over.
    pub fn wait(&self) {
        let Some(line) = &self.line else { return };
        let mut places = line.places();
        while places.next != self.number {
            places = line.moved.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends it.
    pub fn pass(&mut self) {
        let Some(line) = self.line.take() else { return };
        let mut places = line.places();
        places.over.insert(self.number);
        while let Some(next) = places.over.first().copied().filter(|over| *over == places.next) {
            places.over.remove(&next);
            places.next += 1;
        }
        line.moved.notify_all();
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.pass();
    }
}

#[derive(Debug, Default)]
struct Line {
    places: Mutex<Places>,
    moved: Condvar,
}

impl Line {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Places {
    /// Whose turn it is.
    next: u64,
    /// Later ones that are over.
    over: BTreeSet<u64>,
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn turns_come_in_their_order_and_those_that_are_dropped_hold_nobody_up() {
        let mut turns = Turns::default();
        let drawn: Vec<_> = (0..50).map(|_| turns.draw()).collect();
        let taken = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for mut turn in drawn.into_iter().rev() {
                let taken = &taken;
                scope.spawn(move || {
                    if turn.number % 7 != 3 {
                        turn.wait();
                        taken.lock().unwrap().push(turn.number);
                        turn.pass();
                    }
                });
            }
        });
        let expected: Vec<_> = (0..50).filter(|number| number % 7 != 3).collect();
        assert_eq!(taken.into_inner().unwrap(), expected);
        Turn::at_once().wait();
    }
}
