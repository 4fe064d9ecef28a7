//! Gates of which a fixed number is kept, and the multipliers that see to it.

use super::gate::{self, RANGE};

/// The rate of the multipliers' steps over that of the gates'. Faster ones overshoot: they go on
/// pushing gates down that are to stay, and whose masks in the end are then far from 1.
const MULTIPLIER_RATE: f64 = 0.1;

/// The constants of the steps that gates and multipliers take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adam {
    pub(crate) rate: f64,
    pub(crate) beta: [f64; 2],
    pub(crate) epsilon: f64,
}

/// Adam's running moments of one number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Moments([f64; 2]);

impl Moments {
    /// What a gradient moves the number by, at update `step` (from 1).
    fn step(&mut self, gradient: f64, adam: Adam, step: u64) -> f64 {
        let Self([first, second]) = self;
        *first = adam.beta[0] * *first + (1.0 - adam.beta[0]) * gradient;
        *second = adam.beta[1] * *second + (1.0 - adam.beta[1]) * gradient * gradient;
        let [m, v] = [(*first, adam.beta[0]), (*second, adam.beta[1])]
            .map(|(moment, beta)| moment / (1.0 - beta.powf(step as f64)));
        adam.rate * m / (v.sqrt() + adam.epsilon)
    }
}

/// Units of one kind in one place (the heads of a layer, the hidden channels), each with a gate.
#[derive(Clone, Debug)]
pub(crate) struct Module {
    pub(crate) log_alpha: Vec<f64>,
    /// Gates that are kept in the end.
    keep: usize,
    /// Its part of the penalty: modules of one kind are averaged.
    weight: f64,
    multipliers: [f64; 2],
    moments: Vec<Moments>,
    multiplier_moments: [Moments; 2],
}

impl Module {
    pub(crate) fn new(count: usize, keep: usize, weight: f64) -> Self {
        Self {
            log_alpha: vec![RANGE[1]; count],
            keep,
            weight,
            multipliers: [0.0; 2],
            moments: vec![Moments::default(); count],
            multiplier_moments: [Moments::default(); 2],
        }
    }

    /// Everything that changes from one update to the next.
    pub(crate) fn state(&self) -> impl Iterator<Item = f64> {
        let moments = self.moments.iter().chain(&self.multiplier_moments);
        let moments = moments.flat_map(|Moments(pair)| *pair);
        self.log_alpha.iter().copied().chain(self.multipliers).chain(moments)
    }

    /// Takes up what [`Module::state`] said; `None` where there is too little.
    pub(crate) fn restore(&mut self, state: &mut impl Iterator<Item = f64>) -> Option<()> {
        for value in self.log_alpha.iter_mut().chain(&mut self.multipliers) {
            *value = state.next()?;
        }
        for Moments(pair) in self.moments.iter_mut().chain(&mut self.multiplier_moments) {
            *pair = [state.next()?, state.next()?];
        }
        Some(())
    }

    /// The share of the gates that are expected to be shut.
    pub(crate) fn sparsity(&self) -> f64 {
        let open: f64 = self.log_alpha.iter().map(|log_alpha| gate::open(*log_alpha).0).sum();
        1.0 - open / self.log_alpha.len() as f64
    }

    /// The share that is shut in the end.
    pub(crate) fn target(&self) -> f64 {
        1.0 - self.keep as f64 / self.log_alpha.len() as f64
    }

    /// What is missed: the expected sparsity over a share of the target.
    fn excess(&self, ramp: f64) -> f64 {
        self.sparsity() - ramp * self.target()
    }

    /// The penalty of a sparsity that is not `ramp` times the target: the weight times
    /// `lambda_1 e + lambda_2 e^2` with `e` what is missed.
    pub(crate) fn penalty(&self, ramp: f64) -> f64 {
        let e = self.excess(ramp);
        self.weight * (self.multipliers[0] * e + self.multipliers[1] * e * e)
    }

    /// The penalty's derivative by every `log_alpha`.
    fn penalty_slopes(&self, ramp: f64) -> Vec<f64> {
        let e = self.excess(ramp);
        let by_sparsity = self.weight * (self.multipliers[0] + 2.0 * self.multipliers[1] * e);
        let count = self.log_alpha.len() as f64;
        self.log_alpha.iter().map(|x| -by_sparsity * gate::open(*x).1 / count).collect()
    }

    /// The penalty's derivative by the multipliers.
    fn climb(&self, ramp: f64) -> [f64; 2] {
        let e = self.excess(ramp);
        [self.weight * e, self.weight * e * e]
    }

    /// One update: gates go down the gradient of the loss (`slopes`, by `log_alpha`) and of the
    /// penalty, multipliers go up the penalty's.
    pub(crate) fn update(&mut self, slopes: &[f64], ramp: f64, adam: Adam, step: u64) {
        let (penalty, climb) = (self.penalty_slopes(ramp), self.climb(ramp));
        for (index, log_alpha) in self.log_alpha.iter_mut().enumerate() {
            let gradient = slopes[index] + penalty[index];
            *log_alpha -= self.moments[index].step(gradient, adam, step);
            *log_alpha = log_alpha.clamp(RANGE[0], RANGE[1]);
        }
        let adam = Adam { rate: MULTIPLIER_RATE * adam.rate, ..adam };
        for (index, multiplier) in self.multipliers.iter_mut().enumerate() {
            *multiplier += self.multiplier_moments[index].step(climb[index], adam, step);
        }
    }

    /// The masks in the end: 0 for all but the `keep` gates with the largest `log_alpha` (of equals
    /// the earlier), for those what they come to.
    pub(crate) fn settled(&self) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.log_alpha.len()).collect();
        order.sort_by(|a, b| self.log_alpha[*b].total_cmp(&self.log_alpha[*a]));
        let mut masks = vec![0.0; order.len()];
        for index in order.into_iter().take(self.keep) {
            masks[index] = gate::settled(self.log_alpha[index]);
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module() -> Module {
        let mut module = Module::new(5, 2, 0.25);
        module.log_alpha = vec![-3.0, 0.5, 4.0, 0.5, -0.1];
        module.multipliers = [1.7, -0.4];
        module
    }

    #[test]
    fn the_penalty_in_closed_form_and_its_slopes_by_differences() {
        let module = module();
        let shut = |x: f64| 1.0 / (1.0 + (x + 2.0 / 3.0 * 11_f64.ln()).exp());
        let sparsity = module.log_alpha.iter().map(|x| shut(*x)).sum::<f64>() / 5.0;
        assert!((module.sparsity() - sparsity).abs() < 1e-12);
        assert!((module.target() - 0.6).abs() < 1e-12);
        let e = sparsity - 0.5 * 0.6;
        assert!((module.penalty(0.5) - 0.25 * (1.7 * e - 0.4 * e * e)).abs() < 1e-12);
        let h = 1e-6;
        for (index, slope) in module.penalty_slopes(0.5).into_iter().enumerate() {
            let at = |x: f64| {
                let mut moved = module.clone();
                moved.log_alpha[index] += x;
                moved.penalty(0.5)
            };
            assert!((slope - (at(h) - at(-h)) / (2.0 * h)).abs() < 1e-8, "{index}");
        }
    }

    /// Against PyTorch's autograd (`tests/fixtures/make_importance.py`).
    #[test]
    fn gates_and_penalty_are_those_of_pytorch() {
        let text = include_str!("../../tests/fixtures/importance/gates.json");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        let list = |key: &str| -> Vec<f64> { serde_json::from_value(json[key].clone()).unwrap() };
        let number = |key: &str| json[key].as_f64().unwrap();
        let near = |what: &str, ours: &[f64]| {
            let theirs = if json[what].is_array() { list(what) } else { vec![number(what)] };
            assert_eq!(ours.len(), theirs.len(), "{what}");
            for (ours, theirs) in ours.iter().zip(&theirs) {
                assert!((ours - theirs).abs() < 1e-12, "{what}: {ours} here, {theirs} in PyTorch");
            }
        };
        let log_alpha = list("log_alpha");
        let drawn: Vec<_> =
            log_alpha.iter().zip(list("u")).map(|(x, u)| gate::sample(*x, u)).collect();
        near("masks", &drawn.iter().map(|(mask, _)| *mask).collect::<Vec<_>>());
        near("slopes", &drawn.iter().map(|(_, slope)| *slope).collect::<Vec<_>>());
        near("settled", &log_alpha.iter().map(|x| gate::settled(*x)).collect::<Vec<_>>());
        let keep = json["keep"].as_u64().unwrap() as usize;
        let mut module = Module::new(log_alpha.len(), keep, number("weight"));
        module.log_alpha = log_alpha;
        module.multipliers = list("multipliers").try_into().unwrap();
        let ramp = number("ramp");
        near("sparsity", &[module.sparsity()]);
        near("penalty", &[module.penalty(ramp)]);
        near("gradient", &module.penalty_slopes(ramp));
        near("climb", &module.climb(ramp));
    }

    #[test]
    fn exactly_as_many_are_kept_as_there_should_be() {
        let masks = module().settled();
        assert_eq!(masks.iter().filter(|mask| **mask > 0.0).count(), 2);
        // The largest, and of the two equal ones the earlier.
        assert!(masks[2] > masks[1] && masks[1] > 0.5);
    }

    /// Without a loss the gates come to the target, and stay there.
    #[test]
    fn multipliers_see_to_the_target() {
        let adam = Adam { rate: 0.1, beta: [0.9, 0.95], epsilon: 1e-8 };
        let mut module = Module::new(40, 10, 1.0);
        let mut missed = 0.0_f64;
        for step in 1..=600 {
            module.update(&[0.0; 40], (step as f64 / 120.0).min(1.0), adam, step);
            if step > 500 {
                missed = missed.max((module.sparsity() - 0.75).abs());
            }
        }
        assert!(missed < 0.01, "{missed}");
    }

    /// One Adam step from rest moves by the rate, against the gradient's sign.
    #[test]
    fn the_first_step_is_the_rate() {
        let adam = Adam { rate: 0.1, beta: [0.9, 0.95], epsilon: 1e-8 };
        let mut module = Module::new(2, 1, 1.0);
        module.log_alpha = vec![0.0, 0.0];
        module.update(&[3.0, -0.02], 0.0, adam, 1);
        assert!((module.log_alpha[0] + 0.1).abs() < 1e-6, "{:?}", module.log_alpha);
        assert!((module.log_alpha[1] - 0.1).abs() < 1e-6, "{:?}", module.log_alpha);
        // More is shut than the target asks for yet: the first multiplier rises.
        assert!(module.multipliers[0] > 0.0);
    }
}
