//! Rank correlation: does our small scale order the variants as the paper does?

use crate::error::{StatsError, check_fraction, check_same_length, check_values};
use crate::tails::{normal_cdf, normal_two_sided, student_two_sided};

/// Up to this many pairs Spearman's p visits every permutation (8! = 40,320).
const EXACT_PERMUTATIONS: usize = 8;
/// Up to this many untied pairs Kendall's p is exact.
const EXACT_KENDALL: usize = 33;

/// A rank correlation with its 95% interval and two-sided p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// The coefficient, between -1 and 1.
    pub value: f64,
    /// Lower end of the 95% interval.
    pub low: f64,
    /// Upper end of the 95% interval.
    pub high: f64,
    /// Two-sided p value of "no association".
    pub p: f64,
    /// Number of pairs.
    pub n: usize,
}

impl Correlation {
    /// Interval of a rank correlation by [`spearman`] at another level than 95%.
    ///
    /// # Errors
    /// A level outside (0, 1).
    pub fn interval(&self, level: f64) -> Result<(f64, f64), StatsError> {
        check_fraction("an interval", "level", level)?;
        Ok(fisher_interval(self.value, self.n, level))
    }

    /// One-sided p of "not above `bound`" for a correlation by [`spearman`], by the z behind its
    /// interval; 1 where that is unbounded (three pairs).
    pub fn p_above(&self, bound: f64) -> f64 {
        match fisher(self.value, self.n) {
            Some((z, error)) => normal_cdf((bound.clamp(-1.0, 1.0).atanh() - z) / error),
            None => 1.0,
        }
    }

    /// One-sided p of "not below `bound`", as [`Correlation::p_above`].
    pub fn p_below(&self, bound: f64) -> f64 {
        Self { value: -self.value, ..*self }.p_above(-bound)
    }
}

/// Spearman's rank correlation of `x` and `y`, with average ranks for ties.
///
/// p is exact over all permutations up to 8 pairs and by Student's t beyond (as scipy). The
/// 95% interval is Fisher's z with Bonett and Wright's standard error (2000)
/// sqrt((1 + rho^2 / 2) / (n - 3)); three pairs give [-1, 1]. A perfect |rho| = 1, at which
/// z is infinite, takes its open end from the nearest rho below it, 1 - 12 / (n (n^2 - 1)).
///
/// # Errors
/// Unequal lengths, fewer than three pairs, constant or non-finite input.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Correlation, StatsError> {
    const WHAT: &str = "Spearman's correlation";
    check_pairs(WHAT, x, y)?;
    let n = x.len();
    let (left, right) = (centred_ranks(x), centred_ranks(y));
    let norm = dot(&left, &left).sqrt() * dot(&right, &right).sqrt();
    if norm == 0.0 {
        return Err(StatsError::Constant { what: WHAT, got: n });
    }
    let rho = (dot(&left, &right) / norm).clamp(-1.0, 1.0);
    let rho = if 1.0 - rho.abs() < 1e-12 { rho.signum() } else { rho };
    let p = if n <= EXACT_PERMUTATIONS {
        permutation_p(&left, &right)
    } else if rho.abs() == 1.0 {
        0.0
    } else {
        let freedom = n as f64 - 2.0;
        student_two_sided(rho * (freedom / (1.0 - rho * rho)).sqrt(), freedom)
    };
    let (low, high) = fisher_interval(rho, n, 0.95);
    Ok(Correlation { value: rho, low, high, p, n })
}

/// Kendall's tau-b of `x` and `y`.
///
/// p is exact for up to 33 untied pairs and by the tie-corrected normal approximation
/// otherwise (as scipy). The 95% interval is Fisher's z with the standard error
/// sqrt(0.437 / (n - 4)) of Fieller, Hartley and Pearson (1957), or [-1, 1] for n <= 4.
///
/// # Errors
/// Unequal lengths, fewer than three pairs, constant or non-finite input.
pub fn kendall_tau(x: &[f64], y: &[f64]) -> Result<Correlation, StatsError> {
    const WHAT: &str = "Kendall's tau";
    check_pairs(WHAT, x, y)?;
    let n = x.len();
    let mut score = 0i64;
    let mut discordant = 0u64;
    for (i, (xi, yi)) in x.iter().zip(y).enumerate() {
        for (xj, yj) in x[..i].iter().zip(&y[..i]) {
            let sign = order(*xi, *xj) * order(*yi, *yj);
            score += sign;
            discordant += u64::from(sign < 0);
        }
    }
    let pairs = (n * (n - 1) / 2) as f64;
    let (tied_x, tied_y) = (Ties::of(x), Ties::of(y));
    let comparable = (pairs - tied_x.pairs) * (pairs - tied_y.pairs);
    if comparable <= 0.0 {
        return Err(StatsError::Constant { what: WHAT, got: n });
    }
    let tau = (score as f64 / comparable.sqrt()).clamp(-1.0, 1.0);
    let p = if tied_x.pairs == 0.0 && tied_y.pairs == 0.0 && n <= EXACT_KENDALL {
        kendall_exact_p(n, discordant)
    } else {
        kendall_normal_p(score as f64, n as f64, &tied_x, &tied_y)
    };
    let (low, high) = if n <= 4 {
        (-1.0, 1.0)
    } else {
        // As for rho: a perfect tau borrows its open end from the next value below, which
        // is one swapped pair away.
        let nearest = if tau.abs() == 1.0 { tau * (1.0 - 2.0 / pairs) } else { tau };
        let reach = normal_two_sided(0.95) * (0.437 / (n as f64 - 4.0)).sqrt();
        widen(tau, nearest.atanh(), reach)
    };
    Ok(Correlation { value: tau, low, high, p, n })
}

fn check_pairs(what: &'static str, x: &[f64], y: &[f64]) -> Result<(), StatsError> {
    check_same_length(what, "values", x.len(), y.len())?;
    check_values(what, x, 3)?;
    check_values(what, y, 3)
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

fn order(a: f64, b: f64) -> i64 {
    i64::from(a > b) - i64::from(a < b)
}

/// Average ranks minus their mean.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<usize> = (0..values.len()).collect();
    sorted.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut first = 0;
    for group in sorted.chunk_by(|a, b| values[*a] == values[*b]) {
        let last = first + group.len() - 1;
        for index in group {
            ranks[*index] = (first + last) as f64 / 2.0 - (values.len() as f64 - 1.0) / 2.0;
        }
        first = last + 1;
    }
    ranks
}

/// Share of all orders of `right` whose |covariance| with `left` is as large (Heap's
/// algorithm visits each order once).
fn permutation_p(left: &[f64], right: &[f64]) -> f64 {
    let observed = dot(left, right).abs() - 1e-9;
    let mut shuffled = right.to_vec();
    let mut counters = vec![0usize; right.len()];
    let (mut hits, mut total) = (1u32, 1u32);
    let mut level = 1;
    while level < right.len() {
        if counters[level] < level {
            shuffled.swap(if level % 2 == 0 { 0 } else { counters[level] }, level);
            total += 1;
            hits += u32::from(dot(left, &shuffled).abs() >= observed);
            counters[level] += 1;
            level = 1;
        } else {
            counters[level] = 0;
            level += 1;
        }
    }
    f64::from(hits) / f64::from(total)
}

fn fisher_interval(rho: f64, n: usize, level: f64) -> (f64, f64) {
    match fisher(rho, n) {
        Some((z, error)) => widen(rho, z, normal_two_sided(level) * error),
        None => (-1.0, 1.0),
    }
}

/// Fisher's z of a rank correlation and its standard error.
fn fisher(rho: f64, n: usize) -> Option<(f64, f64)> {
    if n <= 3 {
        return None;
    }
    let count = n as f64;
    let nearest =
        if rho.abs() == 1.0 { rho * (1.0 - 12.0 / (count * (count * count - 1.0))) } else { rho };
    Some((nearest.atanh(), ((1.0 + nearest * nearest / 2.0) / (count - 3.0)).sqrt()))
}

fn widen(value: f64, z: f64, reach: f64) -> (f64, f64) {
    let low = if value == -1.0 { -1.0 } else { (z - reach).tanh() };
    let high = if value == 1.0 { 1.0 } else { (z + reach).tanh() };
    (low, high)
}

/// Sums over groups of t tied values that enter tau-b and its variance.
struct Ties {
    /// sum t (t - 1) / 2
    pairs: f64,
    /// sum t (t - 1) (t - 2)
    triples: f64,
    /// sum t (t - 1) (2 t + 5)
    variance: f64,
}

impl Ties {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mut ties = Self { pairs: 0.0, triples: 0.0, variance: 0.0 };
        for group in sorted.chunk_by(|a, b| a == b) {
            let t = group.len() as f64;
            ties.pairs += t * (t - 1.0) / 2.0;
            ties.triples += t * (t - 1.0) * (t - 2.0);
            ties.variance += t * (t - 1.0) * (2.0 * t + 5.0);
        }
        ties
    }
}

/// Kendall (1970): the number of orders of n with k inversions grows by convolution; two
/// sided p is twice the share with at most min(k, rest) inversions.
fn kendall_exact_p(n: usize, discordant: u64) -> f64 {
    let pairs = n * (n - 1) / 2;
    let fewer = usize::try_from(discordant).unwrap_or(pairs).min(pairs);
    let fewer = fewer.min(pairs - fewer);
    // Shares instead of counts, so that 33! does not overflow.
    let mut shares = vec![0.0_f64; fewer + 1];
    shares[0] = 1.0;
    for size in 2..=n {
        let before = shares.clone();
        let mut window = 0.0;
        for k in 0..=fewer {
            window += before[k];
            if k >= size {
                window -= before[k - size];
            }
            shares[k] = window / size as f64;
        }
    }
    (2.0 * shares.iter().sum::<f64>()).min(1.0)
}

fn kendall_normal_p(score: f64, n: f64, x: &Ties, y: &Ties) -> f64 {
    let all = n * (n - 1.0);
    let variance = (all * (2.0 * n + 5.0) - x.variance - y.variance) / 18.0
        + 2.0 * x.pairs * y.pairs / all
        + x.triples * y.triples / (9.0 * all * (n - 2.0));
    if variance <= 0.0 {
        return 1.0;
    }
    (2.0 * normal_cdf(-score.abs() / variance.sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfect_order() {
        let up = [1.0, 2.0, 3.0, 4.0, 5.0];
        let down = [5.0, 4.0, 3.0, 2.0, 1.0];
        let found = spearman(&up, &down).unwrap();
        assert_eq!((found.value, found.low), (-1.0, -1.0));
        assert!(found.high > -1.0 && found.high < 0.3);
        // Two of the 120 orders are perfect.
        assert!((found.p - 2.0 / 120.0).abs() < 1e-12);
        assert!((kendall_tau(&up, &down).unwrap().p - 2.0 / 120.0).abs() < 1e-12);
    }

    #[test]
    fn bad_input_is_an_error() {
        assert!(spearman(&[1.0, 2.0], &[1.0, 2.0]).is_err());
        assert!(spearman(&[1.0, 2.0, 3.0], &[1.0, 2.0]).is_err());
        assert!(matches!(
            spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]),
            Err(StatsError::Constant { .. })
        ));
        assert!(kendall_tau(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]).is_err());
        assert!(kendall_tau(&[1.0, f64::NAN, 1.0], &[1.0, 2.0, 3.0]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn intervals_contain_the_value(
            pairs in proptest::collection::vec((-5i32..5, -5i32..5), 3..40)
        ) {
            let x: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.0)).collect();
            let y: Vec<f64> = pairs.iter().map(|pair| f64::from(pair.1)).collect();
            for found in [spearman(&x, &y), kendall_tau(&x, &y)].into_iter().flatten() {
                proptest::prop_assert!(found.low <= found.value && found.value <= found.high);
                proptest::prop_assert!((0.0..=1.0).contains(&found.p));
            }
        }
    }
}
