//! States on disk.
//!
//! ```text
//! <folder>/
//!   step-000500/
//!     state.safetensors   weights.<name>, first.<name>, second.<name>: every tensor of the state
//!     state.json          its numbers, the run that it belongs to, checksums
//!   .step-000600.tmp/     one that a kill cut short; removed by the next save
//! ```
//!
//! A checkpoint is written under a temporary name, synced and renamed, and only then are older ones
//! removed, all but one: should the newest turn out to be damaged, the run goes on from the one
//! before. Finished runs keep theirs; whoever owns the folder removes it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ablate_model::{ModelConfig, Weights};
use serde::{Deserialize, Serialize};

use crate::{State, TrainConfig, TrainError, Watch};

const FORMAT: u32 = 1;
const TENSORS: &str = "state.safetensors";
const NUMBERS: &str = "state.json";

/// Where a run keeps its checkpoints, and the identity that guards them.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    fingerprint: String,
}

/// What a checkpoint belongs to. A run goes on only from a checkpoint that agrees in all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recipe {
    /// The caller's own words.
    pub(crate) fingerprint: String,
    pub(crate) train: TrainConfig,
    pub(crate) model: ModelConfig,
    /// Tokens, documents, bytes and vocabulary of the shard.
    pub(crate) shard: [u64; 4],
    /// blake3 of the windows that the run visits, in order.
    pub(crate) order: String,
    /// blake3 of the weights at the start, and of the moments where there were any.
    pub(crate) initial: String,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    step: u64,
    tokens: u64,
    bytes: u64,
    loss: Option<f64>,
    #[serde(default, skip_serializing_if = "Watch::is_new")]
    watch: Watch,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gates: Vec<f64>,
    recipe: Recipe,
    /// How many values the tensors have together.
    values: u64,
    /// blake3 of the tensors' names, shapes and values.
    tensors: String,
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    header: Header,
    /// blake3 of the header as compact JSON.
    checksum: String,
}

impl Checkpoints {
    /// Checkpoints in `folder`, which is made when the first is written. `fingerprint` says in the
    /// caller's words what the run is (say, the key of its recipe): together with the settings,
    /// the model's configuration, the order and the initial weights it decides whether a checkpoint
    /// found there is this run's own.
    pub fn new(folder: impl Into<PathBuf>, fingerprint: impl Into<String>) -> Self {
        Self { folder: folder.into(), fingerprint: fingerprint.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Writes a state. Returns once it is durable and all but the one before it are gone.
    pub(crate) fn save(&self, state: State, recipe: &Recipe) -> Result<(), TrainError> {
        let step = state.step;
        let temporary = self.folder.join(format!(".step-{step:06}.tmp"));
        let place = self.folder.join(format!("step-{step:06}"));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TrainError::Checkpoint { path, source }
        };
        fs::create_dir_all(&self.folder).map_err(failed(&self.folder))?;
        self.remove_unfinished().map_err(failed(&self.folder))?;
        fs::create_dir(&temporary).map_err(failed(&temporary))?;

        let mut header = Header {
            format: FORMAT,
            step,
            tokens: state.tokens,
            bytes: state.bytes,
            loss: state.loss,
            watch: state.watch,
            gates: state.gates.clone(),
            recipe: recipe.clone(),
            values: 0,
            tensors: String::new(),
        };
        let tensors = pack(state);
        header.values = tensors.values();
        header.tensors = tensors.checksum();
        tensors.save(&temporary.join(TENSORS))?;
        write_numbers(&temporary.join(NUMBERS), header).map_err(failed(&temporary))?;
        sync(&temporary).map_err(failed(&temporary))?;

        if place.exists() {
            // Only a damaged one can be there: a whole one would have been gone on from.
            fs::remove_dir_all(&place).map_err(failed(&place))?;
        }
        fs::rename(&temporary, &place).map_err(failed(&place))?;
        sync(&self.folder).map_err(failed(&self.folder))?;
        self.remove_all_but(step).map_err(failed(&self.folder))
    }

    /// The newest whole state of this run, if there is any.
    ///
    /// # Errors
    /// If the newest whole one belongs to another run, if there are some but all are damaged, or if
    /// the system refuses.
    pub(crate) fn latest(&self, recipe: &Recipe) -> Result<Option<State>, TrainError> {
        let mut damaged = None;
        let steps = self
            .steps()
            .map_err(|source| TrainError::Checkpoint { path: self.folder.clone(), source })?;
        for (_, path) in steps.into_iter().rev() {
            match load(&path, recipe) {
                Ok(state) => return Ok(Some(state)),
                Err(error @ TrainError::DamagedCheckpoint { .. }) => {
                    damaged.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        damaged.map_or(Ok(None), Err)
    }

    /// Finished checkpoints, oldest first.
    fn steps(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut steps = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let digits = name.to_str().and_then(|name| name.strip_prefix("step-"));
            if let Some(step) = digits.and_then(|digits| digits.parse().ok()) {
                steps.push((step, entry.path()));
            }
        }
        steps.sort();
        Ok(steps)
    }

    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(".step-") && name.ends_with(".tmp") {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Keeps this step's and the one before it. Later ones were damaged, or the run would have gone
    /// on from them.
    fn remove_all_but(&self, step: u64) -> io::Result<()> {
        let steps = self.steps()?;
        let before = steps.iter().map(|(other, _)| *other).filter(|other| *other < step).max();
        for (other, path) in steps {
            if other != step && Some(other) != before {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }
}

impl Recipe {
    /// Names of the parts in which two recipes differ.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("the caller's fingerprint", self.fingerprint == other.fingerprint),
            ("training settings", self.train == other.train),
            ("model configuration", self.model == other.model),
            ("training text", self.shard == other.shard),
            ("order of the windows", self.order == other.order),
            ("initial weights", self.initial == other.initial),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }
}

const PARTS: [&str; 3] = ["weights.", "first.", "second."];

/// All tensors of a state in one set.
fn pack(state: State) -> Weights {
    let mut packed = Weights::new();
    for (prefix, mut part) in PARTS.into_iter().zip([state.weights, state.first, state.second]) {
        let names: Vec<String> = part.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            if let Some(tensor) = part.remove(&name) {
                packed.insert(format!("{prefix}{name}"), tensor);
            }
        }
    }
    packed
}

fn unpack(mut packed: Weights) -> [Weights; 3] {
    let names: Vec<String> = packed.iter().map(|(name, _)| name.to_owned()).collect();
    PARTS.map(|prefix| {
        let mine = names.iter().filter_map(|name| Some((name, name.strip_prefix(prefix)?)));
        mine.filter_map(|(name, rest)| Some((rest.to_owned(), packed.remove(name)?))).collect()
    })
}

fn write_numbers(path: &Path, header: Header) -> io::Result<()> {
    let checksum = blake3::hash(&serde_json::to_vec(&header)?).to_hex().to_string();
    let mut text = serde_json::to_vec_pretty(&Numbers { header, checksum })?;
    text.push(b'\n');
    let mut file = File::create(path)?;
    file.write_all(&text)?;
    file.sync_all()
}

fn load(place: &Path, recipe: &Recipe) -> Result<State, TrainError> {
    let damaged = |reason: String| TrainError::DamagedCheckpoint { path: place.to_owned(), reason };
    let path = place.join(NUMBERS);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(damaged(format!("it lacks {NUMBERS}")));
        }
        Err(source) => return Err(TrainError::Checkpoint { path, source }),
    };
    let numbers: Numbers = serde_json::from_slice(&text)
        .map_err(|error| damaged(format!("{NUMBERS} cannot be read: {error}")))?;
    let header = numbers.header;
    let plain = serde_json::to_vec(&header).map_err(|error| damaged(error.to_string()))?;
    if numbers.checksum != blake3::hash(&plain).to_hex().as_str() {
        return Err(damaged(format!("the checksum of {NUMBERS} is wrong")));
    }
    if header.format != FORMAT {
        return Err(damaged(format!("it has format {}, not {FORMAT}", header.format)));
    }
    let differences = header.recipe.differences(recipe);
    if !differences.is_empty() {
        let (path, differences) = (place.to_owned(), differences.join(", "));
        return Err(TrainError::OtherRun { path, differences });
    }
    let packed = Weights::load(&place.join(TENSORS)).map_err(|error| damaged(error.to_string()))?;
    if packed.values() != header.values || packed.checksum() != header.tensors {
        return Err(damaged(format!("the checksum of {TENSORS} is wrong")));
    }
    let [weights, first, second] = unpack(packed);
    for part in [&weights, &first, &second] {
        part.check(&recipe.model).map_err(|error| damaged(error.to_string()))?;
    }
    let Header { step, tokens, bytes, loss, watch, gates, .. } = header;
    Ok(State { step, tokens, bytes, loss, watch, weights, first, second, gates })
}

/// Makes what was created or renamed in a folder durable.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
