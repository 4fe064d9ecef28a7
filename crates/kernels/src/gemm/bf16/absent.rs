//! A processor without instructions for bf16: [`best`] says so, and nothing else is called.

use super::super::pack::Strided;
use super::super::tile::{Mode, Target};
use super::super::unit::Unit;

pub(crate) fn best() -> Option<Unit> {
    None
}

pub(crate) unsafe fn pack_left(_: Strided, _: [usize; 2], _: *mut u32) {
    unreachable!("no unit for bf16");
}

pub(crate) unsafe fn pack_right(_: Strided, _: [usize; 2], _: *mut u32) {
    unreachable!("no unit for bf16");
}

pub(crate) unsafe fn multiply(
    _: Unit,
    _: [usize; 3],
    _: *const u32,
    _: (*const u32, usize),
    _: (Target, f32, Mode),
) {
    unreachable!("no unit for bf16");
}
