//! Points of the curve y^2 = x^3 - 3x + b, and many additions at once.
//!
//! An affine addition costs one division. [`Adder`] shares one inversion among all additions of a call, so a sum costs
//! five multiplications and a square. It is complete: equal points, a point and its negative, and the point at infinity
//! all give the right sum. Nobody's choice of numbers can lead it astray, or slow it down.
#![forbid(unsafe_code)]

use crate::field::Field;
use crate::words::from_be_bytes;

/// A point, or the point at infinity, which is written (0, 0): that is not on the curve, since b is not 0.
///
/// It fills a line of the processor's cache, so that an entry of a table is read at once.
#[repr(align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) x: Field,
    pub(crate) y: Field,
}

const B: [u8; 32] = [
    0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86, 0xbc, 0x65,
    0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60, 0x4b,
];
const GENERATOR_X: [u8; 32] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2, 0x77,
    0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];
const GENERATOR_Y: [u8; 32] = [
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b,
    0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// A constant that is below p, as its value shows.
fn constant(bytes: &[u8; 32]) -> Field {
    Field::from_words(from_be_bytes(bytes)).unwrap_or(Field::ZERO)
}

impl Point {
    pub(crate) const INFINITY: Point = Point { x: Field::ZERO, y: Field::ZERO };

    /// The base point G.
    pub(crate) fn generator() -> Point {
        Point { x: constant(&GENERATOR_X), y: constant(&GENERATOR_Y) }
    }

    /// The point with these coordinates, if they are below p and on the curve.
    pub(crate) fn from_coordinates(x: &[u8; 32], y: &[u8; 32]) -> Option<Point> {
        let point =
            Point { x: Field::from_words(from_be_bytes(x))?, y: Field::from_words(from_be_bytes(y))? };
        point.is_on_curve().then_some(point)
    }

    /// Whether it is a point of the curve; that at infinity is not.
    pub(crate) fn is_on_curve(self) -> bool {
        let Point { x, y } = self;
        let three = Field::ONE.double().add(Field::ONE);
        y.sqr() == x.sqr().sub(three).mul(x).add(constant(&B))
    }

    #[inline(always)]
    pub(crate) fn is_infinity(self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    pub(crate) fn neg(self) -> Point {
        Point { x: self.x, y: self.y.neg() }
    }

    /// This point and its doubles: P, 2^step P, 2^(2 step) P and so on, `count` of them.
    ///
    /// In Jacobian coordinates (x = X/Z^2, y = Y/Z^3), so that one inversion is enough. The order of the group is odd:
    /// no double is the point at infinity, unless P is.
    pub(crate) fn doubles(self, step: u32, count: usize) -> Vec<Point> {
        let (mut x, mut y, mut z) = (self.x, self.y, Field::ONE);
        let mut doubles = Vec::with_capacity(count);
        let (mut depths, mut product) = (Vec::with_capacity(count), Field::ONE);
        for _ in 0..count {
            doubles.push(Point { x, y });
            depths.push((z, product));
            product = product.mul(z);
            for _ in 0..step {
                let (z2, y2) = (z.sqr(), y.sqr());
                let beta = x.mul(y2);
                let alpha = x.sub(z2).mul(x.add(z2));
                let alpha = alpha.double().add(alpha);
                let beta4 = beta.double().double();
                z = y.mul(z).double();
                x = alpha.sqr().sub(beta4.double());
                y = alpha.mul(beta4.sub(x)).sub(y2.sqr().double().double().double());
            }
        }
        let mut rest = product.invert();
        for (point, (z, before)) in doubles.iter_mut().zip(depths).rev() {
            let inverse = rest.mul(before);
            rest = rest.mul(z);
            let square = inverse.sqr();
            *point = Point { x: point.x.mul(square), y: point.y.mul(square).mul(inverse) };
        }
        doubles
    }
}

/// An addition: the places of both summands, and that of the sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition {
    pub(crate) left: u32,
    pub(crate) right: u32,
    pub(crate) to: u32,
}

/// So many additions go on side by side: a multiplication waits for its own carries most of the time.
const CHAINS: usize = 4;

/// Does additions, in memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Adder {
    /// For each addition, what is divided by, and the product of all that come after it in its chain.
    divisors: Vec<(Field, Field)>,
    /// The additions that are none of two different points, in falling order.
    special: Vec<usize>,
}

impl Adder {
    /// Does these additions, in their order: a place may be written after it was read, and not read after it was
    /// written.
    pub(crate) fn add(&mut self, points: &mut [Point], additions: &[Addition]) {
        let mut products = [Field::ONE; CHAINS];
        self.divisors.clear();
        self.divisors.resize(additions.len(), (Field::ONE, Field::ONE));
        self.special.clear();
        for (i, addition) in additions.iter().enumerate().rev() {
            let (p, q) = (points[addition.left as usize], points[addition.right as usize]);
            let mut divisor = q.x.sub(p.x);
            if divisor.is_zero() || p.is_infinity() || q.is_infinity() {
                self.special.push(i);
                divisor = special_divisor(p, q);
            }
            let product = &mut products[i % CHAINS];
            self.divisors[i] = (divisor, *product);
            *product = product.mul(divisor);
        }
        let mut inverses = invert_products(products);
        let (groups, rest) = additions.as_chunks::<CHAINS>();
        for (group, additions) in groups.iter().enumerate() {
            self.add_group(points, additions, group * CHAINS, &mut inverses);
        }
        for (chain, addition) in rest.iter().enumerate() {
            let at = groups.len() * CHAINS + chain;
            self.add_group(points, &[*addition], at, std::array::from_mut(&mut inverses[chain]));
        }
    }

    /// Does the additions from place `at` on. `inverses` are one divided by the product of all divisors that are left
    /// in each chain. The loops are as short as they are to keep independent multiplications next to each other.
    #[inline(always)]
    fn add_group<const SIZE: usize>(
        &mut self,
        points: &mut [Point],
        additions: &[Addition; SIZE],
        at: usize,
        inverses: &mut [Field; SIZE],
    ) {
        let p = additions.map(|addition| points[addition.left as usize]);
        let q = additions.map(|addition| points[addition.right as usize]);
        let mut inverse_divisors = [Field::ONE; SIZE];
        for i in 0..SIZE {
            let (divisor, after) = self.divisors[at + i];
            inverse_divisors[i] = inverses[i].mul(after);
            inverses[i] = inverses[i].mul(divisor);
        }
        let mut sums = add_different(p, q, inverse_divisors);
        while let Some(&special) = self.special.last()
            && special < at + SIZE
        {
            self.special.pop();
            let i = special - at;
            sums[i] = special_sum(p[i], q[i], inverse_divisors[i]);
        }
        for i in 0..SIZE {
            points[additions[i].to as usize] = sums[i];
        }
    }
}

/// 1 divided by each of these numbers, none of which is zero.
fn invert_products(products: [Field; CHAINS]) -> [Field; CHAINS] {
    let mut before = [Field::ONE; CHAINS];
    for i in 1..CHAINS {
        before[i] = before[i - 1].mul(products[i - 1]);
    }
    let mut rest = before[CHAINS - 1].mul(products[CHAINS - 1]).invert();
    let mut inverses = before;
    for i in (0..CHAINS).rev() {
        inverses[i] = rest.mul(before[i]);
        rest = rest.mul(products[i]);
    }
    inverses
}

/// p + q for points whose x differ, with 1/(q.x - p.x).
#[inline(always)]
fn add_different<const SIZE: usize>(
    p: [Point; SIZE],
    q: [Point; SIZE],
    inverses: [Field; SIZE],
) -> [Point; SIZE] {
    let mut slopes = inverses;
    let mut sums = p;
    for i in 0..SIZE {
        slopes[i] = slopes[i].mul(q[i].y.sub(p[i].y));
    }
    for i in 0..SIZE {
        sums[i].x = slopes[i].sqr().sub(p[i].x).sub(q[i].x);
    }
    for i in 0..SIZE {
        sums[i].y = slopes[i].mul(p[i].x.sub(sums[i].x)).sub(p[i].y);
    }
    sums
}

/// What is divided by where the summands are not two points with different x. Never zero: a point of odd order has no
/// y of zero.
#[cold]
fn special_divisor(p: Point, q: Point) -> Field {
    if p == q && !p.is_infinity() { p.y.double() } else { Field::ONE }
}

/// p + q in the same cases, with 1 divided by [`special_divisor`].
#[cold]
fn special_sum(p: Point, q: Point, inverse: Field) -> Point {
    if p.is_infinity() {
        return q;
    }
    if q.is_infinity() {
        return p;
    }
    if p != q {
        return Point::INFINITY; // the same x, so q is -p
    }
    // The tangent's slope is (3x^2 - 3) / 2y.
    let square = p.x.sqr().sub(Field::ONE);
    let slope = square.double().add(square).mul(inverse);
    let x = slope.sqr().sub(p.x.double());
    Point { x, y: slope.mul(p.x.sub(x)).sub(p.y) }
}
