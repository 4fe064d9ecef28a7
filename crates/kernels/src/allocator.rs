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

/// The system's allocator, which asks the kernel for huge pages behind large pieces of memory.
///
/// A processor remembers where a few thousand pages lie, so small ones cost a training some 3% of its
/// time. Linux gives huge ones to whoever asks (`madvise`, the usual setting) and ignores it where they
/// are switched off. Elsewhere this is the system's allocator.
#[derive(Debug)]
pub struct HugePages;

/// Pieces from which huge pages are asked for: smaller ones mostly lie between such.
const LARGE: usize = 64 << 10;
/// A huge page, and what it is aligned to.
const PAGE: usize = 2 << 20;
/// Places for the pages that were asked for: freed memory is kept, and comes back again and again.
const ASKED: usize = 1 << 12;
/// Pieces that the allocator maps from the kernel, in places that nothing is known of.
const MAPPED: usize = 32 << 20;

static ASKED_FOR: [AtomicUsize; ASKED] = [const { AtomicUsize::new(0) }; ASKED];

// SAFETY: all memory is the system allocator's.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise, here and below.
        let start = unsafe { System.alloc(layout) };
        ask(start, layout.size());
        start
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let start = unsafe { System.alloc_zeroed(layout) };
        ask(start, layout.size());
        start
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = unsafe { System.realloc(old, layout, size) };
        ask(start, size);
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        unsafe { System.dealloc(start, layout) };
    }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// The flags of the mapping that holds an address.
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

    #[test]
    fn large_pieces_are_asked_for_in_all_their_length() {
        if !std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() {
            return;
        }
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

    #[test]
    fn pieces_keep_what_they_hold() {
        for size in [LARGE / 2, 3 * LARGE, 5 * PAGE] {
            let layout = Layout::from_size_align(size, 16).unwrap();
            // SAFETY: the size is not 0; what is read and written lies within it.
            unsafe {
                let start = HugePages.alloc_zeroed(layout);
                assert_eq!((start.read(), start.add(size - 1).read()), (0, 0));
                start.add(size - 1).write(7);
                let start = HugePages.realloc(start, layout, 2 * size);
                assert_eq!(start.add(size - 1).read(), 7);
                HugePages.dealloc(start, Layout::from_size_align(2 * size, 16).unwrap());
                let start = HugePages.alloc(layout);
                start.write(7);
                HugePages.dealloc(start, layout);
            }
        }
    }
}
