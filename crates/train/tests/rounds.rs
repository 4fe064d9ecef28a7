//! Scoring batches with a frozen model.

mod small;

use ablate_corpus::{Shard, ShardWriter, order};
use ablate_model::{Backend, Decoder, Scheme, device, random_weights, training_device};
use ablate_train::TrainConfig;
use ablate_train::rounds::{DrawRule, Ledger, batch_losses, next_order};
use burn::tensor::{Int, Tensor, TensorData};

#[test]
fn batch_losses_are_means_over_the_batch() {
    let mut model = small::model();
    model.shape.kv_heads = 2;
    model.shape.tied = false;
    let config =
        TrainConfig { steps: 1, micro_sequences: 3, validation_windows: 1, ..small::config() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shard");
    let text: Vec<u32> = (0..200).map(|i| (i * i + i / 5) % 24).collect();
    let mut writer = ShardWriter::create(&path, 24).unwrap();
    writer.push(&text, 0).unwrap();
    writer.finish().unwrap();
    let shard = Shard::open(&path).unwrap();
    let order = order(33, 40, 3);

    let weights = random_weights(&model, Scheme::Constant, 0.3, 1);
    let decoder = Decoder::from_weights(&model, &weights, &device(Backend::Flex)).unwrap();
    let mut heard = Vec::new();
    let mut progress = |done, all| heard.push((done, all));
    let losses = batch_losses(&decoder, &shard, &order, &config, &mut progress).unwrap();
    assert_eq!(losses.len(), 10);
    assert_eq!(heard, (1..=10).map(|done| (done, 10)).collect::<Vec<_>>());

    // The same from the losses of single tokens, one window at a time.
    for (batch, loss) in order.chunks(4).zip(&losses) {
        let mut sum = 0.0;
        for window in batch {
            let tokens = &text[*window as usize * 6..][..7];
            let ids = |ids: &[u32]| {
                let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
                Tensor::<2, Int>::from_data(TensorData::new(ids, [1, 6]), &device(Backend::Flex))
            };
            let losses = decoder.token_losses(ids(&tokens[..6]), ids(&tokens[1..]));
            sum += losses.into_data().iter::<f64>().sum::<f64>();
        }
        assert!((sum / 24.0 - f64::from(*loss)).abs() < 1e-5);
    }
    // A model on a training device gives the same numbers.
    let training = training_device(Backend::Flex);
    let trainable = Decoder::from_weights(&model, &weights, &training).unwrap();
    assert_eq!(losses, batch_losses(&trainable, &shard, &order, &config, &mut |_, _| ()).unwrap());

    let ledger =
        Ledger::new(2, DrawRule::of_all(0.5), losses, config.batch_tokens(), 7, None).unwrap();
    let next = next_order(&order, &ledger.kept, 4).unwrap();
    assert_eq!(next.len(), 20);
    assert_eq!(ledger.tokens, 240);
    let first = ledger.kept[0] as usize;
    assert_eq!(next[..4], order[first * 4..first * 4 + 4]);

    let check = |order: &[u32], config: &TrainConfig, expect: &str| {
        let error = batch_losses(&decoder, &shard, order, config, &mut |_, _| ()).unwrap_err();
        assert!(error.to_string().contains(expect), "{error}");
    };
    check(&order[1..], &config, "39 windows, which is no whole number of batches of 4");
    check(&[0, 1, 2, 33], &config, "window 33 at position 3");
    check(&order, &TrainConfig { context: 7, ..config.clone() }, "`context` is 7");
}
