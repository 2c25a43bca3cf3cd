//! The sums of a batch, as a tree: in each round, the points of every sum are added two by two.
//!
//! This is the portable engine. Its additions are complete, so it knows every sum.
#![forbid(unsafe_code)]

use crate::point::{Adder, Addition, Point};
use crate::scalar::Scalar;
use crate::table::{Table, Width};

/// A sum of a multiple of the base point and one of a key has so many points.
pub(crate) const POINTS: usize = Width::Eight.rows() + Width::Seven.rows();

/// A sum to compute: `u1 * G + u2 * Q`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'t> {
    pub(crate) u1: Scalar,
    pub(crate) u2: Scalar,
    /// The table of Q, of width seven.
    pub(crate) table: &'t Table,
}

/// Computes sums, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// [`POINTS`] places for each sum.
    points: Vec<Point>,
    additions: Vec<Addition>,
    adder: Adder,
}

impl Sums {
    /// All sums, in their order.
    pub(crate) fn compute(&mut self, pairs: &[Pair<'_>]) -> Vec<Point> {
        let generator = Table::of_generator();
        self.points.clear();
        for Pair { u1, u2, table } in pairs {
            self.points.extend(generator.multiple(*u1));
            self.points.extend(table.multiple(*u2));
        }
        let mut count = POINTS;
        while count > 1 {
            self.round(count);
            count = count.div_ceil(2);
        }
        self.points.iter().step_by(POINTS).copied().collect()
    }

    /// The first `count` points of every sum become half as many.
    fn round(&mut self, count: usize) {
        self.additions.clear();
        for start in (0..self.points.len()).step_by(POINTS) {
            self.additions.extend((0..count / 2).map(|pair| Addition {
                left: (start + 2 * pair) as u32,
                right: (start + 2 * pair + 1) as u32,
                to: (start + pair) as u32,
            }));
        }
        self.adder.add(&mut self.points, &self.additions);
        if count % 2 == 1 {
            for points in self.points.chunks_exact_mut(POINTS) {
                points[count / 2] = points[count - 1];
            }
        }
    }
}
