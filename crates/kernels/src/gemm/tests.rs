//! Against the same sums in f64, for every instruction set of this machine.

use proptest::prelude::*;

use super::*;
use crate::simd::{Level, best, held};

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Rows,
    Columns,
    /// Neither rows nor columns contiguous.
    Spread,
}

/// `[rows, columns]` numbers, and the view of them.
struct Operand {
    data: Vec<f32>,
    lie: Lie,
    size: [usize; 2],
}

impl Operand {
    fn new(size: [usize; 2], lie: Lie, rate: f32) -> Self {
        let data = (0..4 * size[0] * size[1]).map(|i| (i as f32 * rate).sin()).collect();
        Self { data, lie, size }
    }

    fn view(&self) -> Strided {
        let [rows, columns] = self.size;
        let (row, column) = match self.lie {
            Lie::Rows => (columns, 1),
            Lie::Columns => (1, rows),
            Lie::Spread => (2 * columns + 1, 2),
        };
        Strided { start: self.data.as_ptr(), row, column }
    }

    fn get(&self, row: usize, column: usize) -> f64 {
        let view = self.view();
        f64::from(self.data[row * view.row + column * view.column])
    }
}

/// Each precision on each instruction set of this machine.
fn units() -> impl Iterator<Item = (Level, Precision)> {
    let levels = [Level::Baseline, Level::Avx2, Level::Avx512].into_iter();
    levels
        .filter(|level| *level <= best())
        .flat_map(|level| [Precision::F32, Precision::Bf16].map(|precision| (level, precision)))
}

/// A factor as a precision sees it.
fn factor(x: f64, precision: Precision) -> f64 {
    match precision {
        Precision::F32 => x,
        // Eight significant bits, by the rounding of f64 to an integer.
        Precision::Bf16 if x == 0.0 => x,
        Precision::Bf16 => {
            let unit = 2f64.powi(x.abs().log2().floor() as i32 - 7);
            (x / unit).round_ties_even() * unit
        }
    }
}

fn check([m, k, n]: [usize; 3], lies: [Lie; 2], mode: Mode, threads: Threads) {
    let left = Operand::new([m, k], lies[0], 0.37);
    let right = Operand::new([k, n], lies[1], 0.73);
    let stride = n + 3;
    let before: Vec<f32> = (0..m * stride).map(|i| (i as f32 * 0.11).cos()).collect();
    for (level, precision) in units() {
        let mut out = before.clone();
        let target = Target { start: out.as_mut_ptr(), stride };
        held(level, || {
            precision.scope(|| unsafe {
                product([m, k, n], left.view(), right.view(), 0.5, target, mode, threads);
            });
        });
        let rounded = |operand: &Operand, row, column| factor(operand.get(row, column), precision);
        for row in 0..m {
            for column in 0..stride {
                let at = row * stride + column;
                let old = f64::from(before[at]);
                let sum: f64 = if column < n {
                    (0..k).map(|i| rounded(&left, row, i) * rounded(&right, i, column)).sum()
                } else {
                    0.0
                };
                let expect = match mode {
                    _ if column >= n => old,
                    Mode::Fresh => 0.5 * sum,
                    Mode::Sum => old + 0.5 * sum,
                };
                let near = 1e-6 * (k as f64).sqrt().max(1.0) * 4.0;
                let ours = f64::from(out[at]);
                assert!(
                    (ours - expect).abs() <= near,
                    "{level:?} {precision:?} [{row}, {column}]: {ours}, not {expect}"
                );
            }
        }
    }
}

fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![Just(Lie::Rows), Just(Lie::Columns), Just(Lie::Spread)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn products_of_any_shape(
        m in 1usize..40, k in 1usize..40, n in 1usize..80,
        left in lie(), right in lie(), sum in any::<bool>(),
    ) {
        let mode = if sum { Mode::Sum } else { Mode::Fresh };
        check([m, k, n], [left, right], mode, Threads::One);
    }

    #[test]
    fn a_part_of_a_packed_operand(
        m in 1usize..30, k in 1usize..40, n in 1usize..80, cut in 0.0f64..1.0,
    ) {
        let part = [1 + (cut * (k - 1) as f64) as usize, 1 + (cut * (n - 1) as f64) as usize];
        let left = Operand::new([m, part[0]], Lie::Rows, 0.37);
        let right = Operand::new([k, n], Lie::Columns, 0.73);
        for (level, precision) in units() {
            let mut out = vec![0.0f32; m * part[1]];
            let target = Target { start: out.as_mut_ptr(), stride: part[1] };
            held(level, || precision.scope(|| unsafe {
                let packed = Right::pack(right.view(), [k, n], Threads::One);
                let mut rows = Left::default();
                let rows = rows.take(&packed, left.view(), [m, part[0]]);
                packed.multiply_part(rows, part, 1.0, target, Mode::Fresh);
            }));
            let rounded =
                |operand: &Operand, row, column| factor(operand.get(row, column), precision);
            for row in 0..m {
                for column in 0..part[1] {
                    let sum: f64 = (0..part[0])
                        .map(|i| rounded(&left, row, i) * rounded(&right, i, column))
                        .sum();
                    let ours = f64::from(out[row * part[1] + column]);
                    prop_assert!((ours - sum).abs() <= 3e-5, "{:?} {:?}", level, precision);
                }
            }
        }
    }
}

#[test]
fn few_rows_read_the_right_operand_as_it_lies() {
    for n in [16, 48, 64, 100, 128] {
        check([13, 300, n], [Lie::Rows, Lie::Rows], Mode::Fresh, Threads::One);
        check([28, 40, n], [Lie::Columns, Lie::Rows], Mode::Sum, Threads::One);
    }
}

#[test]
fn blocks_of_all_three_sides() {
    for lies in [[Lie::Rows, Lie::Rows], [Lie::Columns, Lie::Rows], [Lie::Rows, Lie::Columns]] {
        check([180, 1030, 40], lies, Mode::Fresh, Threads::All);
        check([30, 520, 1050], lies, Mode::Sum, Threads::All);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (left, right) = ([300, 700], [700, 90]);
    let left = Operand::new(left, Lie::Columns, 0.37);
    let right = Operand::new(right, Lie::Rows, 0.73);
    let run = |threads: usize| {
        let mut out = vec![0.0f32; 300 * 90];
        let target = Target { start: out.as_mut_ptr(), stride: 90 };
        let (left, right) = (left.view(), right.view());
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| unsafe {
            product([300, 700, 90], left, right, 1.0, target, Mode::Fresh, Threads::All);
        });
        out
    };
    let one = run(1);
    for threads in [2, 3, 5] {
        assert!(run(threads).iter().zip(&one).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
}

#[test]
fn factors_of_one_left_operand_are_products_of_their_own() {
    let widths = [130, 9, 1100];
    for (m, lie) in [(50, Lie::Columns), (300, Lie::Columns), (300, Lie::Rows)] {
        let left = Operand::new([m, 600], lie, 0.37);
        let rights = widths.map(|n| Operand::new([600, n], Lie::Rows, 0.73 / n as f32));
        let alone = |right: &Operand| {
            let n = right.size[1];
            let mut out = vec![0.5f32; m * n];
            let target = Target { start: out.as_mut_ptr(), stride: n };
            let size = [m, 600, n];
            let (left, right) = (left.view(), right.view());
            unsafe { product(size, left, right, 2.0, target, Mode::Sum, Threads::One) };
            out
        };
        for (level, precision) in units() {
            held(level, || {
                precision.scope(|| {
                    let truth = rights.each_ref().map(alone);
                    for threads in [Threads::One, Threads::All] {
                        let mut out = widths.map(|n| vec![0.5f32; m * n]);
                        let mut factors = out.iter_mut().zip(&rights).map(|(out, right)| {
                            let n = right.size[1];
                            let out = Target { start: out.as_mut_ptr(), stride: n };
                            Factor { right: right.view(), n, out }
                        });
                        let factors = [(); 3].map(|()| factors.next().unwrap());
                        unsafe {
                            products([m, 600], left.view(), &factors, 2.0, Mode::Sum, threads);
                        }
                        assert!(out == truth, "{level:?} {precision:?}, {m} rows");
                    }
                });
            });
        }
    }
}

/// Every unit for bf16 that this machine has, whichever one a product would pick.
#[test]
fn units_for_bf16_agree() {
    let units = [Unit::Pairs, Unit::Tiles];
    let found = bf16::best();
    let (left, right) = ([75, 210], [210, 133]);
    let run = |unit: Unit, lies: [Lie; 2]| {
        let left = Operand::new(left, lies[0], 0.37);
        let right = Operand::new(right, lies[1], 0.73);
        let mut out = vec![0.0f32; 75 * 133];
        let target = Target { start: out.as_mut_ptr(), stride: 133 };
        unsafe {
            let mut packed = Right::empty(unit);
            packed.repack(right.view(), [210, 133], Threads::One);
            let mut rows = Left::default();
            let rows = rows.take(&packed, left.view(), [75, 210]);
            packed.multiply(rows, 1.0, target, Mode::Fresh);
        }
        out
    };
    for left in [Lie::Rows, Lie::Columns, Lie::Spread] {
        for right in [Lie::Rows, Lie::Columns, Lie::Spread] {
            let truth = run(Unit::Rounded(best()), [left, right]);
            for unit in units {
                let has = found == Some(unit) || (found.is_some() && unit == Unit::Pairs);
                if !has {
                    continue;
                }
                for (ours, truth) in run(unit, [left, right]).iter().zip(&truth) {
                    assert!((ours - truth).abs() < 1e-6 * 210.0, "{unit:?}: {ours}, not {truth}");
                }
            }
        }
    }
}

#[test]
fn the_precision_ends_with_its_scope() {
    let bf16 = || Unit::current() != Unit::F32(best());
    assert!(!bf16());
    Precision::Bf16.scope(|| {
        assert!(bf16());
        Precision::F32.scope(|| assert!(!bf16()));
        assert!(bf16());
    });
    assert!(std::panic::catch_unwind(|| Precision::Bf16.scope(|| panic!("on purpose"))).is_err());
    assert!(!bf16());
}

#[test]
fn rows_of_any_length_are_laid_apart() {
    for columns in 0..5_000 {
        let apart = apart(columns);
        assert!(apart >= columns && apart.is_multiple_of(16) && apart < columns + 32);
        // 128 rows of a line each: eight lines at most, those of a place, have the same place.
        let mut places = [0; 64];
        (0..128).for_each(|row| places[row * apart / 16 % 64] += 1);
        assert!(columns == 0 || places.iter().all(|lines| *lines <= 8), "{columns}");
    }
}
