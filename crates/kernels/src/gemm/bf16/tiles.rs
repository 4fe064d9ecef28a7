//! AMX: eight tile registers of 1 KiB, and one instruction for 16 x 16 x 32 multiply-adds.
//!
//! Written in assembly: the compiler's own names for these instructions are not stable yet.

use std::arch::asm;
use std::marker::PhantomData;
use std::sync::OnceLock;

use super::product::BLOCK;
use super::vectors::Sums;

/// Whether this process may use tiles for bf16. The kernel is asked for the permission once: the
/// registers enlarge every thread's saved state.
pub(super) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| has_instructions() && permitted())
}

/// CPUID leaf 7: EDX bit 22 is AMX-BF16, bit 24 AMX-TILE (Intel SDM volume 2, CPUID).
fn has_instructions() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    __cpuid(0).eax >= 7 && {
        let features = __cpuid_count(7, 0).edx;
        features & (1 << 22) != 0 && features & (1 << 24) != 0
    }
}

/// Linux hands tile registers out on request (Documentation/arch/x86/xstate.rst).
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const REQUEST: libc::c_ulong = 0x1023;
    const TILE_DATA: libc::c_ulong = 18;
    // SAFETY: the call changes nothing but this process's permission.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// The layout of LDTILECFG's operand (Intel SDM volume 1, "Programming with AMX").
#[repr(C, align(64))]
struct Layout {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

static LAYOUT: Layout = {
    let (mut bytes_per_row, mut rows) = ([0; 16], [0; 16]);
    let mut tile = 0;
    while tile < 8 {
        bytes_per_row[tile] = 64;
        rows[tile] = 16;
        tile += 1;
    }
    Layout { palette: 1, start_row: 0, reserved: [0; 14], bytes_per_row, rows }
};

/// The calling thread's tile registers, set up; released when dropped.
pub(super) struct Configured(PhantomData<*const ()>);

impl Configured {
    /// # Safety
    /// Tiles must be [`available`].
    pub(super) unsafe fn new() -> Self {
        // SAFETY: the caller's promise.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUT, options(nostack, readonly)) };
        Self(PhantomData)
    }

    /// A block of results: `count` pairs of tiles along the inner dimension, from `a` for its rows
    /// and `b` for its columns.
    ///
    /// # Safety
    /// So many tiles must be readable from each pointer on.
    pub(super) unsafe fn block(
        &self,
        count: usize,
        a: [*const u32; 2],
        b: [*const u32; 2],
        sums: &mut Sums,
    ) {
        // SAFETY: the caller's promise; `self` shows that the registers are set up.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                "tileloadd tmm6, [{b0} + 1*{row}]",
                "tileloadd tmm4, [{a0} + 1*{row}]",
                "tileloadd tmm7, [{b1} + 1*{row}]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm5, [{a1} + 1*{row}]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {a0}, 1024",
                "add {a1}, 1024",
                "add {b0}, 1024",
                "add {b1}, 1024",
                "dec {count}",
                "jnz 2b",
                "tilestored [{out} + 1*{wide}], tmm0",
                "tilestored [{out} + 1*{wide} + 64], tmm1",
                "tilestored [{half} + 1*{wide}], tmm2",
                "tilestored [{half} + 1*{wide} + 64], tmm3",
                a0 = inout(reg) a[0] => _,
                a1 = inout(reg) a[1] => _,
                b0 = inout(reg) b[0] => _,
                b1 = inout(reg) b[1] => _,
                count = inout(reg) count => _,
                row = in(reg) 64usize,
                wide = in(reg) BLOCK * 4,
                out = in(reg) sums.0.as_mut_ptr(),
                half = in(reg) sums.0.as_mut_ptr().add(BLOCK * BLOCK / 2),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: the registers were set up by this thread: the type is not sent.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}
