//! Turns the tables of one variant into domain types and checks what a schema cannot say.

use serde::de::DeserializeOwned;

use crate::blame::Blame;
use crate::decoder::Decoder;
use crate::reporter::Reporter;
use crate::size::Count;
use crate::tables::{
    BuildTable, CompactTable, CorpusTable, EvalTable, InitTable, LearningRate, ModelTable,
    OriginTable, RateRule, RoundsTable, TokenizerTable, TrainTable, WidthTable,
};
use crate::tree::Table;
use crate::{
    Budget, Build, Compact, Corpus, Eval, Files, Inherit, Init, LearnedMasks, Origin, RandomInit,
    Rounds, Source, Storyworld, Tokenizer, TokenizerFile, Train, TrainBpe, WidthCriterion,
};

/// 256 byte pieces and the end of text.
pub(crate) const SMALLEST_VOCABULARY: u64 = 257;

/// The sections of a variant; `None` where something has been reported.
pub(crate) struct Sections {
    pub(crate) corpus: Option<Corpus>,
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) decoder: Option<Decoder>,
    pub(crate) init: Option<Init>,
    pub(crate) train: Option<Train>,
    pub(crate) rounds: Option<Rounds>,
    pub(crate) eval: Option<Eval>,
}

/// Reads every section of a base whose defaults are filled in.
pub(crate) fn read(filled: &Table, blame: &Blame<'_>, report: &mut Reporter) -> Sections {
    let mut reader = Reader { filled, blame, report };
    let decoder = reader.section::<ModelTable>("model").map(Decoder::new);
    let context = decoder.as_ref().map(|decoder| decoder.context);
    Sections {
        corpus: reader.corpus(),
        tokenizer: reader.tokenizer(),
        init: reader.init(),
        train: reader.train(context),
        rounds: reader.rounds(),
        eval: reader.eval(),
        decoder,
    }
}

/// Reads what models of others are scored on: the text, where it is asked for, and the benchmarks.
pub(crate) fn scored(
    filled: &Table,
    with_corpus: bool,
    blame: &Blame<'_>,
    report: &mut Reporter,
) -> (Option<Corpus>, Option<Eval>) {
    let mut reader = Reader { filled, blame, report };
    (if with_corpus { reader.corpus() } else { None }, reader.eval())
}

struct Reader<'a, 'b> {
    filled: &'a Table,
    blame: &'a Blame<'b>,
    report: &'a mut Reporter,
}

impl Reader<'_, '_> {
    fn section<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let node = self.filled.get(name).filter(|node| !node.is_spoilt())?;
        match serde_json::from_value(node.to_json()?) {
            Ok(table) => Some(table),
            Err(error) => {
                let what = format!("[{name}] cannot be read");
                self.report.error(&node.at, what, error.to_string(), None);
                None
            }
        }
    }

    fn missing<T>(&mut self, path: &str, add: &str) -> Option<T> {
        self.blame.missing(self.report, path, add);
        None
    }

    fn bad(&mut self, paths: &[&str], what: String, why: &str, help: Option<String>) {
        self.blame.error(self.report, paths, what, why, help);
    }

    fn corpus(&mut self) -> Option<Corpus> {
        let table: CorpusTable = self.section("corpus")?;
        let generated =
            |source: &crate::tables::SourceTable| matches!(source.from, OriginTable::Storyworld(_));
        if table.bytes.is_none() && table.sources.iter().any(generated) {
            let add = "bytes = \"6MB\": the generator writes as much text as it is asked for";
            return self.missing("corpus.bytes", add);
        }
        let written = self.blame.written.at("corpus.sources").and_then(|node| node.array());
        let sources = table.sources.into_iter().enumerate().map(|(index, source)| Source {
            weight: source.weight,
            from: match source.from {
                OriginTable::Storyworld(world) => {
                    Origin::Storyworld(Storyworld { seed: world.seed })
                }
                OriginTable::Files(files) => {
                    let source = written.and_then(|sources| sources.get(index)?.table());
                    let nodes = source.and_then(|table| table.at("from.files.paths")?.array());
                    let paths = files.paths.into_iter().enumerate().map(|(index, path)| {
                        self.blame.path(nodes.and_then(|nodes| nodes.get(index)), &path)
                    });
                    Origin::Files(Files {
                        paths: paths.collect(),
                        language: files.language,
                        text_field: files.text_field,
                        split: files.split,
                    })
                }
            },
        });
        Some(Corpus {
            seed: table.seed,
            bytes: table.bytes.map(|bytes| bytes.0),
            validation_bytes: table.validation_bytes.0,
            sources: sources.collect(),
        })
    }

    fn tokenizer(&mut self) -> Option<Tokenizer> {
        let table: TokenizerTable = self.section("tokenizer")?;
        let vocabulary = match table.vocabulary {
            Some(Count(vocabulary)) => self.large_enough("tokenizer.vocabulary", vocabulary),
            None => self.missing("tokenizer.vocabulary", "vocabulary = 8192"),
        };
        let build = match table.build {
            BuildTable::Train(train) => Some(Build::Train(TrainBpe { bytes: train.bytes.0 })),
            BuildTable::Compact(compact) => self.compact(compact, vocabulary).map(Build::Compact),
            BuildTable::File(file) => match file.path {
                Some(path) => {
                    let node = self.blame.written.at("tokenizer.build.file.path");
                    Some(Build::File(TokenizerFile { path: self.blame.path(node, &path) }))
                }
                None => self.missing("tokenizer.build.file.path", "path = \"tokenizer.json\""),
            },
        };
        Some(Tokenizer { vocabulary: vocabulary? as usize, build: build? })
    }

    /// The larger tokenizer of a compaction. How large the user's is only its file says.
    fn compact(&mut self, table: CompactTable, vocabulary: Option<u64>) -> Option<Compact> {
        let path = "tokenizer.build.compact.from";
        if let Some(file) = table.file {
            let node = self.blame.written.at("tokenizer.build.compact.file");
            return Some(Compact::File { file: self.blame.path(node, &file) });
        }
        let from = match table.from {
            Some(Count(from)) => self.large_enough(path, from),
            None => self.missing(
                path,
                "from = 8192, the vocabulary to choose from, or file = \"tokenizer.json\"",
            ),
        };
        if let (Some(from), Some(vocabulary)) = (from, vocabulary)
            && from <= vocabulary
        {
            let what = format!("a vocabulary of {from} cannot be compacted to {vocabulary}");
            let why = format!("`{path}` must be larger than `tokenizer.vocabulary`");
            let help = Some(format!("take from = {} or more, or build.train", vocabulary + 1));
            self.bad(&[path, "tokenizer.vocabulary"], what, &why, help);
        }
        Some(Compact::Trained { from: from? as usize, bytes: table.bytes.0 })
    }

    fn large_enough(&mut self, path: &str, vocabulary: u64) -> Option<u64> {
        if vocabulary >= SMALLEST_VOCABULARY {
            return Some(vocabulary);
        }
        let what = format!("a vocabulary of {vocabulary} is smaller than the byte alphabet");
        let why = format!(
            "256 byte pieces and the end of text need at least {SMALLEST_VOCABULARY} entries"
        );
        self.bad(&[path], what, &why, Some(format!("take {SMALLEST_VOCABULARY} or more")));
        None
    }

    fn init(&mut self) -> Option<Init> {
        match self.section::<InitTable>("init")? {
            InitTable::Random(random) => {
                Some(Init::Random(RandomInit { scheme: random.scheme, std: random.std }))
            }
            InitTable::Inherit(inherit) => {
                let parent = match inherit.parent {
                    Some(parent) => parent,
                    None => {
                        self.missing("init.inherit.parent", "parent = \"NAME\" of [parents.NAME]")?
                    }
                };
                Some(Init::Inherit(Inherit {
                    parent,
                    first: inherit.first as usize,
                    last: inherit.last as usize,
                    layers: inherit.layers,
                    width: match inherit.width {
                        WidthTable::L1 => WidthCriterion::L1,
                        WidthTable::L2 => WidthCriterion::L2,
                        WidthTable::First => WidthCriterion::First,
                        WidthTable::Random => WidthCriterion::Random,
                        WidthTable::Taylor => WidthCriterion::Taylor,
                        WidthTable::Learned(masks) => WidthCriterion::Learned(LearnedMasks {
                            tokens: masks.tokens.0,
                            weights: masks.weights,
                            learning_rate: masks.learning_rate,
                            mask_learning_rate: masks.mask_learning_rate,
                            sparsity_warmup: masks.sparsity_warmup.0,
                        }),
                    },
                    calibration: inherit.calibration.0,
                    grouping: inherit.grouping,
                }))
            }
        }
    }

    fn train(&mut self, context: Option<usize>) -> Option<Train> {
        let table: TrainTable = self.section("train")?;
        let budget = match (table.tokens, table.bytes) {
            (Some(tokens), _) => Some(Budget::Tokens(tokens.0)),
            (None, Some(bytes)) => Some(Budget::Bytes(bytes.0)),
            (None, None) => self.missing("train.tokens", "tokens = \"400k\" or bytes = \"1.5MB\""),
        };
        let batch = match table.batch_tokens {
            Some(batch) => Some(batch.0),
            None => self.missing("train.batch_tokens", "batch_tokens = 4096"),
        };
        let learning_rate = self.learning_rate(table.learning_rate, batch);
        let (budget, batch, learning_rate) = (budget?, batch?, learning_rate?);
        let context = context.unwrap_or(1) as u64;
        let micro = table.micro_tokens.0;
        if !batch.is_multiple_of(context) {
            let what =
                format!("a batch of {batch} tokens does not hold whole windows of {context}");
            let why = "`batch_tokens` must be a multiple of `model.context`";
            let below = batch / context * context;
            let near = if below == 0 {
                context.to_string()
            } else {
                format!("{below} or {}", below + context)
            };
            self.bad(
                &["train.batch_tokens", "model.context"],
                what,
                why,
                Some(format!("take {near}")),
            );
        }
        if micro < context {
            let what =
                format!("a forward pass of {micro} tokens does not hold a window of {context}");
            let why = "`micro_tokens` must be at least `model.context`";
            let help = Some(format!("take {context} or more"));
            self.bad(&["train.micro_tokens", "model.context"], what, why, help);
        }
        if let Budget::Tokens(tokens) = budget
            && tokens < batch
        {
            let what = format!("{tokens} tokens do not fill a batch of {batch}");
            let why = "not even one optimiser step";
            let help = Some(format!("train for {batch} tokens or more, or take smaller batches"));
            self.bad(&["train.tokens", "train.batch_tokens"], what, why, help);
        }
        Some(Train {
            budget,
            batch_tokens: batch,
            micro_tokens: micro.min(batch) / context * context,
            learning_rate,
            final_ratio: table.final_ratio.0,
            warmup: table.warmup.0,
            weight_decay: table.weight_decay,
            beta1: table.beta1,
            beta2: table.beta2,
            epsilon: table.epsilon,
            clip: table.clip,
            validations: table.validations as usize,
            precision: table.precision,
            recompute: table.recompute,
            patience: table.patience,
        })
    }

    /// The peak learning rate at this batch size.
    fn learning_rate(&mut self, written: Option<LearningRate>, batch: Option<u64>) -> Option<f64> {
        let path = "train.learning_rate";
        let RateRule { base, batch: meant, power } = match written {
            None => return self.missing(path, "learning_rate = 1e-3"),
            Some(LearningRate::Number(rate)) => return Some(rate),
            Some(LearningRate::Rule(rule)) => rule,
        };
        let base = match base {
            Some(base) => Some(base),
            None => self.missing("train.learning_rate.base", "base = 1e-3"),
        };
        let meant = match meant {
            Some(Count(meant)) => Some(meant),
            None => self.missing("train.learning_rate.batch", "batch = 4096, where `base` holds"),
        };
        let (base, meant, batch) = (base?, meant?, batch?);
        let rate = RateRule::at(base, meant, power, batch);
        if rate.is_finite() && rate > 0.0 {
            return Some(rate);
        }
        let what = format!("a batch of {batch} tokens makes the learning rate {rate}");
        let why = "the rule leaves the numbers that there are";
        let help = Some("take a `power` nearer to 0, or a `batch` nearer to the batches".into());
        self.bad(&["train.learning_rate.power", "train.batch_tokens"], what, why, help);
        None
    }

    fn rounds(&mut self) -> Option<Rounds> {
        let table: RoundsTable = self.section("rounds")?;
        Rounds::read(&table, self.blame, self.report)
    }

    fn eval(&mut self) -> Option<Eval> {
        let table: EvalTable = self.section("eval")?;
        let nodes = self.blame.written.at("eval.files").and_then(|node| node.array());
        let files =
            table.files.iter().enumerate().map(|(index, path)| {
                self.blame.path(nodes.and_then(|nodes| nodes.get(index)), path)
            });
        let mut skip_layers: Vec<usize> =
            table.skip_layers.iter().map(|count| *count as usize).collect();
        skip_layers.sort_unstable();
        skip_layers.dedup();
        Some(Eval {
            files: files.collect(),
            benchmarks: table.benchmarks,
            items: table.items as usize,
            scoring: table.scoring,
            max_new_tokens: table.max_new_tokens as usize,
            skip_layers,
            parts: table.parts.map(|parts| parts as usize),
            points: table.points as usize,
        })
    }
}
