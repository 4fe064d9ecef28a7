//! The learning rate of every step.

use std::f64::consts::PI;

use crate::TrainConfig;

/// Linear warm-up, then half a cosine down to a share of the peak.
///
/// Step `s` of `n` (counted from 1, with `w = ceil(warmup * n)` warm-up steps) uses
/// `peak * s / w` up to `w`, and after that
/// `peak * (r + (1 - r) * (1 + cos(pi * (s - w) / (n - w))) / 2)` with `r` the final ratio. So the
/// first step already learns (at `peak / w`), step `w` uses the peak and the last step exactly
/// `r * peak`. PyTorch's LinearLR followed by CosineAnnealingLR at milestone `w - 1` is the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    peak: f64,
    final_ratio: f64,
    warmup: u64,
    steps: u64,
    /// Steps of the schedule before the run's own.
    before: u64,
}

impl Schedule {
    /// The schedule that the settings describe.
    pub fn of(config: &TrainConfig) -> Self {
        let (before, steps) = match config.span {
            None => (0, config.steps),
            Some(span) => (span.before, span.total),
        };
        Self {
            peak: config.learning_rate,
            final_ratio: config.final_ratio,
            warmup: warmup_steps(config.warmup, steps),
            steps,
            before,
        }
    }

    /// Steps of the run in which the learning rate rises.
    pub fn warmup(&self) -> u64 {
        self.warmup.saturating_sub(self.before)
    }

    /// Learning rate of the run's update `step`, counted from 1.
    pub fn rate(&self, step: u64) -> f64 {
        let step = step + self.before;
        if step <= self.warmup {
            return self.peak * (step as f64 / self.warmup as f64);
        }
        let (done, all) = (step - self.warmup, self.steps - self.warmup);
        let share = done.min(all) as f64 / all as f64;
        let cosine = 0.5 * (1.0 + (PI * share).cos());
        self.peak * (self.final_ratio + (1.0 - self.final_ratio) * cosine)
    }
}

/// Share of the steps, rounded up. A product that misses a whole number only by rounding (0.07 of
/// 100 is 7.000000000000001) counts as that number.
fn warmup_steps(share: f64, steps: u64) -> u64 {
    let exact = share * steps as f64;
    ((exact * (1.0 - 1e-12)).ceil() as u64).min(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(warmup: f64, steps: u64) -> Schedule {
        let config = TrainConfig {
            steps,
            warmup,
            learning_rate: 0.4,
            final_ratio: 0.25,
            ..crate::config::tests::config()
        };
        Schedule::of(&config)
    }

    fn check(schedule: Schedule, step: u64, expect: f64) {
        let rate = schedule.rate(step);
        assert!((rate - expect).abs() < 1e-15, "step {step}: {rate} instead of {expect}");
    }

    #[test]
    fn closed_form_at_the_corners() {
        let rise = schedule(0.2, 20);
        assert_eq!(rise.warmup(), 4);
        check(rise, 1, 0.1);
        check(rise, 3, 0.3);
        check(rise, 4, 0.4);
        // A quarter, half and three quarters of the cosine, from 0.4 to 0.1.
        let root = 2f64.sqrt() / 2.0;
        check(rise, 8, 0.25 + 0.15 * root);
        check(rise, 12, 0.25);
        check(rise, 16, 0.25 - 0.15 * root);
        check(rise, 20, 0.1);
    }

    #[test]
    fn without_and_with_nothing_but_warmup() {
        check(schedule(0.0, 2), 1, 0.25);
        check(schedule(0.0, 2), 2, 0.1);
        check(schedule(1.0, 4), 4, 0.4);
        check(schedule(1.0, 1), 1, 0.4);
    }

    #[test]
    fn warmup_is_rounded_up() {
        let check = |share: f64, steps: u64, expect: u64| {
            assert_eq!(schedule(share, steps).warmup(), expect, "{share} of {steps}");
        };
        check(0.03, 50_000, 1500);
        check(0.07, 100, 7);
        check(0.03, 10, 1);
        check(0.101, 10, 2);
        check(0.0, 10, 0);
    }

    /// Two runs that share a schedule have the learning rates of one that is as long as both.
    #[test]
    fn a_span_is_cut_into_runs() {
        let whole = schedule(0.2, 20);
        let part = |steps: u64, before: u64| {
            let span = Some(crate::Span { before, total: 20 });
            let config = TrainConfig {
                steps,
                span,
                warmup: 0.2,
                learning_rate: 0.4,
                final_ratio: 0.25,
                ..crate::config::tests::config()
            };
            Schedule::of(&config)
        };
        let (first, second) = (part(3, 0), part(17, 3));
        assert_eq!((first.warmup(), second.warmup()), (4, 1));
        for step in 1..=20 {
            let rate = if step <= 3 { first.rate(step) } else { second.rate(step - 3) };
            assert_eq!(rate, whole.rate(step), "step {step}");
        }
    }

    proptest! {
        #[test]
        fn rises_then_falls(share in 0.0f64..=1.0, steps in 1u64..500) {
            let schedule = schedule(share, steps);
            let rates: Vec<f64> = (1..=steps).map(|step| schedule.rate(step)).collect();
            prop_assert!(rates.iter().all(|rate| *rate > 0.0 && *rate <= 0.4));
            let peak = (schedule.warmup() as usize).saturating_sub(1);
            prop_assert!(rates[..=peak].is_sorted());
            prop_assert!(rates[peak..].is_sorted_by(|a, b| a >= b));
        }
    }
}
