//! Fair options: wrong answers drawn so that every string serves as a wrong answer `k` times as
//! often as it is the right one, and right answers spread evenly over the positions.

use crate::draw::Draw;

/// Chooses `k` wrong answers for every question of one pool.
///
/// `answers[i]` is the right answer of question `i` (any labels); `forbidden(i, a)` says that
/// answer `a` would also be right, or unfair, for question `i`. The multiset of all wrong answers
/// is `k` copies of the multiset of right ones, except for the few that no exchange can place:
/// those become any permitted answer of the pool. `None` when a question has fewer than `k`
/// permitted wrong answers.
pub(crate) fn distractors(
    draw: &mut Draw,
    answers: &[usize],
    k: usize,
    forbidden: &dyn Fn(usize, usize) -> bool,
) -> Option<Vec<Vec<usize>>> {
    let n = answers.len();
    let mut pool = answers.to_vec();
    pool.sort_unstable();
    pool.dedup();
    for (i, &answer) in answers.iter().enumerate() {
        let permitted = pool.iter().filter(|&&a| a != answer && !forbidden(i, a)).count();
        if permitted < k {
            return None;
        }
    }
    let mut slots: Vec<usize> = (0..n * k).map(|s| answers[s / k]).collect();
    draw.shuffle(&mut slots);
    let fits = |slots: &[usize], s: usize, a: usize| {
        let i = s / k;
        a != answers[i]
            && !forbidden(i, a)
            && (i * k..(i + 1) * k).all(|other| other == s || slots[other] != a)
    };
    for _round in 0..60 {
        let bad: Vec<usize> = (0..n * k).filter(|&s| !fits(&slots, s, slots[s])).collect();
        if bad.is_empty() {
            break;
        }
        for s in bad {
            if fits(&slots, s, slots[s]) {
                continue;
            }
            for _ in 0..200 {
                let t = draw.below(n * k);
                if t / k != s / k && fits(&slots, s, slots[t]) && fits(&slots, t, slots[s]) {
                    slots.swap(s, t);
                    break;
                }
            }
        }
    }
    for s in 0..n * k {
        if !fits(&slots, s, slots[s]) {
            let permitted: Vec<usize> =
                pool.iter().copied().filter(|&a| fits(&slots, s, a)).collect();
            slots[s] = *draw.pick(&permitted);
        }
    }
    Some(slots.chunks_exact(k).map(<[usize]>::to_vec).collect())
}

/// Positions of the right answer for `n` questions with `k` options: balanced to within one, in
/// random order.
pub(crate) fn positions(draw: &mut Draw, n: usize, k: usize) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..n).map(|i| i % k).collect();
    draw.shuffle(&mut positions);
    positions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wrong_answers_are_distinct_and_balanced(seed in any::<u64>(), rounds in 2usize..12, pool in 8usize..20) {
            // Every answer is right `rounds` times; answer a + 1 is forbidden for a.
            let answers: Vec<usize> = (0..rounds * pool).map(|i| i % pool).collect();
            let forbidden = |i: usize, a: usize| a == (answers[i] + 1) % pool;
            let chosen = distractors(&mut Draw::new(seed, "t", 0), &answers, 3, &forbidden).expect("enough answers");
            let mut uses = vec![0usize; pool];
            for (i, wrong) in chosen.iter().enumerate() {
                prop_assert_eq!(wrong.len(), 3);
                for (at, &a) in wrong.iter().enumerate() {
                    prop_assert!(a != answers[i] && !forbidden(i, a) && !wrong[..at].contains(&a));
                    uses[a] += 1;
                }
            }
            prop_assert!(uses.iter().all(|&u| u.abs_diff(3 * rounds) <= 1), "{:?}", uses);
        }

        #[test]
        fn positions_differ_by_one_at_most(seed in any::<u64>(), n in 0usize..200, k in 2usize..5) {
            let positions = positions(&mut Draw::new(seed, "t", 0), n, k);
            let counts: Vec<usize> = (0..k).map(|p| positions.iter().filter(|&&q| q == p).count()).collect();
            prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1);
        }
    }

    #[test]
    fn too_few_answers_are_refused() {
        assert_eq!(distractors(&mut Draw::new(0, "t", 0), &[0, 1, 2], 3, &|_, _| false), None);
    }
}
