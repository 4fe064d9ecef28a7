//! Curves whose start lies far above all that follows: where the axis ends, and lines and outlines
//! cut there.

use super::axis::Range;

/// The range of the vertical axis of curves that end at `end`, from the points' x, low and high. The
/// first fifth may be several times higher than all that follows; then the axis ends a little above
/// the values after it.
pub(super) fn shown(points: &[(f64, f64, f64)], end: f64) -> (f64, f64) {
    let whole = Range::of(points.iter().flat_map(|p| [p.1, p.2]));
    let late = points.iter().filter(|p| p.0 >= 0.2 * end);
    match (whole.ends(), Range::of(late.flat_map(|p| [p.1, p.2])).ends()) {
        (Some((low, high)), Some((_, top))) if high - low > 1.6 * (top - low) && top > low => {
            (low - 0.04 * (top - low), top + 0.12 * (top - low))
        }
        _ => whole.padded(0.04),
    }
}

/// The parts of a line below a level, cut where it crosses.
pub(super) fn below(points: &[(f64, f64)], level: f64) -> Vec<Vec<(f64, f64)>> {
    let mut parts: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut part: Vec<(f64, f64)> = Vec::new();
    for (i, point) in points.iter().enumerate() {
        let inside = point.1 <= level;
        if let Some(before) = i.checked_sub(1).map(|k| points[k])
            && (before.1 <= level) != inside
        {
            let share = (level - before.1) / (point.1 - before.1);
            let cut = (before.0 + share * (point.0 - before.0), level);
            part.push(cut);
            if !inside {
                parts.push(std::mem::take(&mut part));
            }
        }
        if inside {
            part.push(*point);
        }
    }
    parts.push(part);
    parts.retain(|p| !p.is_empty());
    parts
}

/// The part of an outline below a level (one side of Sutherland and Hodgman's clipping).
pub(super) fn outline_below(points: &[(f64, f64)], level: f64) -> Vec<(f64, f64)> {
    let mut out = Vec::with_capacity(points.len() + 4);
    for (i, to) in points.iter().enumerate() {
        let from = points[(i + points.len() - 1) % points.len()];
        if (from.1 <= level) != (to.1 <= level) {
            let share = (level - from.1) / (to.1 - from.1);
            out.push((from.0 + share * (to.0 - from.0), level));
        }
        if to.1 <= level {
            out.push(*to);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{below, outline_below};

    #[test]
    fn an_outline_is_cut_at_the_level() {
        let square = [(0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0)];
        let cut = outline_below(&square, 1.0);
        assert_eq!(cut, [(0.0, 1.0), (0.0, 0.0), (2.0, 0.0), (2.0, 1.0)]);
    }

    #[test]
    fn a_line_is_cut_where_it_crosses_the_level() {
        let points = [(0.0, 4.0), (1.0, 2.0), (2.0, 1.0), (3.0, 5.0)];
        let parts = below(&points, 3.0);
        assert_eq!(parts, [vec![(0.5, 3.0), (1.0, 2.0), (2.0, 1.0), (2.5, 3.0)]]);
        assert!(below(&points, 0.0).is_empty());
    }
}
