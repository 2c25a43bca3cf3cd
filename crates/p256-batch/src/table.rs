//! Tables of multiples of a point, from which any multiple is a sum of a few entries.
#![forbid(unsafe_code)]

use std::sync::OnceLock;

use crate::point::{Adder, Addition, Point};
use crate::scalar::{Scalar, signed_digits};

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

/// Entry j of row i is (j + 1) * 2^(width * i) * P.
#[derive(Debug)]
pub(crate) struct Table {
    width: Width,
    entries: Vec<Point>,
}

impl Table {
    /// The table of a point, which must not be that at infinity.
    pub(crate) fn new(point: Point, width: Width) -> Table {
        let row = width.row();
        let mut entries = vec![Point::INFINITY; row * width.rows()];
        let firsts = point.doubles(width.bits(), width.rows());
        for (row, first) in entries.chunks_exact_mut(row).zip(firsts) {
            row[0] = first;
        }
        // The multiples 1 to m are known; added to the m-th, they give m + 1 to 2m.
        let (mut adder, mut additions, mut known) = (Adder::default(), Vec::new(), 1);
        while known < row {
            additions.clear();
            for start in (0..entries.len()).step_by(row) {
                additions.extend((0..known).map(|j| Addition {
                    left: (start + known - 1) as u32,
                    right: (start + j) as u32,
                    to: (start + known + j) as u32,
                }));
            }
            adder.add(&mut entries, &additions);
            known *= 2;
        }
        Table { width, entries }
    }

    /// The table of the base point, made when it is first asked for.
    pub(crate) fn of_generator() -> &'static Table {
        static TABLE: OnceLock<Table> = OnceLock::new();
        TABLE.get_or_init(|| Table::new(Point::generator(), Width::Eight))
    }

    /// The entries whose sum is `scalar * P`; none of them is the point at infinity.
    pub(crate) fn multiple(&self, scalar: Scalar, mut each: impl FnMut(Point)) {
        let row = self.width.row();
        signed_digits(scalar, self.width.bits(), self.width.rows(), |i, digit| {
            if digit != 0 {
                let entry = self.entries[i * row + digit.unsigned_abs() as usize - 1];
                each(if digit < 0 { entry.neg() } else { entry });
            }
        });
    }

    #[cfg(test)]
    pub(crate) fn entries(&self) -> &[Point] {
        &self.entries
    }
}
