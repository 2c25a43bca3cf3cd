//! Results as they are read for delivery: a few rows at once, from one input after the other.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::cli::failure::Failure;
use crate::cli::given::Given;
use crate::results::{Batches, ResultRow};
use crate::stop::Stop;

/// So many rows are handed to a worker at once. A certificate and its code may take 100 kB, and every worker has two
/// pieces in flight.
const PIECE: usize = 4;

/// The rows of all inputs, whose indices count on.
pub(super) struct Rows {
    pending: IntoIter<Given>,
    current: Option<Batches>,
    /// Rows of the current input that were read.
    read: Peekable<IntoIter<ResultRow<'static>>>,
    next_index: u64,
    stop: Stop,
}

impl Rows {
    /// The inputs of these names, else standard input.
    pub(super) fn open(names: &[String], stop: &Stop) -> Result<Rows, Failure> {
        let mut pending = names.iter().map(|name| Given::named(name)).collect::<Result<Vec<_>, _>>()?;
        if pending.is_empty() {
            pending.push(Given::piped()?);
        }
        let read = Vec::new().into_iter().peekable();
        Ok(Rows { pending: pending.into_iter(), current: None, read, next_index: 0, stop: stop.clone() })
    }

    /// The next rows; none after the last, and none once a stop was asked for.
    pub(super) fn next(&mut self) -> Result<Option<Vec<ResultRow<'static>>>, Failure> {
        while self.read.peek().is_none() {
            if self.stop.is_requested() || !self.read_more()? {
                return Ok(None);
            }
        }
        let mut piece: Vec<_> = self.read.by_ref().take(PIECE).collect();
        for row in &mut piece {
            row.index = self.next_index;
            self.next_index += 1;
        }
        Ok(Some(piece))
    }

    /// Reads on; false after the last input.
    fn read_more(&mut self) -> Result<bool, Failure> {
        let batches = match &mut self.current {
            Some(batches) => batches,
            None => match self.pending.next() {
                Some(next) => self.current.insert(next.open_until(&self.stop)?.batches()),
                None => return Ok(false),
            },
        };
        match batches.next_batch() {
            Ok(rows) if rows.is_empty() => self.current = None,
            Ok(rows) => self.read = rows.into_iter().peekable(),
            Err(error) if error.is_stopped() => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        Ok(true)
    }
}
