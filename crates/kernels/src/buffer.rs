//! Output memory and the fixed partition of work over threads.
//!
//! Which rows form a chunk depends on shapes alone, never on the number of threads, and each chunk
//! is computed by one thread from start to end: that is what makes results bit-identical for any
//! number of threads.

use std::mem::MaybeUninit;

use rayon::prelude::*;

/// Elements below which waking other threads costs more than it saves.
const SMALL: usize = 1 << 14;

/// A vector of `length` elements that `fill` writes in full, without clearing it first.
///
/// # Safety
/// `fill` must write every element it is given.
pub(crate) unsafe fn filled(length: usize, fill: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(length);
    fill(&mut values.spare_capacity_mut()[..length]);
    // SAFETY: the caller promises that all `length` elements are written.
    unsafe { values.set_len(length) };
    values
}

/// Two vectors filled like [`filled`].
///
/// # Safety
/// `fill` must write every element of both.
pub(crate) unsafe fn filled2(
    lengths: [usize; 2],
    fill: impl FnOnce(&mut [MaybeUninit<f32>], &mut [MaybeUninit<f32>]),
) -> [Vec<f32>; 2] {
    let mut first = Vec::with_capacity(lengths[0]);
    let mut second = Vec::with_capacity(lengths[1]);
    fill(
        &mut first.spare_capacity_mut()[..lengths[0]],
        &mut second.spare_capacity_mut()[..lengths[1]],
    );
    // SAFETY: the caller promises that all elements are written.
    unsafe {
        first.set_len(lengths[0]);
        second.set_len(lengths[1]);
    }
    [first, second]
}

/// `length` elements of scratch memory, whatever they hold.
pub(crate) fn room(scratch: &mut Vec<f32>, length: usize) -> &mut [MaybeUninit<f32>] {
    scratch.clear();
    scratch.reserve(length);
    &mut scratch.spare_capacity_mut()[..length]
}

/// Calls `work` on each chunk of `out` (`chunk` elements, the last one shorter) with its index.
pub(crate) fn for_chunks<T: Send>(
    out: &mut [T],
    chunk: usize,
    work: impl Fn(usize, &mut [T]) + Send + Sync,
) {
    if out.len() <= SMALL {
        out.chunks_mut(chunk).enumerate().for_each(|(index, part)| work(index, part));
    } else {
        out.par_chunks_mut(chunk).enumerate().for_each(|(index, part)| work(index, part));
    }
}

/// [`for_chunks`] over two outputs side by side, each with its own chunk length.
pub(crate) fn for_chunks2<T: Send, U: Send>(
    (first, first_chunk): (&mut [T], usize),
    (second, second_chunk): (&mut [U], usize),
    work: impl Fn(usize, &mut [T], &mut [U]) + Send + Sync,
) {
    if first.len() <= SMALL {
        let parts = first.chunks_mut(first_chunk).zip(second.chunks_mut(second_chunk));
        parts.enumerate().for_each(|(index, (a, b))| work(index, a, b));
    } else {
        let parts = first.par_chunks_mut(first_chunk).zip(second.par_chunks_mut(second_chunk));
        parts.enumerate().for_each(|(index, (a, b))| work(index, a, b));
    }
}

/// A pointer into an output that several threads write at places of their own.
#[derive(Clone, Copy)]
pub(crate) struct Shared(*mut f32);

// SAFETY: every user writes only elements that no other thread reads or writes.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    pub(crate) fn new(out: &mut [MaybeUninit<f32>]) -> Self {
        Self(out.as_mut_ptr().cast())
    }

    /// Of memory that is initialised already.
    pub(crate) fn of(out: &mut [f32]) -> Self {
        Self(out.as_mut_ptr())
    }

    /// `count` elements from `from` on.
    ///
    /// # Safety
    /// They must lie in the output, which must outlive the result, and belong to the caller alone.
    pub(crate) unsafe fn part<'a>(self, from: usize, count: usize) -> &'a mut [MaybeUninit<f32>] {
        // SAFETY: the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.0.wrapping_add(from).cast(), count) }
    }

    /// The element at `offset`.
    pub(crate) fn at(self, offset: usize) -> *mut f32 {
        self.0.wrapping_add(offset)
    }
}
