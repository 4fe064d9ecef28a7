//! Weights in Python's pickle format: recognised, so that they are refused by name. A pickle is a program
//! that runs while it is read, and nothing here runs it.

use std::fs;
use std::path::Path;

/// Endings of files that `torch.save` writes by habit.
const ENDINGS: [&str; 4] = ["bin", "ckpt", "pt", "pth"];

/// Whether bytes are those of a pickle, or of the zip archive that PyTorch puts one in.
pub(crate) fn is_pickle(bytes: &[u8]) -> bool {
    match bytes {
        [b'P', b'K', 3, 4, ..] => true,
        // Its protocol; in a file that begins with a size below 65,536 the next two bytes are zeros.
        [0x80, 2..=5, a, b, ..] => (*a, *b) != (0, 0),
        _ => false,
    }
}

/// The first file of a folder (by name) that is known for holding a pickle of weights.
pub(crate) fn pickle_in(folder: &Path) -> Option<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| ENDINGS.contains(&ending))
        })
        // Tokenizers and settings of a training end like that as well.
        .filter(|name| !name.starts_with("tokenizer") && !name.starts_with("training_args"))
        .collect();
    names.sort();
    names.into_iter().next()
}

/// What to do about a pickle.
pub(crate) const ADVICE: &str = "a pickle runs code while it is read, so none is read here: save the \
                                 weights as `model.safetensors` where they come from \
                                 (`save_pretrained` of `transformers` does)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickles_are_told_from_sizes() {
        // `pickle.dumps({})` of protocols 2 to 5, and torch.save's own.
        for bytes in
            [&b"\x80\x02}q\x00."[..], b"\x80\x04}\x94.", b"\x80\x05}\x94.", b"PK\x03\x04\0\0"]
        {
            assert!(is_pickle(bytes), "{bytes:?}");
        }
        assert!(is_pickle(b"\x80\x02\x8a\x0al\xfc\x9c\x46"));
        // Widths of 640 and 1152 in a file of llama2.c.
        for width in [640_i32, 1152, 288, 64] {
            assert!(!is_pickle(&width.to_le_bytes()), "{width}");
        }
        assert!(!is_pickle(b"GGUF") && !is_pickle(b""));
    }
}
