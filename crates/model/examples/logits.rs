//! Logits of a model of another maker, for comparisons with its own programs:
//!
//! ```text
//! cargo run --release -p ablate-model --example logits -- MODEL OUT < ids.json
//! ```
//!
//! MODEL is a folder of Hugging Face, a `.gguf` file or a `.bin` of llama2.c; `ids.json` a list of lists
//! of token ids. OUT is a safetensors file with `0`, `1`, ... of `[tokens, vocabulary]`.

use std::error::Error;
use std::path::PathBuf;

use ablate_gguf::Gguf;
use ablate_model::{
    Backend, Decoder, Foreign, HostTensor, Weights, device, read_gguf, read_hugging_face,
    read_llama2c,
};
use burn::tensor::{Tensor, TensorData};

fn main() -> Result<(), Box<dyn Error>> {
    ablate_kernels::tune_allocator();
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [path, out] = paths.as_slice() else { return Err("needs MODEL and OUT".into()) };
    let model = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gguf") => read_gguf(path, &Gguf::read(path)?)?,
        Some("bin") => {
            let (config, weights) = read_llama2c(path)?;
            Foreign { config, weights, notes: Vec::new() }
        }
        _ => read_hugging_face(path)?,
    };
    let device = device(Backend::Flex);
    let decoder = Decoder::from_weights(&model.config, &model.weights, &device)?;
    let texts: Vec<Vec<i64>> = serde_json::from_reader(std::io::stdin().lock())?;
    let mut all = Weights::new();
    for (index, ids) in texts.into_iter().enumerate() {
        let time = ids.len();
        let logits = decoder.logits(Tensor::from_data(TensorData::new(ids, [1, time]), &device));
        let values: Vec<f32> = logits.into_data().try_into_vec()?;
        let shape = vec![time, model.config.shape.vocabulary];
        all.insert(index.to_string(), HostTensor { shape, values });
    }
    all.save(out)?;
    Ok(())
}
