//! The arithmetic against other implementations, and what the engine itself accepts, without an oracle.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

#[path = "../tests/adversary/mod.rs"]
mod adversary;

use p256::elliptic_curve::PrimeField;
use p256::elliptic_curve::bigint::NonZero;
use p256::elliptic_curve::group::Group;
use p256::elliptic_curve::ops::Reduce;
use p256::{FieldBytes, ProjectivePoint, U256};
use proptest::prelude::*;

use crate::dispatch::{Calculator, Engine};
use crate::field::{Field, P};
use crate::point::{Adder, Addition, Point};
use crate::scalar::{N, OddDigits, Scalar, invert_all};
use crate::sums::Pair;
use crate::table::{Table, Width};
use crate::verifier::{Keys, Signature, Verifier};
use crate::words::{Words, from_be_bytes};
use adversary::{Dice, by_p256, point, sec1, splitmix};

/// Numbers of 256 bits, often with words of ones and zeros, and often next to the modulus.
fn numbers(modulus: Words) -> impl Strategy<Value = Words> {
    let word = prop_oneof![Just(0), Just(u64::MAX), Just(1), Just(u64::MAX - 1), any::<u64>()];
    let near = (any::<bool>(), 0..4_u64).prop_map(move |(above, by)| match above {
        true => crate::words::add(modulus, [by, 0, 0, 0]).0,
        false => crate::words::sub(modulus, [by, 0, 0, 0]).0,
    });
    prop_oneof![4 => proptest::array::uniform4(word), 1 => near, 1 => proptest::array::uniform4(any::<u64>())]
}

fn below(number: Words, modulus: Words) -> Words {
    crate::words::reduce_once(number, 0, &modulus)
}

fn big(words: Words) -> U256 {
    U256::from_words(words)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn the_field_calculates_as_big_integers_do(a in numbers(P), b in numbers(P)) {
        prop_assert_eq!(Field::from_words(a).is_some(), big(a) < big(P));
        let (a, b) = (below(a, P), below(b, P));
        let (x, y) = (Field::from_words(a).unwrap(), Field::from_words(b).unwrap());
        let p = NonZero::new(big(P)).unwrap();
        let (a, b) = (big(a), big(b));
        prop_assert_eq!(big(x.to_words()), a);
        prop_assert_eq!(big(x.mul(y).to_words()), a.mul_mod(&b, &p));
        prop_assert_eq!(big(x.sqr().to_words()), a.mul_mod(&a, &p));
        prop_assert_eq!(x.sqr(), x.mul(x));
        prop_assert_eq!(big(x.add(y).to_words()), a.add_mod(&b, &p));
        prop_assert_eq!(big(x.sub(y).to_words()), a.sub_mod(&b, &p));
        prop_assert_eq!(big(x.neg().to_words()), U256::ZERO.sub_mod(&a, &p));
        prop_assert_eq!(x.is_zero(), a == U256::ZERO);
        prop_assert_eq!(x.sub(y).is_zero(), a == b);
    }

    #[test]
    fn scalars_calculate_as_big_integers_do(a in numbers(N), b in numbers(N)) {
        prop_assert_eq!(Scalar::nonzero(a).is_some(), a != [0; 4] && big(a) < big(N));
        let n = NonZero::new(big(N)).unwrap();
        let (x, y) = (Scalar::reduce(a), Scalar::reduce(b));
        prop_assert_eq!(big(x.words()), big(a).rem(&n));
        prop_assert_eq!(big(x.to_montgomery().mul(y).words()), big(a).mul_mod(&big(b), &n));
    }

    #[test]
    fn digits_add_up_to_their_scalar(a in numbers(N)) {
        for width in [Width::Seven, Width::Eight] {
            let mut sum = p256::Scalar::ZERO;
            let mut power = p256::Scalar::ONE;
            let digits = OddDigits::new(Scalar::reduce(a), width.bits(), width.rows());
            for place in 0..width.rows() {
                let (index, negative) = digits.digit(place);
                assert!(index < 1 << (width.bits() - 1));
                let size = power * p256::Scalar::from(2 * index as u64 + 1);
                sum += if negative { -size } else { size };
                power *= p256::Scalar::from(1_u64 << width.bits());
            }
            let expected = big(Scalar::reduce(a).words());
            prop_assert_eq!(U256::from_be_slice(&sum.to_repr()), expected);
        }
    }
}

/// Limbs of a loose number at the edges of what is allowed, and near the multiples of p.
fn loose_numbers() -> impl Strategy<Value = [i64; 5]> {
    const LIMB: i64 = 1 << 54;
    const TOP: i64 = 60 << 48;
    let limb = prop_oneof![Just(-LIMB), Just(LIMB), Just(0), Just(-1), Just((1 << 52) - 1), -LIMB..=LIMB];
    let top = prop_oneof![Just(-TOP), Just(TOP), Just(0), Just(-1), -TOP..=TOP];
    let any = (proptest::array::uniform4(limb), top).prop_map(|([a, b, c, d], e)| [a, b, c, d, e]);
    let near_p = (-60..=60_i64, -2..=2_i64)
        .prop_map(|(times, by)| [-times + by, times << 44, 0, times << 36, times * 0xffff_ffff_0000]);
    prop_oneof![1 => any, 1 => near_p]
}

/// What a loose number stands for: its limbs as a number, divided by 2^260.
fn stands_for(limbs: [i64; 5]) -> Field {
    let of = |number: u64| Field::from_words([number, 0, 0, 0]).unwrap();
    let shift = of(1 << 52);
    let number = limbs.into_iter().rev().fold(Field::ZERO, |sum, limb| {
        let size = of(limb.unsigned_abs());
        sum.mul(shift).add(if limb < 0 { size.neg() } else { size })
    });
    let radix = (0..5).fold(Field::ONE, |power, _| power.mul(shift));
    number.mul(radix.invert())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn vectors_calculate_as_the_portable_field_does(
        a in proptest::array::uniform8(loose_numbers()),
        mut b in proptest::array::uniform8(loose_numbers()),
        same in any::<u8>(),
    ) {
        let Some(ifma) = crate::dispatch::Ifma::detect() else { return Ok(()) };
        for lane in (0..8).filter(|lane| same >> lane & 1 == 1) {
            b[lane] = a[lane];
        }
        let found = ifma.calculate(&a, &b);
        for lane in 0..8 {
            let (x, y) = (stands_for(a[lane]), stands_for(b[lane]));
            prop_assert_eq!([found.numbers[0][lane], found.numbers[1][lane]], [x, y]);
            prop_assert_eq!(found.product[lane], x.mul(y));
            prop_assert_eq!(found.square[lane], x.sqr());
            prop_assert_eq!(found.difference[lane], x.sub(y));
            prop_assert_eq!(found.equal >> lane & 1 == 1, x == y);
            if let Some(inverses) = found.inverses {
                prop_assert_eq!(inverses[lane].mul(x), Field::ONE);
            }
        }
        let has_zero = a.iter().any(|limbs| stands_for(*limbs).is_zero());
        prop_assert_eq!(found.inverses.is_none(), has_zero);
        for limbs in found.limbs {
            prop_assert!(limbs.iter().all(|limb| limb >> 52 == 0), "{:x?} is not tight", limbs);
            prop_assert!(limbs[4] < 1 << 49 | 1 << 24, "{:x?} is too large", limbs);
        }
    }
}

proptest! {
    #[test]
    fn inverses_are_inverses(a in numbers(P), scalars in proptest::collection::vec(numbers(N), 1..20)) {
        if let Some(field) = Field::from_words(below(a, P)).filter(|field| !field.is_zero()) {
            prop_assert_eq!(field.mul(field.invert()), Field::ONE);
        }
        let scalars: Vec<Scalar> = scalars.into_iter().filter_map(|words| Scalar::nonzero(below(words, N))).collect();
        let in_form: Vec<Scalar> = scalars.iter().map(|scalar| scalar.to_montgomery()).collect();
        for (scalar, inverse) in scalars.iter().zip(invert_all(&in_form)) {
            prop_assert_eq!(inverse.mul(*scalar).words(), [1, 0, 0, 0]);
        }
    }
}

fn ours(point: &ProjectivePoint) -> Point {
    if bool::from(point.is_identity()) {
        return Point::INFINITY;
    }
    let bytes = sec1(point);
    Point::from_coordinates(bytes[1..33].try_into().unwrap(), bytes[33..].try_into().unwrap()).unwrap()
}

fn scalar_of(scalar: p256::Scalar) -> Scalar {
    Scalar::reduce(from_be_bytes(&scalar.to_repr().into()))
}

#[test]
fn every_entry_of_a_table_is_the_multiple_it_should_be() {
    let key = point(p256::Scalar::from(0xdead_beef_u64));
    for (of, width) in [
        (ProjectivePoint::GENERATOR, Width::Seven),
        (ProjectivePoint::GENERATOR, Width::Eight),
        (key, Width::Seven),
        (-key, Width::Eight),
    ] {
        let table = Table::new(ours(&of), width);
        let mut entries = table.entries().iter();
        let mut first = of;
        for _ in 0..width.rows() {
            let mut multiple = first;
            for _ in 0..1 << (width.bits() - 1) {
                assert_eq!(entries.next(), Some(&ours(&multiple)));
                multiple += first.double();
            }
            (0..width.bits()).for_each(|_| first = first.double());
        }
        assert_eq!(entries.next(), None);
    }
}

/// Additions in which every special case is frequent: among the summands are the point at infinity, equal points and
/// opposite ones.
#[test]
fn additions_are_complete() {
    let mut random = splitmix(1);
    let mut dice = Dice(&mut random);
    let mut adder = Adder::default();
    for round in 0..60_u32 {
        let multiples: Vec<p256::Scalar> = (0..2 * round)
            .map(|_| match dice.below(2) {
                0 => p256::Scalar::from(dice.below(4)),
                _ => -p256::Scalar::from(dice.below(4)),
            })
            .collect();
        let mut points: Vec<Point> = multiples.iter().map(|&multiple| ours(&point(multiple))).collect();
        let additions: Vec<Addition> =
            (0..round).map(|at| Addition { left: 2 * at, right: 2 * at + 1, to: at }).collect();
        adder.add(&mut points, &additions);
        for (pair, sum) in multiples.chunks(2).zip(points) {
            assert_eq!(sum, ours(&point(pair[0] + pair[1])), "{} + {}", debug(pair[0]), debug(pair[1]));
        }
    }
}

fn debug(scalar: p256::Scalar) -> String {
    format!("{:x}", U256::from_be_slice(&scalar.to_repr()))
}

/// The engines of this machine.
fn engines() -> impl Iterator<Item = Engine> {
    [Engine::Portable, Engine::Ifma].into_iter().filter(|engine| engine.is_available())
}

/// Whole sums against the other crate, for keys and scalars at the edges, and for pairs whose halves are equal or
/// opposite. The vector engine may leave a sum undecided, and none but that.
#[test]
fn sums_are_right_in_every_engine() {
    let mut random = splitmix(2);
    let mut dice = Dice(&mut random);
    let mut calculators: Vec<Calculator> = engines().filter_map(Calculator::new).collect();
    let (mut decided, mut undecided) = (0, 0);
    for round in 1..60 {
        // Smaller batches after larger ones, too: no point of an earlier one may be left.
        let size = round * 37 % 61;
        let secret = dice.secret();
        let table = Table::new(ours(&point(secret)), Width::Seven);
        let pairs: Vec<[p256::Scalar; 2]> = (0..size)
            .map(|_| {
                let (u1, u2) = (dice.scalar(), dice.scalar());
                match dice.below(4) {
                    0 => [u2 * secret, u2],
                    1 => [-(u2 * secret), u2],
                    _ => [u1, u2],
                }
            })
            .collect();
        let ours_of =
            |[u1, u2]: &[p256::Scalar; 2]| Pair { u1: scalar_of(*u1), u2: scalar_of(*u2), table: &table };
        let in_form: Vec<Pair<'_>> = pairs.iter().map(ours_of).collect();
        for calculator in &mut calculators {
            let sums = calculator.compute(&in_form);
            assert_eq!(sums.len(), pairs.len());
            for ([u1, u2], sum) in pairs.iter().zip(sums) {
                let Some(sum) = sum else {
                    assert_eq!(calculator.engine(), Engine::Ifma);
                    undecided += 1;
                    continue;
                };
                decided += 1;
                let expected = ours(&point(*u1 + *u2 * secret));
                assert_eq!(sum, expected, "{} * G + {} * {} * G", debug(*u1), debug(*u2), debug(secret));
            }
        }
    }
    assert!(decided > 1500, "{decided} decided, {undecided} undecided");
}

/// Two points with the same x in one sum: it is undecided, at every place and in every round of the tree, and its
/// neighbours are not.
#[test]
fn the_vector_engine_leaves_only_the_exceptional_sum_undecided() {
    let Some(mut calculator) = Calculator::new(Engine::Ifma) else { return };
    // The 32 points of G become one in the round in which the first 32 of Q do. If these two are equal or opposite, it
    // happens in the next round, and in the last one if u1 * G and u2 * Q are opposite.
    let power = (0..252).fold(p256::Scalar::ONE, |power, _| power.double());
    let mut random = splitmix(7);
    let mut dice = Dice(&mut random);
    let mut exceptional = 0;
    for secret in [p256::Scalar::ONE, power, -power, p256::Scalar::from(2_u64)] {
        let table = Table::new(ours(&point(secret)), Width::Seven);
        for place in 0..40 {
            let mut pairs: Vec<[p256::Scalar; 2]> = (0..40)
                .map(|_| {
                    [dice.bytes(), dice.bytes()].map(|bytes| p256::Scalar::reduce(&FieldBytes::from(bytes)))
                })
                .collect();
            let u2 = pairs[place][1];
            pairs[place][0] = secret
                * match place % 4 {
                    0 => first_points(u2),
                    1 => -first_points(u2),
                    2 => -u2,
                    _ => u2, // as any other
                };
            let in_form: Vec<Pair<'_>> = pairs
                .iter()
                .map(|[u1, u2]| Pair { u1: scalar_of(*u1), u2: scalar_of(*u2), table: &table })
                .collect();
            for (at, (sum, [u1, u2])) in calculator.compute(&in_form).into_iter().zip(&pairs).enumerate() {
                match sum {
                    Some(sum) => assert_eq!(sum, ours(&point(*u1 + *u2 * secret))),
                    None => {
                        assert_eq!(at, place, "a neighbour is undecided");
                        exceptional += 1;
                    }
                }
            }
        }
    }
    assert_eq!(exceptional, 4 * 30, "every exceptional sum is noticed");
}

/// What the first 32 digits of width seven stand for.
fn first_points(scalar: p256::Scalar) -> p256::Scalar {
    let digits = OddDigits::new(scalar_of(scalar), 7, 37);
    let mut power = p256::Scalar::ONE;
    let mut sum = p256::Scalar::ZERO;
    for place in 0..32 {
        let (index, negative) = digits.digit(place);
        let size = power * p256::Scalar::from(2 * index as u64 + 1);
        sum += if negative { -size } else { size };
        power *= p256::Scalar::from(128_u64);
    }
    sum
}

/// The engines, before any oracle is asked, accept nothing but what the other crate accepts. The portable one accepts all
/// of it; the other leaves made-up ones to the oracle.
#[test]
fn the_engines_accept_what_is_good_and_nothing_else() {
    for engine in engines() {
        let mut random = splitmix(3);
        let mut dice = Dice(&mut random);
        let (mut good, mut bad, mut left) = (0, 0, 0);
        for _ in 0..40 {
            let secret = dice.secret();
            let public = sec1(&point(secret));
            let signatures: Vec<_> = (0..50).map(|_| dice.signature(secret)).collect();
            let mut keys = Keys::default();
            let key = keys.add(&public).unwrap();
            let batch: Vec<Signature<'_>> =
                signatures.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
            let accepted = Verifier::with(&keys, engine).unwrap().accept(&batch);
            for (accepted, (digest, signature)) in accepted.into_iter().zip(&signatures) {
                let expected = by_p256(&public, digest, signature);
                if engine == Engine::Ifma && expected && !accepted {
                    left += 1;
                    continue;
                }
                assert_eq!(accepted, expected, "key {}, digest {digest:x?}, {signature:x?}", debug(secret));
                *(if expected { &mut good } else { &mut bad }) += 1;
            }
        }
        assert!(good > 500 && bad > 500, "{engine:?}: {good} good, {bad} bad, {left} good ones left");
    }
}

/// With wrong entries in a table, what is accepted is wrong, and the oracle notices with the first of it.
#[test]
fn an_engine_that_errs_is_not_used_again() {
    let mut random = splitmix(4);
    let mut dice = Dice(&mut random);
    let secret = dice.secret();
    let signatures: Vec<_> = (0..100).map(|_| dice.signature(secret)).collect();
    let mut keys = Keys::default();
    // The engine calculates with the table of another key, for which these are good.
    let key = keys.add(&sec1(&point(secret + p256::Scalar::ONE))).unwrap();
    keys.use_table(key, Table::new(ours(&point(secret)), Width::Seven));
    let batch: Vec<Signature<'_>> =
        signatures.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
    let mut verifier = Verifier::new(&keys);
    assert!(verifier.accept(&batch).contains(&true), "the engine errs");
    assert_eq!(verifier.verify(&batch, |_| false), vec![false; 100]);
    assert!(keys.is_distrusted());
    let mut asked = 0;
    Verifier::new(&keys).verify(&batch, |_| {
        asked += 1;
        false
    });
    assert_eq!(asked, 100, "the oracle judges alone");
}

/// With one wrong entry in a table, wrong sums are refused by the engine, and the oracle judges them: no verdict is wrong.
#[test]
fn a_damaged_entry_of_a_table_makes_no_verdict_wrong() {
    let mut random = splitmix(8);
    let mut dice = Dice(&mut random);
    let secret = p256::Scalar::reduce(&FieldBytes::from(dice.bytes()));
    let public = sec1(&point(secret));
    let signatures: Vec<_> = (0..300).map(|_| dice.signature(secret)).collect();
    let expected: Vec<bool> =
        signatures.iter().map(|(digest, signature)| by_p256(&public, digest, signature)).collect();
    let other = ours(&point(dice.secret()));
    let off_curve = Point { x: other.x, y: other.y.add(Field::ONE) };
    for engine in engines() {
        for (row, wrong) in [(0, other), (36, other), (5, off_curve), (20, Point::INFINITY)] {
            let mut table = Table::new(ours(&point(secret)), Width::Seven);
            (0..64).step_by(2).for_each(|index| table.damage(row * 64 + index, wrong));
            let mut keys = Keys::default();
            let key = keys.add(&public).unwrap();
            keys.use_table(key, table);
            let batch: Vec<Signature<'_>> =
                signatures.iter().map(|(digest, signature)| Signature { key, digest, signature }).collect();
            let mut asked = 0;
            let verdicts = Verifier::with(&keys, engine).unwrap().verify(&batch, |at| {
                asked += u32::from(expected[at]);
                expected[at]
            });
            assert_eq!(verdicts, expected);
            assert!(asked > 20, "the damage shows: {asked}");
        }
    }
}

#[test]
fn a_sum_that_is_not_on_the_curve_is_not_accepted() {
    let good = Point::generator();
    assert!(good.is_on_curve() && !Point::INFINITY.is_on_curve());
    let moved = Point { x: good.x, y: good.y.add(Field::ONE) };
    let r = Scalar::reduce(good.x.to_words());
    assert!(crate::verifier::has_x(good, r) && crate::verifier::has_x(good.neg(), r));
    assert!(!crate::verifier::has_x(moved, r));
}
