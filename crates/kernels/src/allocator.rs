//! The system's allocator, set for a program that trains.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tells glibc to keep freed memory instead of giving it back to the kernel. Call it first thing in
/// `main`, before the first large allocation.
///
/// Every tensor operation allocates its result anew. By default glibc maps anything over a few
/// hundred kilobytes from the kernel and unmaps it when freed, so that each operation pays for
/// zeroed pages again; keeping the pages made whole training steps 12 to 25% faster. The price is
/// that the process stays as large as its peak. Does nothing where the C library is not glibc.
pub fn tune_allocator() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        const MIB: libc::c_int = 1 << 20;
        // SAFETY: mallopt only changes parameters of the allocator; it may be called at any time.
        unsafe {
            // Some versions of glibc refuse a threshold above half a heap (32 MiB).
            if libc::mallopt(libc::M_MMAP_THRESHOLD, 1024 * MIB) == 0 {
                libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * MIB);
            }
            libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
            libc::mallopt(libc::M_TOP_PAD, 64 * MIB);
        }
    }
}

/// The system's allocator, for a program whose memory is matrices.
///
/// - Pieces of some size begin with a line of the cache. Elsewhere every other vector of a row reaches
///   over two lines, which costs products whose operands are read as they lie some 5%.
/// - Behind large ones the kernel is asked for huge pages: a processor remembers where a few thousand
///   pages lie, so small ones cost a training some 3% of its time. Linux gives huge ones to whoever asks
///   (`madvise`, the usual setting) and ignores it where they are switched off.
#[derive(Debug)]
pub struct Matrices;

/// A line of the cache.
const LINE: usize = 64;
/// Pieces from which they begin with a line: a line more is little then.
const ALIGNED: usize = 4 << 10;
/// What the system's allocator aligns everything to.
const SYSTEM: usize = 16;
/// Pieces from which huge pages are asked for: smaller ones mostly lie between such.
const LARGE: usize = 64 << 10;
/// A huge page, and what it is aligned to.
const PAGE: usize = 2 << 20;
/// Places for the pages that were asked for: freed memory is kept, and comes back again and again.
const ASKED: usize = 1 << 12;
/// Pieces that the allocator maps from the kernel, in places that nothing is known of.
const MAPPED: usize = 32 << 20;

static ASKED_FOR: [AtomicUsize; ASKED] = [const { AtomicUsize::new(0) }; ASKED];

// SAFETY: all memory is the system allocator's; what begins with a line has a larger piece of it to
// itself, and before its start how far it is into that.
unsafe impl GlobalAlloc for Matrices {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, here and below.
        unsafe { self.piece(layout, |layout| System.alloc(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { self.piece(layout, |layout| System.alloc_zeroed(layout)) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(size, layout.align()) else {
            return std::ptr::null_mut();
        };
        unsafe {
            match (whole(layout), whole(new)) {
                (Some(before), Some(after)) => {
                    let into = offset(old);
                    let start = System.realloc(old.sub(into), before, after.size());
                    if start.is_null() {
                        return start;
                    }
                    let moved = aligned(start);
                    // Content moves with the piece, which need not begin as far before a line.
                    if start.add(into) != moved {
                        std::ptr::copy(start.add(into), moved, layout.size().min(size));
                    }
                    set_offset(moved, start);
                    ask(start, after.size());
                    moved
                }
                (None, None) => System.realloc(old, layout, size),
                _ => {
                    let start = self.alloc(new);
                    if !start.is_null() {
                        std::ptr::copy_nonoverlapping(old, start, layout.size().min(size));
                        self.dealloc(old, layout);
                    }
                    start
                }
            }
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        unsafe {
            match whole(layout) {
                Some(whole) => System.dealloc(start.sub(offset(start)), whole),
                None => System.dealloc(start, layout),
            }
        }
    }
}

impl Matrices {
    /// A piece of what `from` gives.
    #[inline]
    unsafe fn piece(&self, layout: Layout, from: impl Fn(Layout) -> *mut u8) -> *mut u8 {
        let Some(whole) = whole(layout) else { return from(layout) };
        let start = from(whole);
        if start.is_null() {
            return start;
        }
        let piece = aligned(start);
        // SAFETY: it lies in what was given, at least `SYSTEM` bytes after its start.
        unsafe { set_offset(piece, start) };
        ask(start, whole.size());
        piece
    }
}

/// The piece of the system's allocator that holds one that begins with a line; nothing where the
/// system's own will do.
#[inline]
fn whole(layout: Layout) -> Option<Layout> {
    if layout.size() < ALIGNED || layout.align() > LINE {
        return None;
    }
    Layout::from_size_align(layout.size() + LINE, SYSTEM).ok()
}

/// The last start of a line that leaves room for the piece, and for its offset before it.
#[inline]
fn aligned(start: *mut u8) -> *mut u8 {
    start.wrapping_add(LINE - start as usize % LINE)
}

/// How far a piece that begins with a line is into that of the system's allocator.
#[inline]
unsafe fn offset(piece: *mut u8) -> usize {
    // SAFETY: it was written when the piece was made.
    unsafe { piece.cast::<usize>().sub(1).read() }
}

#[inline]
unsafe fn set_offset(piece: *mut u8, start: *mut u8) {
    // SAFETY: at least `SYSTEM` bytes lie before the piece.
    unsafe { piece.cast::<usize>().sub(1).write(piece as usize - start as usize) };
}

/// Asks for huge pages wherever the piece reaches, unless that was done before.
#[inline]
fn ask(start: *mut u8, size: usize) {
    if cfg!(target_os = "linux") && size >= LARGE && !start.is_null() {
        ask_anew(start as usize, size);
    }
}

#[inline(never)]
fn ask_anew(start: usize, size: usize) {
    let pages = start / PAGE..(start + size).div_ceil(PAGE);
    let new = |page: &usize| ASKED_FOR[page % ASKED].swap(*page, Ordering::Relaxed) != *page;
    if pages.clone().filter(new).count() == 0 && size < MAPPED {
        return;
    }
    #[cfg(target_os = "linux")]
    // SAFETY: this is advice: no content changes, and parts that are not mapped are left out.
    unsafe {
        libc::madvise((pages.start * PAGE) as *mut _, pages.len() * PAGE, libc::MADV_HUGEPAGE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use super::*;

    /// Nothing was asked for yet, and nobody else asks meanwhile: the kernel gives out addresses again.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        ASKED_FOR.iter().for_each(|page| page.store(0, Ordering::Relaxed));
        alone
    }

    /// The flags of the mapping that holds an address.
    #[cfg(target_os = "linux")]
    fn flags(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut here = false;
        for line in maps.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            if let Some((from, to)) = range
                && let (Ok(from), Ok(to)) =
                    (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16))
            {
                here = (from..to).contains(&address);
            }
            if here && let Some(flags) = line.strip_prefix("VmFlags: ") {
                return flags.to_owned();
            }
        }
        panic!("no mapping holds {address:x}")
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn large_pieces_are_asked_for_in_all_their_length() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return;
        }
        let _alone = alone();
        // What an allocator maps anew may lie where another piece lay: the second time as well.
        for size in [5 * PAGE + LARGE, 2 * MAPPED, 2 * MAPPED] {
            let (access, kind) =
                (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
            // SAFETY: a mapping of its own, which nothing else knows of.
            unsafe {
                let start = libc::mmap(std::ptr::null_mut(), size, access, kind, -1, 0);
                assert_ne!(start, libc::MAP_FAILED);
                ask(start.cast(), size);
                for at in [0, size / 2, size - 1] {
                    let flags = flags(start as usize + at);
                    assert!(flags.split(' ').any(|flag| flag == "hg"), "{size}: {flags}");
                }
                assert_eq!(libc::munmap(start, size), 0);
            }
        }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 4).unwrap()
    }

    /// Bytes that differ from those of other pieces and places.
    fn bytes(size: usize) -> impl Iterator<Item = u8> {
        (0..size).map(move |at| (at * 7 + size) as u8)
    }

    #[test]
    fn pieces_keep_what_they_hold_and_begin_with_a_line() {
        let _alone = alone();
        let sizes = [1, 40, ALIGNED - 1, ALIGNED, 3 * ALIGNED + 5, LARGE, 5 * PAGE];
        for (from, to) in sizes.iter().flat_map(|from| sizes.map(|to| (*from, to))) {
            // SAFETY: no size is 0; what is read and written lies within the pieces.
            unsafe {
                // Others beside it, so that pieces do not all begin alike and some have to move.
                let beside = [8, 100, 3 * ALIGNED].map(|size| Matrices.alloc(layout(size)));
                let start = Matrices.alloc(layout(from));
                let between = Matrices.alloc_zeroed(layout(2 * ALIGNED));
                bytes(from).enumerate().for_each(|(at, byte)| start.add(at).write(byte));
                let moved = Matrices.realloc(start, layout(from), to);
                for (start, size) in [(moved, to), (between, 2 * ALIGNED)] {
                    assert!(size < ALIGNED || start.addr().is_multiple_of(LINE), "{from} {to}");
                }
                let kept = from.min(to);
                let here = std::slice::from_raw_parts(moved, kept);
                assert!(here.iter().copied().eq(bytes(from).take(kept)), "{from} to {to}");
                let zeros = std::slice::from_raw_parts(between, 2 * ALIGNED);
                assert!(zeros.iter().all(|byte| *byte == 0));
                Matrices.dealloc(moved, layout(to));
                Matrices.dealloc(between, layout(2 * ALIGNED));
                for (start, size) in beside.into_iter().zip([8, 100, 3 * ALIGNED]) {
                    Matrices.dealloc(start, layout(size));
                }
            }
        }
    }

    #[test]
    fn stricter_alignments_are_the_systems() {
        let layout = Layout::from_size_align(3 * ALIGNED, 4096).unwrap();
        // SAFETY: the size is not 0.
        unsafe {
            let start = Matrices.alloc(layout);
            assert!(start.addr().is_multiple_of(4096));
            let start = Matrices.realloc(start, layout, 9 * ALIGNED);
            assert!(start.addr().is_multiple_of(4096));
            Matrices.dealloc(start, Layout::from_size_align(9 * ALIGNED, 4096).unwrap());
        }
    }
}
