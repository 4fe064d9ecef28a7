//! Against the same sums in f64, for every instruction set of this machine.

use proptest::prelude::*;

use super::*;
use crate::simd::best;
use crate::simd::held;

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

fn check([m, k, n]: [usize; 3], lies: [Lie; 2], mode: Mode, threads: Threads) {
    let left = Operand::new([m, k], lies[0], 0.37);
    let right = Operand::new([k, n], lies[1], 0.73);
    let stride = n + 3;
    let before: Vec<f32> = (0..m * stride).map(|i| (i as f32 * 0.11).cos()).collect();
    for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
        if level > best() {
            continue;
        }
        let mut out = before.clone();
        let target = Target { start: out.as_mut_ptr(), stride };
        held(level, || unsafe {
            product([m, k, n], left.view(), right.view(), 0.5, target, mode, threads);
        });
        for row in 0..m {
            for column in 0..stride {
                let at = row * stride + column;
                let old = f64::from(before[at]);
                let sum: f64 = if column < n {
                    (0..k).map(|i| left.get(row, i) * right.get(i, column)).sum()
                } else {
                    0.0
                };
                let expect = match mode {
                    _ if column >= n => old,
                    Mode::Fresh => 0.5 * sum,
                    Mode::Sum => old + 0.5 * sum,
                };
                let near = 1e-6 * (k as f64).sqrt().max(1.0) * 4.0;
                assert!((f64::from(out[at]) - expect).abs() <= near, "{level:?} [{row}, {column}]");
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
        for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
            if level > best() {
                continue;
            }
            let mut out = vec![0.0f32; m * part[1]];
            let target = Target { start: out.as_mut_ptr(), stride: part[1] };
            held(level, || unsafe {
                let packed = Right::pack(right.view(), [k, n], Threads::One);
                let mut rows = Left::default();
                let rows = rows.pack(left.view(), [m, part[0]]);
                packed.multiply_part(rows, part, 1.0, target, Mode::Fresh);
            });
            for row in 0..m {
                for column in 0..part[1] {
                    let sum: f64 =
                        (0..part[0]).map(|i| left.get(row, i) * right.get(i, column)).sum();
                    let ours = f64::from(out[row * part[1] + column]);
                    prop_assert!((ours - sum).abs() <= 3e-5, "{:?}", level);
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
