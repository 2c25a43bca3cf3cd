//! The sums of a batch, as a tree: in each round, the points of every sum are added two by two.
#![forbid(unsafe_code)]

use crate::point::{Adder, Addition, Point};
use crate::scalar::Scalar;
use crate::table::{Table, Width};

/// No sum of a multiple of the base point and one of a key has more points.
const MAX_POINTS: usize = Width::Eight.rows() + Width::Seven.rows();

/// Computes sums u1 * G + u2 * Q, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    /// [`MAX_POINTS`] places for each sum.
    points: Vec<Point>,
    /// How many of them are taken.
    taken: Vec<usize>,
    additions: Vec<Addition>,
    adder: Adder,
}

impl Sums {
    pub(crate) fn clear(&mut self) {
        self.taken.clear();
    }

    /// One more sum: `u1 * G + u2 * Q`, where `table` is that of Q.
    pub(crate) fn push(&mut self, generator: &Table, u1: Scalar, table: &Table, u2: Scalar) {
        let start = self.taken.len() * MAX_POINTS;
        if self.points.len() < start + MAX_POINTS {
            self.points.resize(start + MAX_POINTS, Point::INFINITY);
        }
        let places = &mut self.points[start..start + MAX_POINTS];
        let mut taken = 0;
        for (table, scalar) in [(generator, u1), (table, u2)] {
            table.multiple(scalar, |point| {
                places[taken] = point;
                taken += 1;
            });
        }
        self.taken.push(taken);
    }

    /// All sums, in their order.
    pub(crate) fn finish(&mut self) -> impl Iterator<Item = Point> {
        while self.taken.iter().any(|&taken| taken > 1) {
            self.round();
        }
        let sums = self.points.chunks(MAX_POINTS).zip(&self.taken);
        sums.map(|(points, &taken)| if taken == 0 { Point::INFINITY } else { points[0] })
    }

    fn round(&mut self) {
        self.additions.clear();
        for (sum, &taken) in self.taken.iter().enumerate() {
            let start = (sum * MAX_POINTS) as u32;
            let pairs = (taken / 2) as u32;
            self.additions.extend((0..pairs).map(|pair| Addition {
                left: start + 2 * pair,
                right: start + 2 * pair + 1,
                to: start + pair,
            }));
        }
        self.adder.add(&mut self.points, &self.additions);
        for (points, taken) in self.points.chunks_mut(MAX_POINTS).zip(&mut self.taken) {
            if *taken % 2 == 1 {
                points[*taken / 2] = points[*taken - 1];
            }
            *taken = taken.div_ceil(2);
        }
    }
}
