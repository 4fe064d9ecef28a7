//! Results as lm-evaluation-harness writes them (`lm_eval` 0.4.13: `loggers/evaluation_tracker.py`,
//! `evaluator.py`), so that its tools and leaderboards read them.
//!
//! `<directory>/<model>/results_<date>.json` has the metrics of every task and group, and
//! `samples_<task>_<date>.jsonl` beside it one line per item, with the hashes of document, prompt and
//! target that its own runs have for the same ones.

mod errors;
mod python;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ablate_eval::{ItemResult, clustered_error, standard_error};
use errors::{group, mean, metrics, number, written};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::BenchmarkError;
use crate::definition::{Definition, Way};
use crate::prompt::Question;

/// Everything that an evaluation of a model found.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// Name of the model; its results lie in a folder of that name.
    pub model: &'a str,
    /// What else is worth keeping of the model and the machine; becomes `config`.
    pub config: Map<String, Value>,
    /// The benchmarks.
    pub benchmarks: &'a [Evaluated<'a>],
    /// When it was begun, in seconds since 1970.
    pub started: f64,
    /// When it was over, as `2026-01-31T12:00:00.123456`: part of the files' names.
    pub date: &'a str,
    /// How long it took.
    pub seconds: f64,
    /// The commit of the program, where known.
    pub commit: Option<&'a str>,
}

/// A benchmark with what a model made of it.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// How it was asked.
    pub definition: &'a Definition,
    /// What was asked.
    pub questions: &'a [Question<'a>],
    /// What was answered, in the order of the questions.
    pub results: &'a [ItemResult],
    /// Items of every task that could have been asked: more than the questions where there was a limit.
    pub available: &'a BTreeMap<String, usize>,
}

/// Files that were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// `results_<date>.json`.
    pub results: PathBuf,
    /// `samples_<task>_<date>.jsonl` of each task.
    pub samples: Vec<PathBuf>,
}

/// Items of one task.
type Task<'a> = Vec<(&'a Question<'a>, &'a ItemResult)>;

/// Writes results and samples into a folder of the model's name in `directory`.
///
/// # Errors
/// A folder or file that cannot be written.
pub fn write(directory: &Path, run: &Run<'_>) -> Result<Written, BenchmarkError> {
    let folder = directory.join(sanitized(run.model));
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BenchmarkError::Io { doing: "write", path, source }
    };
    fs::create_dir_all(&folder).map_err(io(&folder))?;
    let date = run.date.replace(':', "-");
    let (summary, tasks) = summary(run);
    let mut samples = Vec::new();
    for (name, items) in &tasks {
        let path = folder.join(format!("samples_{name}_{date}.jsonl"));
        let mut text = String::new();
        for (index, (question, result)) in items.iter().enumerate() {
            text.push_str(&sample(index, question, result).to_string());
            text.push('\n');
        }
        fs::write(&path, text).map_err(io(&path))?;
        samples.push(path);
    }
    let path = folder.join(format!("results_{date}.json"));
    fs::write(&path, python::dumps(&summary)).map_err(io(&path))?;
    Ok(Written { results: path, samples })
}

/// As the harness makes names of folders of names of models.
fn sanitized(model: &str) -> String {
    let mut name = String::new();
    let mut inside = false;
    for c in model.chars() {
        let bad = "\"<>:/|\\?*[]".contains(c);
        if bad && !inside {
            name.push_str("__");
        } else if !bad {
            name.push(c);
        }
        inside = bad;
    }
    name
}

/// The content of `results_*.json`, and the items by task.
fn summary<'a>(run: &Run<'a>) -> (Value, BTreeMap<String, Task<'a>>) {
    let mut tasks = BTreeMap::<String, Task<'_>>::new();
    let mut owners = BTreeMap::<String, &Evaluated<'_>>::new();
    let mut groups = Map::new();
    let (mut subtasks, mut results) = (Map::new(), Map::new());
    for evaluated in run.benchmarks {
        let mut own = BTreeMap::<String, Task<'_>>::new();
        for pair in evaluated.questions.iter().zip(evaluated.results) {
            own.entry(pair.0.task.clone()).or_default().push(pair);
        }
        let names: Vec<&String> = own.keys().collect();
        if own.len() > 1 {
            let group = group(evaluated.definition, own.values());
            subtasks.insert(evaluated.definition.name.clone(), json!(names));
            groups.insert(evaluated.definition.name.clone(), group);
        }
        for (name, items) in own {
            owners.insert(name.clone(), evaluated);
            tasks.insert(name, items);
        }
    }
    let [mut configs, mut versions, mut shots, mut higher, mut counts, mut hashes]: [Map<_, _>; 6] =
        Default::default();
    for (name, items) in &tasks {
        let Some(evaluated) = owners.get(name) else { continue };
        let mut entry = Map::new();
        entry.insert("name".into(), json!(name));
        entry.insert("alias".into(), json!(name));
        entry.insert("sample_len".into(), json!(items.len()));
        let mut better = Map::new();
        for (metric, values, shared) in metrics(items) {
            let error = standard_error(&values);
            let (value, error) = match metric {
                "perplexity" => {
                    let value = (-mean(&values)).exp();
                    (value, error * value)
                }
                _ => (mean(&values), error),
            };
            entry.insert(format!("{metric},none"), json!(value));
            entry.insert(format!("{metric}_stderr,none"), number(error));
            let clusters = shared.iter().collect::<BTreeSet<_>>().len();
            if (2..items.len()).contains(&clusters) && metric != "perplexity" {
                let clustered = clustered_error(&values, &shared);
                entry.insert(format!("{metric}_stderr_clustered,none"), number(clustered));
            }
            better.insert(metric.into(), json!(metric != "perplexity"));
        }
        results.insert(name.clone(), entry.into());
        configs.insert(name.clone(), config(evaluated.definition, items));
        versions.insert(name.clone(), json!(1.0));
        shots.insert(name.clone(), json!(items.first().map_or(0, |(question, _)| question.shots)));
        higher.insert(name.clone(), better.into());
        let original = evaluated.available.get(name).copied().unwrap_or(items.len());
        counts.insert(name.clone(), json!({ "original": original, "effective": items.len() }));
        let joined: String =
            items.iter().map(|(question, _)| Hashes::of(question).joined()).collect();
        hashes.insert(name.clone(), json!(sha256(&joined)));
        if !groups.contains_key(&evaluated.definition.name) {
            subtasks.insert(name.clone(), json!([]));
        }
    }
    for (name, group) in &groups {
        results.insert(name.clone(), group.clone());
        // A group has the shots of its tasks, which share a definition.
        let of_task = subtasks[name][0].as_str().and_then(|task| shots.get(task)).cloned();
        shots.insert(name.clone(), of_task.unwrap_or_default());
    }
    let mut summary = json!({ "results": results });
    if !groups.is_empty() {
        summary["groups"] = groups.into();
    }
    let rest = json!({
        "group_subtasks": subtasks,
        "configs": configs,
        "versions": versions,
        "n-shot": shots,
        "higher_is_better": higher,
        "n-samples": counts,
        "config": run.config,
        "git_hash": run.commit,
        "date": run.started,
        "ablate_version": env!("CARGO_PKG_VERSION"),
        "task_hashes": hashes,
        "model_source": "ablate",
        "model_name": run.model,
        "model_name_sanitized": sanitized(run.model),
        "start_time": run.started,
        "end_time": run.started + run.seconds,
        "total_evaluation_time_seconds": python::float(run.seconds),
    });
    if let (Value::Object(summary), Value::Object(rest)) = (&mut summary, rest) {
        summary.extend(rest);
    }
    (summary, tasks)
}

/// What the harness calls the configuration of a task, as far as there is one here.
fn config(definition: &Definition, items: &[(&Question<'_>, &ItemResult)]) -> Value {
    let first = items.first().map(|(question, _)| *question);
    let output = match first.map(|question| (question.way, question.item.options.len())) {
        Some((Way::Generate, _)) => "generate_until",
        Some((_, 1)) => "loglikelihood",
        _ => "multiple_choice",
    };
    json!({
        "task": first.map(|question| &question.task),
        "dataset_path": definition.title,
        "output_type": output,
        "num_fewshot": first.map(|question| question.shots),
        "scoring": first.map(|question| question.way.name()),
        "metadata": { "version": 1.0 },
    })
}

/// The harness's hashes of an item.
struct Hashes {
    document: String,
    prompt: String,
    target: String,
}

impl Hashes {
    fn of(question: &Question<'_>) -> Self {
        let document = Value::Object(question.record.document.clone());
        Self {
            document: sha256(&python::dumps(&document)),
            prompt: sha256(question.item.context_of(0)),
            target: sha256(&target(question)),
        }
    }

    fn joined(&self) -> String {
        [self.document.as_str(), &self.prompt, &self.target].concat()
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The harness's `str(doc_to_target(doc))`.
fn target(question: &Question<'_>) -> String {
    let item = &question.item;
    let form = item.form.as_ref();
    if let Some(reference) = &item.reference {
        return reference.clone();
    }
    let key = item.key.unwrap_or_default();
    let own = form.is_some_and(|form| !form.contexts.is_empty());
    match (form, item.options.get(key)) {
        // What follows is the same for all contexts.
        (Some(form), Some(option)) if own => form.bare(option).to_owned(),
        (_, Some(option)) if item.options.len() == 1 => option.clone(),
        (Some(form), _) if !form.keys.is_empty() => {
            let keys: Vec<String> = form.keys.iter().map(usize::to_string).collect();
            format!("[{}]", keys.join(", "))
        }
        _ => key.to_string(),
    }
}

/// One line of `samples_*.jsonl`.
fn sample(index: usize, question: &Question<'_>, result: &ItemResult) -> Value {
    let item = &question.item;
    let mut arguments = Map::new();
    let mut responses = Vec::new();
    if item.is_choice() {
        for (option, text) in item.options.iter().enumerate() {
            let pair = json!({ "arg_0": item.context_of(option), "arg_1": text });
            arguments.insert(format!("gen_args_{option}"), pair);
            let loglik = result.option_logliks.get(option).copied().unwrap_or(f64::NAN);
            let greedy = result.option_greedy.get(option).copied().unwrap_or_default();
            responses.push(json!([python::float(loglik), if greedy { "True" } else { "False" }]));
        }
    } else {
        let form = item.form.as_ref();
        let settings = json!({
            "until": form.map(|form| &form.until),
            "do_sample": false,
            "max_gen_toks": form.and_then(|form| form.max_tokens),
        });
        arguments.insert("gen_args_0".into(), json!({ "arg_0": item.context, "arg_1": settings }));
        responses.push(json!(result.prediction));
    }
    let values: Map<String, Value> = ablate_eval::METRICS
        .iter()
        .filter(|metric| written(question.way, metric))
        .filter_map(|metric| Some(((*metric).to_owned(), json!(result.metric_value(metric)?))))
        .collect();
    let hashes = Hashes::of(question);
    let nested: Vec<Value> = responses.iter().map(|response| json!([response])).collect();
    let mut sample = json!({
        "doc_id": index,
        "doc": question.record.document,
        "target": target(question),
        "arguments": arguments,
        "resps": nested,
        "filtered_resps": responses,
        "filter": "none",
        "metrics": values.keys().collect::<Vec<_>>(),
        "doc_hash": hashes.document,
        "prompt_hash": hashes.prompt,
        "target_hash": hashes.target,
    });
    if let Value::Object(sample) = &mut sample {
        sample.extend(values);
        sample.insert("truncated".into(), json!(result.truncated));
        if !result.prompt_losses.is_empty() {
            sample.insert("prompt_losses".into(), json!(result.prompt_losses));
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::sanitized;

    #[test]
    fn names_of_folders() {
        // python3: re.sub(r"[\"<>:/|\\?*\[\]]+", "__", name)
        assert_eq!(sanitized("HuggingFaceTB/SmolLM2-135M"), "HuggingFaceTB__SmolLM2-135M");
        assert_eq!(sanitized("./a//b:c?"), ".__a__b__c__");
    }
}
