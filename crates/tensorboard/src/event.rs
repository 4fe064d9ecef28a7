//! Events as protocol buffers (`tensorboard/compat/proto/event.proto`, `summary.proto`).

/// Wire types of protocol buffers.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Status of a session that begins.
const START: u64 = 1;

/// What stands in a record. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event<'a> {
    /// The first of every file: which format it has.
    Version {
        /// When.
        time: f64,
    },
    /// A session begins: scalars of this step and later ones that were read before are void.
    Restart {
        /// When.
        time: f64,
        /// The first step that will be written.
        step: u64,
    },
    /// Scalars of a step, by tag. Tags with the same first part, up to `/`, are shown together.
    Scalars {
        /// When.
        time: f64,
        /// Of which step.
        step: u64,
        /// TensorBoard keeps single precision.
        values: &'a [(&'a str, f64)],
    },
}

impl Event<'_> {
    /// The event as a protocol buffer.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match *self {
            Self::Version { time } => {
                head(&mut out, time, 0);
                bytes(&mut out, 3, b"brain.Event:2");
            }
            Self::Restart { time, step } => {
                head(&mut out, time, step);
                let mut session = Vec::new();
                key(&mut session, 1, VARINT);
                varint(&mut session, START);
                bytes(&mut out, 7, &session);
            }
            Self::Scalars { time, step, values } => {
                head(&mut out, time, step);
                let mut summary = Vec::new();
                for (tag, value) in values {
                    let mut scalar = Vec::new();
                    bytes(&mut scalar, 1, tag.as_bytes());
                    key(&mut scalar, 2, FIXED32);
                    scalar.extend((*value as f32).to_le_bytes());
                    bytes(&mut summary, 1, &scalar);
                }
                bytes(&mut out, 5, &summary);
            }
        }
        out
    }
}

/// Time and step of an event. A field that is zero is left out.
fn head(out: &mut Vec<u8>, time: f64, step: u64) {
    if time != 0.0 {
        key(out, 1, FIXED64);
        out.extend(time.to_le_bytes());
    }
    if step != 0 {
        key(out, 2, VARINT);
        varint(out, step);
    }
}

fn key(out: &mut Vec<u8>, field: u64, wire: u64) {
    varint(out, field << 3 | wire);
}

fn bytes(out: &mut Vec<u8>, field: u64, data: &[u8]) {
    key(out, field, BYTES);
    varint(out, data.len() as u64);
    out.extend(data);
}

/// Seven bits a byte, the lowest first; all bytes but the last have the highest bit set.
fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
