//! Results that stand for others because somebody says that they are the same.
//!
//! ```text
//! <root>/accepted/<key>.json    what stands for the result with this key, who says so, when and why
//! ```
//!
//! A change that is known not to change results (a stage's version, a field that is written in another
//! way) still gives new keys. An acceptance says that a stored result may be read in the place of one
//! that was never made. It holds for as long as the stored one is there and the other one is not: a
//! result of one's own always counts more. No acceptance is read through another one.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use error::AcceptError;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::durable::write_atomic;
use crate::graph::{Graph, Key, Node};
use crate::identity::Identity;
use crate::lease::{Lease, LeaseError};
use crate::store::{Store, StoreError, attempt, difference, lease_path, valid_record};

/// Folder of all acceptances; no stage has this name.
const FOLDER: &str = "accepted";

/// Who says that two results are the same, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Testimony {
    /// The reason, in the words of whoever says so.
    pub because: String,
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
}

/// A stored result that stands for one that was not made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The one that was not made.
    pub new: Identity,
    /// The one that is stored.
    pub old: Identity,
    /// Folder of the stored one below the store, with forward slashes.
    pub folder: String,
    /// Who says so.
    #[serde(flatten)]
    pub testimony: Testimony,
    /// The acceptances that it follows from, by their new keys: both results were made in the same way
    /// of what is accepted there. Empty where it was said of these two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<Key>,
}

impl Acceptance {
    /// New keys of what was said, of which this is one or a consequence.
    pub fn roots(&self) -> Vec<Key> {
        match self.follows.is_empty() {
            true => vec![self.new.key.clone()],
            false => self.follows.clone(),
        }
    }

    /// What is wrong with a record, if anything is.
    fn fault(&self) -> Option<String> {
        let folder = Path::new(&self.folder);
        let inside = folder.parent() == Some(Path::new(&self.old.stage))
            && folder.file_name().is_some_and(|name| name != "..");
        if self.new.stage != self.old.stage {
            Some(format!("it is of two stages, {} and {}", self.new.stage, self.old.stage))
        } else if !inside {
            Some(format!("`{}` is no folder of the stage {}", self.folder, self.old.stage))
        } else if !self.new.is_whole() || !self.old.is_whole() {
            Some("a recipe in it is not the one of its key".to_owned())
        } else {
            None
        }
    }
}

/// An acceptance on disk.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its file.
    pub path: PathBuf,
    /// What it says, or why that cannot be believed.
    pub record: Result<Acceptance, String>,
    /// Whether it counts now: the old result is stored and the new one is not.
    pub counts: bool,
}

impl Store {
    /// What stands for a node's result, where that is not there itself.
    ///
    /// # Errors
    /// When a record is there but cannot be read.
    pub fn acceptance(&self, node: &Node) -> Result<Option<Acceptance>, StoreError> {
        Ok(self.stand_in(&self.place(node), node.key())?.map(|(acceptance, _)| acceptance))
    }

    /// The same with its record, for a result of this key that would lie at this place. A record that
    /// cannot be believed is as good as none; [`Store::acceptances`] names it.
    pub(crate) fn stand_in(
        &self,
        place: &Path,
        key: &Key,
    ) -> Result<Option<(Acceptance, Artifact)>, StoreError> {
        let path = self.acceptance_path(key);
        let Some(Ok(found)) = attempt("read", &path, read(&path))? else { return Ok(None) };
        if found.new.key != *key || Artifact::is_at(place) {
            return Ok(None);
        }
        let folder = self.root().join(&found.folder);
        let artifact = attempt("read", &folder, valid_record(&folder))?;
        Ok(artifact.filter(|artifact| artifact.key == found.old.key).map(|there| (found, there)))
    }

    /// Folder of what an acceptance reads.
    pub fn accepted_folder(&self, acceptance: &Acceptance) -> PathBuf {
        self.root().join(&acceptance.folder)
    }

    /// Everything that was accepted, in the order of the new keys.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn acceptances(&self) -> Result<Vec<Accepted>, StoreError> {
        let folder = self.root().join(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => attempt("read", &folder, entries)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = attempt("read", &folder, entry)?.path();
            if path.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let Some(record) = attempt("read", &path, read(&path))? else { continue };
            let record = record.and_then(|record| match self.acceptance_path(&record.new.key) {
                own if own == path => Ok(record),
                _ => Err("its name is not the key of what it is about".to_owned()),
            });
            let counts = match &record {
                Ok(record) => {
                    let place = self.root().join(record.new.place());
                    self.stand_in(&place, &record.new.key)?.is_some()
                }
                Err(_) => false,
            };
            found.push(Accepted { path, record, counts });
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Writes down that a stored result stands for one that was not made. Says the same twice without
    /// harm.
    ///
    /// # Errors
    /// When that may not be: see [`AcceptError`].
    pub fn accept(
        &self,
        new: Identity,
        (folder, old): (&Path, &Artifact),
        testimony: &Testimony,
    ) -> Result<Acceptance, AcceptError> {
        self.take(new, (folder, old), testimony, Vec::new())
    }

    fn take(
        &self,
        new: Identity,
        (folder, old): (&Path, &Artifact),
        testimony: &Testimony,
        follows: Vec<Key>,
    ) -> Result<Acceptance, AcceptError> {
        let old = Identity::from(old);
        if new.key == old.key {
            return Err(AcceptError::Same(new.place()));
        }
        if new.stage != old.stage {
            return Err(AcceptError::OtherStage { old: old.place(), new: new.place() });
        }
        let place = self.root().join(new.place());
        // Whoever makes it now would have it twice.
        let lease = match Lease::take(&lease_path(&place)) {
            Err(LeaseError::Held(owner)) => {
                return Err(AcceptError::Held { new: new.place(), owner: owner.to_string() });
            }
            taken => taken.map_err(|error| AcceptError::Lease(Box::new(error)))?,
        };
        if Artifact::is_at(&place) {
            return Err(AcceptError::Stored(new.place()));
        }
        if let Some((found, _)) = self.stand_in(&place, &new.key)? {
            if found.old.key == old.key {
                return Ok(found);
            }
            return Err(AcceptError::Taken {
                old: found.old.place(),
                new: new.place(),
                key: new.key,
                because: found.testimony.because,
            });
        }
        if let Some(difference) = difference(folder)? {
            return Err(AcceptError::Damaged { old: old.place(), difference });
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let folder = format!("{}/{name}", old.stage);
        let acceptance = Acceptance { new, old, folder, testimony: testimony.clone(), follows };
        let path = self.acceptance_path(&acceptance.new.key);
        let written = fs::create_dir_all(self.root().join(FOLDER))
            .and_then(|()| Ok(serde_json::to_vec_pretty(&acceptance)?))
            .and_then(|bytes| write_atomic(&path, &bytes));
        attempt("write", &path, written)?;
        drop(lease);
        Ok(acceptance)
    }

    /// Accepts what follows: of what a graph makes out of the accepted, all that is stored as made out of
    /// what stands for it, with the same recipes. What is damaged or at work is left out.
    ///
    /// # Errors
    /// When the disk says no.
    pub fn accept_dependants(
        &self,
        graph: &Graph,
        testimony: &Testimony,
    ) -> Result<Vec<Acceptance>, AcceptError> {
        // Keys that are known to be equal to others, with what that was concluded from.
        let mut equal: BTreeMap<Key, (Key, BTreeSet<Key>)> = BTreeMap::new();
        for accepted in self.acceptances()? {
            if let (Ok(record), true) = (&accepted.record, accepted.counts) {
                let roots = record.roots().into_iter().collect();
                equal.insert(record.new.key.clone(), (record.old.key.clone(), roots));
            }
        }
        let mut taken = Vec::new();
        for (id, node) in graph.iter() {
            let new = Identity::of(graph, id);
            if equal.contains_key(&new.key)
                || !new.inputs.values().any(|key| equal.contains_key(key))
            {
                continue;
            }
            let mut roots = BTreeSet::new();
            let inputs: BTreeMap<&String, &Key> = new
                .inputs
                .iter()
                .map(|(role, key)| match equal.get(key) {
                    Some((other, from)) => {
                        roots.extend(from.iter().cloned());
                        (role, other)
                    }
                    None => (role, key),
                })
                .collect();
            let Ok(key) = Key::of(node.stage, node.version, &node.recipe, &inputs) else {
                continue;
            };
            equal.insert(new.key.clone(), (key.clone(), roots.clone()));
            let stored = self.find(node.stage, key.as_str())?;
            let Some((folder, artifact)) = stored.first() else { continue };
            match self.take(new, (folder, artifact), testimony, roots.into_iter().collect()) {
                Ok(acceptance) => taken.push(acceptance),
                Err(error @ (AcceptError::Store(_) | AcceptError::Lease(_))) => {
                    return Err(error);
                }
                Err(_) => {}
            }
        }
        Ok(taken)
    }

    /// Takes back what was accepted for a key, and what follows from it. What was made of it in the
    /// meantime stays, and has it in its record.
    ///
    /// # Errors
    /// When nothing was accepted, or only as a consequence of something else.
    pub fn revoke(&self, new: &Key) -> Result<Vec<Acceptance>, AcceptError> {
        let all = self.acceptances()?;
        let path = self.acceptance_path(new);
        let Some(own) = all.iter().find(|accepted| accepted.path == path) else {
            return Err(AcceptError::NotAccepted(new.short().to_owned()));
        };
        if let Ok(Acceptance { follows, new, .. }) = &own.record
            && let Some(root) = follows.first()
        {
            return Err(AcceptError::Follows { new: new.place(), root: root.clone() });
        }
        let mut revoked = Vec::new();
        // Consequences first: what is left after an interruption can be taken back again.
        let consequences = all.iter().filter(|accepted| {
            accepted.record.as_ref().is_ok_and(|record| record.follows.contains(new))
        });
        for accepted in consequences.chain([own]) {
            attempt("remove", &accepted.path, fs::remove_file(&accepted.path))?;
            revoked.extend(accepted.record.clone().ok());
        }
        revoked.reverse();
        Ok(revoked)
    }

    fn acceptance_path(&self, key: &Key) -> PathBuf {
        self.root().join(FOLDER).join(format!("{key}.json"))
    }
}

/// The record in a file, if there is one, or what is wrong with it.
fn read(path: &Path) -> io::Result<Option<Result<Acceptance, String>>> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes?,
    };
    let record = serde_json::from_slice::<Acceptance>(&bytes).map_err(|error| error.to_string());
    Ok(Some(record.and_then(|record| match record.fault() {
        Some(fault) => Err(fault),
        None => Ok(record),
    })))
}

#[cfg(test)]
mod tests;
