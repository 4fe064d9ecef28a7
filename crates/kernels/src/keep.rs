//! What a decoder's blocks keep of their forward pass until the backward pass.

use std::cell::Cell;

/// What the blocks ([`self_attention`](crate::self_attention) and
/// [`feed_forward`](crate::feed_forward)) keep from the forward to the backward pass. Results are the
/// same to the last bit.
///
/// It is a property of the calling thread, like [`Precision`](crate::Precision).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// What the backward pass needs.
    #[default]
    Activations,
    /// Their input alone: the backward pass computes the rest again, block by block (Chen et al.
    /// 2016, arXiv:1604.06174). A third more operations, and the memory of one block instead of all.
    Inputs,
}

thread_local! {
    static CURRENT: Cell<Keep> = const { Cell::new(Keep::Activations) };
}

impl Keep {
    /// Runs `work` with all blocks keeping this, as far as the calling thread starts them.
    pub fn scope<T>(self, work: impl FnOnce() -> T) -> T {
        struct Restore(Keep);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0);
            }
        }
        let _restore = Restore(CURRENT.replace(self));
        work()
    }

    /// Whether the calling thread's blocks keep their activations.
    pub(crate) fn activations() -> bool {
        CURRENT.get() == Self::Activations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_ends_with_its_work() {
        assert!(Keep::activations());
        Keep::Inputs.scope(|| {
            assert!(!Keep::activations());
            Keep::Activations.scope(|| assert!(Keep::activations()));
            assert!(!Keep::activations());
        });
        assert!(std::panic::catch_unwind(|| Keep::Inputs.scope(|| panic!("on purpose"))).is_err());
        assert!(Keep::activations());
    }
}
