//! Tables of odd multiples of a point, from which any multiple is a sum of one entry of each row.
#![forbid(unsafe_code)]

use std::sync::OnceLock;

use crate::point::{Adder, Addition, Point};
use crate::scalar::{OddDigits, Scalar};

/// How many bits of a scalar an entry stands for. A wider table takes fewer additions, and more memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    /// 37 rows of 64 points, 148 KiB.
    Seven,
    /// 32 rows of 128 points, 256 KiB.
    Eight,
}

impl Width {
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Width::Seven => 7,
            Width::Eight => 8,
        }
    }

    /// The digits of a scalar, and the rows of a table: enough for 256 bits.
    pub(crate) const fn rows(self) -> usize {
        256_u32.div_ceil(self.bits()) as usize
    }

    const fn row(self) -> usize {
        1 << (self.bits() - 1)
    }
}

/// Entry j of row i is (2j + 1) * 2^(width * i) * P.
#[derive(Debug)]
pub(crate) struct Table {
    width: Width,
    entries: Vec<Point>,
}

impl Table {
    /// The table of a point, which must not be that at infinity.
    pub(crate) fn new(point: Point, width: Width) -> Table {
        let (row, bits) = (width.row(), width.bits() as usize);
        // Behind the entries, for as long as the table is made: P, 2P, 4P and so on.
        let doubles = point.doubles(1, width.rows() * bits);
        let mut entries = vec![Point::INFINITY; row * width.rows()];
        for (row, first) in entries.chunks_exact_mut(row).zip(doubles.iter().step_by(bits)) {
            row[0] = *first;
        }
        let behind = entries.len();
        entries.extend(doubles);
        // The first m odd multiples are known; 2m added to each, they give the next m.
        let (mut adder, mut additions) = (Adder::default(), Vec::new());
        for bit in 0..bits - 1 {
            additions.clear();
            let known = 1 << bit;
            for (i, start) in (0..behind).step_by(row).enumerate() {
                additions.extend((0..known).map(|j| Addition {
                    left: (start + j) as u32,
                    right: (behind + i * bits + bit + 1) as u32,
                    to: (start + known + j) as u32,
                }));
            }
            adder.add(&mut entries, &additions);
        }
        entries.truncate(behind);
        entries.shrink_to_fit();
        Table { width, entries }
    }

    /// The table of the base point, made when it is first asked for.
    pub(crate) fn of_generator() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Table::new(Point::generator(), Width::Eight))
    }

    /// The digits of a scalar, one for each row of this table.
    #[inline]
    pub(crate) fn digits(&self, scalar: Scalar) -> OddDigits {
        OddDigits::new(scalar, self.width.bits(), self.width.rows())
    }

    #[cfg(target_arch = "x86_64")]
    pub(crate) fn rows(&self) -> usize {
        self.width.rows()
    }

    /// An entry of a row, whose sign is the caller's affair.
    #[inline(always)]
    pub(crate) fn entry(&self, row: usize, index: usize) -> &Point {
        &self.entries[row * self.width.row() + index]
    }

    /// The entries whose sum is `scalar * P`.
    pub(crate) fn multiple(&self, scalar: Scalar) -> impl Iterator<Item = Point> {
        let digits = self.digits(scalar);
        (0..self.width.rows()).map(move |row| {
            let (index, negative) = digits.digit(row);
            let entry = self.entry(row, index);
            if negative { entry.neg() } else { *entry }
        })
    }

    /// Puts another point into an entry.
    #[cfg(test)]
    pub(crate) fn damage(&mut self, entry: usize, point: Point) {
        self.entries[entry] = point;
    }

    #[cfg(test)]
    pub(crate) fn entries(&self) -> &[Point] {
        &self.entries
    }
}
