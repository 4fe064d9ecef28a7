//! Which threads compute a product.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Which threads a product may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Threads {
    /// The calling thread: for products inside a parallel loop.
    One,
    /// Those of the pool, for products worth it: the caller's part of them (see [`Abreast`]).
    All,
}

thread_local! {
    static CURRENT: RefCell<Option<Abreast>> = const { RefCell::new(None) };
}

/// Portions of work that the threads of one pool compute at the same time. No result depends on it.
///
/// As far as a portion's own thread starts them, products are shared out among the portion's part of
/// the threads only, which spares copies of operands; loops over rows stay open to every thread of the
/// pool. So a thread holds to its portion, and when that has ended helps with the others.
#[derive(Clone, Debug)]
pub struct Abreast {
    /// Portions that have not ended.
    running: Arc<AtomicUsize>,
}

impl Abreast {
    /// So many portions, each of which is to be [run](Abreast::run) once.
    pub fn of(portions: usize) -> Self {
        Self { running: Arc::new(AtomicUsize::new(portions)) }
    }

    /// Runs one of the portions on the calling thread.
    pub fn run<T>(&self, portion: impl FnOnce() -> T) -> T {
        struct End<'a>(&'a Abreast, Option<Abreast>);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.running.fetch_sub(1, Ordering::Relaxed);
                CURRENT.set(self.1.take());
            }
        }
        let _end = End(self, CURRENT.replace(Some(self.clone())));
        portion()
    }
}

impl Threads {
    /// Pieces that a product is cut into.
    pub(super) fn pieces(self) -> usize {
        let portions = || {
            CURRENT.with_borrow(|portions| {
                portions.as_ref().map_or(1, |all| all.running.load(Ordering::Relaxed).max(1))
            })
        };
        match self {
            Self::One => 1,
            Self::All => (rayon::current_num_threads() / portions()).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portions_divide_the_threads_while_they_run() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(6).build().unwrap();
        pool.install(|| {
            let pieces = || Threads::All.pieces();
            assert_eq!(pieces(), 6);
            let three = Abreast::of(3);
            assert_eq!(three.run(pieces), 2);
            assert_eq!(three.run(|| Abreast::of(7).run(pieces)), 1);
            // The last one that runs has all threads for itself, also if another has failed.
            let failing = Abreast::of(2);
            let failed = std::panic::catch_unwind(|| failing.run(|| panic!("on purpose")));
            assert!(failed.is_err());
            assert_eq!((pieces(), failing.run(pieces)), (6, 6));
            assert_eq!(Threads::One.pieces(), 1);
        });
    }
}
