//! The graph of what can be made of a study: variants whose sources are not there are left out.
//!
//! A key is made of what its stages read. Where that is not there no key is known, so such a variant
//! has no stages; what it lacks is written down in their place.

use ablate_benchmark::Library;
use ablate_spec::Study;

use super::absent::{Absence, Missing, stand_in};
use super::build::whole;
use super::{AbsentVariant, ExternalNodes, StudyGraph, external};
use crate::exit::CommandError;

/// Builds the graph of a study; looks at the user's files and imported benchmarks, writes nothing.
/// Variants that need files that are not there are among [`StudyGraph::absent`].
///
/// # Errors
/// As of files that are wrong; and files that are missing, where nothing can be made without them.
pub fn build(study: &Study, library: &Library) -> Result<StudyGraph, CommandError> {
    let (_, missing) = stand_in(study, library);
    if missing.by_name.is_empty() && missing.parents.is_empty() {
        return whole(study, library);
    }
    let lacks = |name: &str| missing.by_name.get(name);
    let mut rest = study.clone();
    rest.variants.retain(|variant| lacks(&variant.name).is_none());
    rest.parents.retain(|parent| !missing.parents.contains(&parent.name));
    rest.given.retain(|parent| !missing.parents.contains(&parent.name));
    let unscored: Vec<ExternalNodes> = study
        .external()
        .iter()
        .filter_map(|external| {
            let reason = external::absent(external).or_else(|| {
                let lacks = Absence::in_words(lacks(&external.name)?);
                Some(format!("{lacks}, then run the study again"))
            })?;
            Some(ExternalNodes { name: external.name.clone(), found: Err(reason) })
        })
        .collect();
    let others = unscored.len() < study.external().len();
    if rest.variants.is_empty() && !others {
        return Err(refusal(&missing));
    }
    if !others {
        rest.externals = None;
    }
    let mut built = whole(&rest, library)?;
    if !others {
        built.externals = unscored;
    }
    let variants = study.variants.iter().enumerate();
    built.absent = variants
        .filter_map(|(place, variant)| {
            Some(AbsentVariant {
                name: variant.name.clone(),
                place,
                seeds: study.seeds.clone(),
                missing: lacks(&variant.name)?.clone(),
            })
        })
        .collect();
    Ok(built)
}

/// Why nothing can be made: every file once, with who needs it where not all do.
fn refusal(missing: &Missing) -> CommandError {
    let mut lines: Vec<(&Absence, Vec<&str>)> = Vec::new();
    for (name, absences) in &missing.by_name {
        for absence in absences {
            match lines.iter_mut().find(|(known, _)| *known == absence) {
                Some((_, names)) => names.push(name),
                None => lines.push((absence, vec![name])),
            }
        }
    }
    let all = missing.by_name.len();
    let line = |(absence, names): &(&Absence, Vec<&str>)| match names.len() == all {
        true => absence.to_string(),
        false => format!("{}: {absence}", names.join(", ")),
    };
    CommandError::usage(lines.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use ablate_spec::Options;

    use super::*;

    fn study(folder: &Path, variants: &str) -> Study {
        let base = "[study]\nname = \"s\"\nseeds = [1, 2]\n[corpus]\nbytes = \"1MB\"\n\
            [tokenizer]\nvocabulary = 1000\n[model]\ndepth = 2\nwidth = 64\nheads = 4\n\
            ffn.multiple = 16\n[train]\ntokens = \"1M\"\nbatch_tokens = 1024\n\
            learning_rate = 1e-3\n[eval]\nbenchmarks = [\"boolq\"]\n";
        let text = format!("{base}{variants}");
        let read = |_: &Path| Ok(text.clone());
        let loaded = ablate_spec::load(&folder.join("a.toml"), &read, &Options::default());
        loaded.unwrap_or_else(|failure| panic!("{failure}")).study
    }

    fn keys(built: &StudyGraph, name: &str) -> Vec<String> {
        let nodes = built.variants.iter().find(|nodes| nodes.name == name).unwrap();
        let ends = nodes.seeds.iter().flat_map(super::super::SeedNodes::ends);
        ends.map(|end| built.graph.node(end).key().to_string()).collect()
    }

    #[test]
    fn a_file_that_is_not_there_costs_those_who_need_it() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new("", "");
        let study = study(
            folder.path(),
            "[[design.list]]\nname = \"plain\"\n[[design.list]]\nname = \"asked\"\n\
             set.eval.files = [\"mine.jsonl\"]\n[[design.list]]\nname = \"deep\"\n\
             set.model.depth = 3\n",
        );
        let built = build(&study, &library).unwrap();
        let absent: Vec<_> =
            built.absent.iter().map(|one| (one.place, one.name.as_str())).collect();
        assert_eq!(absent, [(1, "asked")]);
        let lacks = &built.absent[0].missing[0];
        assert!(lacks.key == "eval.files" && lacks.path.ends_with("mine.jsonl"), "{lacks:?}");
        assert_eq!(built.names().collect::<Vec<_>>(), ["plain", "asked", "deep"]);
        assert_eq!(built.targets(|_| true).len(), 4);

        // Keys of the others are those of the whole study.
        let item = "{\"id\":\"q\",\"benchmark\":\"mine\",\"language\":\"en\",\"context\":\"Is it?\",\
                    \"options\":[\" no\",\" yes\"],\"key\":1}\n";
        fs::write(folder.path().join("mine.jsonl"), item).unwrap();
        let all = build(&study, &library).unwrap();
        assert!(all.absent.is_empty() && all.variants.len() == 3);
        for name in ["plain", "deep"] {
            assert_eq!(keys(&built, name), keys(&all, name));
        }
    }

    #[test]
    fn nothing_is_built_where_everything_needs_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let study = study(
            folder.path(),
            "[[design.list]]\nname = \"a\"\nset.eval.files = [\"a.jsonl\"]\n[[design.list]]\n\
             name = \"b\"\nset.eval.files = [\"a.jsonl\", \"b.jsonl\"]\n",
        );
        let error = build(&study, &Library::new("", "")).unwrap_err();
        assert_eq!(error.exit, crate::exit::Exit::Usage);
        let lines: Vec<&str> = error.message.lines().collect();
        assert_eq!(lines.len(), 2, "{error}");
        assert!(lines[0].starts_with("there are no items") && lines[0].contains("a.jsonl"));
        assert!(lines[1].starts_with("b: ") && lines[1].contains("b.jsonl"), "{error}");
    }

    #[test]
    fn a_parent_that_is_not_there_costs_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let inherit = "set.init.inherit = { parent = \"grown\", first = 1, last = 0 }\n";
        let study = study(
            folder.path(),
            &format!(
                "[parents.grown]\npath = \"grown\"\n[[design.list]]\nname = \"plain\"\n\
                 [[design.list]]\nname = \"child\"\n{inherit}"
            ),
        );
        let built = build(&study, &Library::new("", "")).unwrap();
        assert_eq!(built.absent.len(), 1);
        assert_eq!(built.absent[0].missing[0].key, "parents.grown.path");
        assert!(built.given.is_empty() && built.variants.len() == 1);
    }
}
