//! Simulated tables, the same on every machine.

use ablate_stats::{Verdict, compare};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Normal numbers.
pub(crate) struct Normal(ChaCha8Rng);

impl Normal {
    pub(crate) fn new(seed: u8) -> Self {
        Self(ChaCha8Rng::from_seed([seed; 32]))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A standard normal number, by Box and Muller.
    pub(crate) fn draw(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// What differences are made of.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) seeds: usize,
    pub(crate) items: usize,
    pub(crate) seed_sd: f64,
    pub(crate) item_sd: f64,
    pub(crate) shift: f64,
}

impl Setting {
    /// Share of `tables` in which the verdict is not "not distinguishable".
    pub(crate) fn found(&self, tables: usize, stream: u8) -> f64 {
        let mut normal = Normal::new(stream);
        let hits = (0..tables).filter(|_| {
            let (a, b) = self.draw(&mut normal);
            compare(&a, &b).unwrap().verdict != Verdict::NotDistinguishable
        });
        hits.count() as f64 / tables as f64
    }

    /// Two tables, seeds x items.
    pub(crate) fn draw(&self, normal: &mut Normal) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let by_item: Vec<f64> = (0..self.items).map(|_| self.item_sd * normal.draw()).collect();
        // `b` carries structure shared by both variants, which pairing must remove.
        let shared: Vec<f64> = (0..self.items).map(|_| 3.0 * normal.draw()).collect();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for _ in 0..self.seeds {
            let by_seed = self.shift + self.seed_sd * normal.draw();
            a.push(
                (0..self.items)
                    .map(|item| shared[item] + by_seed + by_item[item] + normal.draw())
                    .collect::<Vec<f64>>(),
            );
            b.push(shared.clone());
        }
        (a, b)
    }
}

/// Right and wrong answers of one seed to `items` items, of which a share is right only for the first
/// and a share only for the second.
pub(crate) fn answers(
    normal: &mut Normal,
    items: usize,
    first: f64,
    second: f64,
) -> [Vec<Vec<f64>>; 2] {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..items {
        let draw = normal.uniform();
        a.push(f64::from(draw < first || draw > 0.7));
        b.push(f64::from((first..first + second).contains(&draw) || draw > 0.7));
    }
    [vec![a], vec![b]]
}

/// One value per item around zero, items of a cluster sharing a part; and the items' clusters, whose
/// sizes go from one to `largest`.
pub(crate) fn clustered(
    normal: &mut Normal,
    clusters: usize,
    largest: usize,
    shared_sd: f64,
) -> (Vec<f64>, Vec<usize>) {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for cluster in 0..clusters {
        let shared = shared_sd * normal.draw();
        for _ in 0..=cluster % largest {
            values.push(shared + normal.draw());
            labels.push(cluster);
        }
    }
    (values, labels)
}
