//! A real trained model, stories260K of llama2.c, where it lies in `../shared` beside the checkout:
//! it writes what llama2.c writes, and the curves without its layers are those of the paper's Figure
//! 5 in small.

use std::path::{Path, PathBuf};

use ablate_eval::{Benchmark, EvalOptions, Item, LayerSkips, Scoring, layer_skips};
use ablate_model::{Backend, Decoder, GenerateOptions, device, generate, read_llama2c};
use ablate_tokenizer::Tokenizer;

/// The folder of the model; `None`, which is said, where it is not there.
fn models() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/models");
    let there = folder.join("stories260K.bin").exists();
    if !there {
        #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
        {
            eprintln!("left out: there is no {}", folder.display());
        }
    }
    there.then_some(folder)
}

/// What llama2.c writes without sampling (`./run stories260K.bin -z tok512.bin -t 0.0 -n 200`),
/// as its own tests have it.
const STORY: &str = "Once upon a time, there was a little girl named Lily. She loved to play outside \
                     in the park. One day, she saw a big, red ball. She wanted to play with it, but \
                     it was too high.";

#[test]
fn it_writes_what_llama2c_writes() {
    let Some(folder) = models() else { return };
    let (config, weights) = read_llama2c(&folder.join("stories260K.bin")).unwrap();
    let tokenizer = Tokenizer::from_llama2c(&folder.join("tok512.bin")).unwrap();
    let model = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
    let options = GenerateOptions { max_new_tokens: 90, stop: vec![1, 2] };
    let text = tokenizer.decode(&generate(&model, &[1], &options));
    assert!(text.trim_start().starts_with(STORY), "{text}");
}

/// Sentences of the kind that the model knows, with an end that fits and three that do not.
fn questions() -> Vec<Benchmark> {
    let ends = [
        ("Once upon a time, there was a little girl named", [" Lily.", " ball.", " was.", " the."]),
        ("Lily loved to play outside in the", [" park.", " said.", " and.", " Lily."]),
        (
            "Tom saw a big, red ball. He wanted to play with the",
            [" ball.", " Once.", " was.", " he."],
        ),
        (
            "The sun was hot. They were happy and had a lot of",
            [" fun.", " she.", " upon.", " big."],
        ),
        ("Her mom said, \"Do not be sad.\" Lily was very", [" happy.", " mom.", " to.", " tree."]),
        ("One day, the dog went to the park with his", [" friend.", " went.", " day.", " very."]),
        ("The bird could fly high in the", [" sky.", " fly.", " could.", " him."]),
        ("He said, \"Thank you for helping", [" me.\"", " was.\"", " day.\"", " the.\""]),
    ];
    let item = |(id, (context, options)): (usize, (&str, [&str; 4]))| Item {
        id: format!("end-{id}"),
        benchmark: "ends".into(),
        language: "en".into(),
        context: context.into(),
        options: options.map(str::to_owned).to_vec(),
        key: Some(0),
        ..Item::default()
    };
    Benchmark::group(ends.into_iter().enumerate().map(item).collect())
}

#[test]
fn its_first_layer_matters_most() {
    let Some(folder) = models() else { return };
    let (config, weights) = read_llama2c(&folder.join("stories260K.bin")).unwrap();
    let tokenizer = Tokenizer::from_llama2c(&folder.join("tok512.bin")).unwrap();
    let model = Decoder::from_weights(&config, &weights, &device(Backend::Flex)).unwrap();
    let run = || -> LayerSkips {
        let options =
            EvalOptions { batch_tokens: 256, max_new_tokens: 1, scoring: Scoring::Continuation };
        layer_skips(&model, &config, &tokenizer, &questions(), &[1, 2, 3], &options, &mut |_, _| ())
            .unwrap()
    };
    let skips = run();
    assert_eq!(skips, run(), "the same curves again");
    // How much the score falls without each layer, and how much each changes the residual stream.
    let losses = skips.losses();
    assert_eq!(losses.len(), 5);
    assert!(losses.iter().chain(&skips.influence).all(|value| value.is_finite()));
    let largest = |values: &[f64]| {
        (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap()
    };
    assert_eq!(largest(&losses), 0, "{losses:?}");
    assert_eq!(largest(&skips.influence), 0, "{:?}", skips.influence);
}
