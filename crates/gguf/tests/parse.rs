//! GGUF files that are whole, cut short, changed, or lie.

use ablate_gguf::{ElementType, Gguf, Value};
use proptest::prelude::*;

/// Writes as the specification says.
#[derive(Default)]
struct File(Vec<u8>);

impl File {
    fn text(&mut self, text: &str) -> &mut Self {
        self.0.extend((text.len() as u64).to_le_bytes());
        self.0.extend(text.as_bytes());
        self
    }

    fn u32(&mut self, number: u32) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn u64(&mut self, number: u64) -> &mut Self {
        self.0.extend(number.to_le_bytes());
        self
    }

    fn start(tensors: u64, values: u64) -> Self {
        let mut file = Self(b"GGUF".to_vec());
        file.u32(3).u64(tensors).u64(values);
        file
    }

    fn tensor(&mut self, name: &str, axes: &[u64], kind: u32, offset: u64) -> &mut Self {
        self.text(name).u32(axes.len() as u32);
        for length in axes {
            self.u64(*length);
        }
        self.u32(kind).u64(offset)
    }

    /// Pads to the next multiple of 32, and adds data.
    fn data(&mut self, data: &[u8]) -> Vec<u8> {
        self.0.resize(self.0.len().next_multiple_of(32), 0);
        self.0.extend(data);
        self.0.clone()
    }
}

fn whole() -> Vec<u8> {
    let mut file = File::start(2, 1);
    file.text("answer").u32(4).u32(42);
    file.tensor("a", &[3, 2], 0, 0).tensor("b", &[32], 8, 32);
    let floats = (0..6).flat_map(|n| (n as f32).to_le_bytes());
    let mut data: Vec<u8> = floats.collect();
    data.resize(32, 0);
    // 0.5 in f16, then -16..16.
    data.extend([0x00, 0x38]);
    data.extend((-16i8..16).map(|n| n as u8));
    file.data(&data)
}

fn error(bytes: Vec<u8>) -> String {
    Gguf::parse(bytes).unwrap_err().to_string()
}

#[test]
fn a_whole_file() {
    let file = Gguf::parse(whole()).unwrap();
    assert_eq!(file.value("answer"), Some(&Value::Integer(42)));
    assert_eq!(file.value("question"), None);
    // Rows last here, first there.
    let (shape, values) = file.tensor("a").unwrap();
    assert_eq!((shape, values), (vec![2, 3], vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    let (_, values) = file.tensor("b").unwrap();
    assert_eq!(values, (-16..16).map(|n| n as f32 * 0.5).collect::<Vec<_>>());
    let kinds: Vec<_> = file.tensors().map(|(name, info)| (name, info.element)).collect();
    assert_eq!(kinds, [("a", ElementType::F32), ("b", ElementType::Q8_0)]);
    assert!(file.tensor("c").is_none());
}

#[test]
fn what_is_wrong_is_said() {
    assert!(error(b"PK\x03\x04".to_vec()).contains("no GGUF file"));
    assert!(error(Vec::new()).contains("no GGUF file"));
    let mut old = whole();
    old[4] = 1;
    assert!(error(old).contains("version 1"));
    let cut = whole();
    assert!(error(cut[..cut.len() - 1].to_vec()).contains("`b` takes 34 bytes"));
    assert!(error(cut[..60].to_vec()).contains("ends at byte 60"));

    let with = |axes: &[u64], kind: u32, offset: u64| {
        let mut file = File::start(1, 0);
        file.tensor("t", axes, kind, offset);
        error(file.data(&[0; 64]))
    };
    assert!(with(&[32], 12, 0).contains("type Q4_K"));
    assert!(with(&[32], 77, 0).contains("type number 77"));
    assert!(with(&[33], 2, 0).contains("no whole blocks of 32"));
    assert!(with(&[], 0, 0).contains("0 axes"));
    assert!(with(&[1; 5], 0, 0).contains("5 axes"));
    assert!(with(&[4, 0], 0, 0).contains("no length"));
    assert!(with(&[1 << 62, 1 << 62], 0, 0).contains("axes"));
    assert!(with(&[1 << 40], 0, 0).contains("takes 4398046511104 bytes"));
    assert!(with(&[4], 0, u64::MAX - 31).contains("instead of 0"));
    assert!(with(&[4], 0, 7).contains("starts at byte 7 of the tensors instead of 0"));
    // Inside of the file and aligned, but another tensor's place.
    let mut over = File::start(2, 0);
    over.tensor("a", &[8], 0, 0).tensor("b", &[8], 0, 0);
    assert!(
        error(over.data(&[0; 64])).contains("`b` starts at byte 0 of the tensors instead of 32")
    );

    let mut twice = File::start(0, 2);
    twice.text("x").u32(4).u32(1).text("x").u32(4).u32(1);
    assert!(error(twice.0).contains("`x` is there twice"));
    let mut crooked = File::start(0, 1);
    crooked.text("general.alignment").u32(4).u32(0);
    assert!(error(crooked.0).contains("power of two"));
    // 2^63 values, tensors, or bytes of a name.
    assert!(error(File::start(0, 1 << 63).0).contains("before the end of"));
    assert!(error(File::start(1 << 63, 0).0).contains("before the end of"));
    let mut long = File::start(0, 1);
    long.u64(1 << 63);
    assert!(error(long.0).contains("the name of value 0"));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = Gguf::read("nowhere.gguf".as_ref()).unwrap_err().to_string();
    assert!(error.contains("nowhere.gguf"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..400), headed: bool) {
        if headed && bytes.len() > 8 {
            bytes[..8].copy_from_slice(b"GGUF\x03\0\0\0");
        }
        let _ = Gguf::parse(bytes);
    }

    #[test]
    fn bytes_that_were_changed(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = whole();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(file) = Gguf::parse(bytes) {
            for (name, info) in file.tensors() {
                let (shape, values) = file.tensor(name).unwrap();
                prop_assert_eq!(&shape, &info.shape);
                prop_assert_eq!(shape.iter().product::<usize>(), values.len());
            }
        }
    }

    #[test]
    fn files_that_were_cut_short(at in any::<prop::sample::Index>()) {
        let bytes = whole();
        prop_assert!(Gguf::parse(bytes[..at.index(bytes.len())].to_vec()).is_err());
    }
}
