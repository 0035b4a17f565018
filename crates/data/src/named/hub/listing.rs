//! What the hub has of a set: its interface for parquet files first, then the files of the branch that it converts to, then those of
//! the set itself.

use serde_json::Value;

use super::{HubFile, is_config};
use crate::fetch::Failure;

/// The branch of converted files, and that of the set itself.
const BRANCHES: [&str; 2] = ["refs%2Fconvert%2Fparquet", "main"];

/// The parquet files of `set` (`OWNER/SET`); `get` fetches a path of the hub at `endpoint`.
///
/// # Errors
/// The set is not there, or has no parquet files.
pub fn files(
    set: &str,
    endpoint: &str,
    get: &mut dyn FnMut(&str) -> Result<Value, Failure>,
) -> Result<Vec<HubFile>, Failure> {
    let listed = get(&format!("/api/datasets/{set}/parquet"));
    let mut failed = None;
    match listed {
        Ok(answer) => {
            let mut files = by_interface(&answer);
            if !files.is_empty() {
                // The branch knows sizes and checksums; without them, the files are fetched unchecked.
                if let Ok(tree) = get(&tree_path(set, BRANCHES[0])) {
                    add_checksums(&mut files, &by_branch(&tree, set, endpoint, BRANCHES[0]));
                }
                return Ok(files);
            }
        }
        Err(Failure::Disk(error)) => return Err(Failure::Disk(error)),
        Err(transfer) => failed = Some(transfer),
    }
    for branch in BRANCHES {
        match get(&tree_path(set, branch)) {
            Ok(tree) => {
                let files = by_branch(&tree, set, endpoint, branch);
                if !files.is_empty() {
                    return Ok(files);
                }
            }
            Err(Failure::Disk(error)) => return Err(Failure::Disk(error)),
            Err(transfer) => failed = failed.or(Some(transfer)),
        }
    }
    Err(failed.unwrap_or_else(|| Failure::Transfer("the hub has no parquet files of it".to_owned())))
}

fn tree_path(set: &str, branch: &str) -> String {
    format!("/api/datasets/{set}/tree/{branch}?recursive=true")
}

/// `{config: {split: [url, ...]}}`.
fn by_interface(answer: &Value) -> Vec<HubFile> {
    let mut files = Vec::new();
    for (config, splits) in answer.as_object().into_iter().flatten() {
        for (split, urls) in splits.as_object().into_iter().flatten() {
            for url in urls.as_array().into_iter().flatten().filter_map(Value::as_str) {
                if is_config(config) && is_config(split) && url.starts_with("http") {
                    let url = url.to_owned();
                    files.push(HubFile {
                        config: config.clone(),
                        split: split.clone(),
                        url,
                        bytes: None,
                        sha256: None,
                    });
                }
            }
        }
    }
    files
}

/// The files of a branch: `CONFIG/SPLIT/0000.parquet` where the hub converts, `data/train-00000-of-00001.parquet` and the like in a
/// set.
fn by_branch(tree: &Value, set: &str, endpoint: &str, branch: &str) -> Vec<HubFile> {
    let mut files = Vec::new();
    for entry in tree.as_array().into_iter().flatten() {
        let Some(path) = entry.get("path").and_then(Value::as_str).filter(|path| path.ends_with(".parquet")) else {
            continue;
        };
        let folders: Vec<&str> = path.split('/').collect();
        let (config, split) = match folders[..] {
            [config, split, _] => (config, split),
            [config, file] if config != "data" => (config, of_file(file)),
            [.., file] => ("default", of_file(file)),
            [] => continue,
        };
        if !is_config(config) || !is_config(split) {
            continue;
        }
        let stored = entry.get("lfs");
        let size = stored.and_then(|stored| stored.get("size")).or_else(|| entry.get("size")).and_then(Value::as_u64);
        let sha256 = stored.and_then(|stored| stored.get("oid")).and_then(Value::as_str).filter(|sum| sum.len() == 64);
        files.push(HubFile {
            config: config.to_owned(),
            // What the hub converts of a large set.
            split: split.strip_prefix("partial-").unwrap_or(split).to_owned(),
            url: format!("{endpoint}/datasets/{set}/resolve/{branch}/{}", path.replace(' ', "%20")),
            bytes: size,
            sha256: sha256.map(str::to_owned),
        });
    }
    files
}

/// The part that a file's name begins with: `train` of `train-00000-of-00002.parquet`.
fn of_file(file: &str) -> &str {
    let stem = file.trim_end_matches(".parquet");
    stem.split_once("-0").map_or(stem, |(split, _)| split)
}

/// Adds the sizes and checksums that the branch gives, if it has as many files of a part.
fn add_checksums(files: &mut [HubFile], branch: &[HubFile]) {
    let parts: Vec<(String, String)> = files.iter().map(|file| (file.config.clone(), file.split.clone())).collect();
    for at in 0..files.len() {
        let is_same = |file: &&HubFile| (&file.config, &file.split) == (&parts[at].0, &parts[at].1);
        let known: Vec<&HubFile> = branch.iter().filter(is_same).collect();
        let number = parts[..at].iter().filter(|part| **part == parts[at]).count();
        if known.len() == parts.iter().filter(|part| **part == parts[at]).count() {
            (files[at].bytes, files[at].sha256) = (known[number].bytes, known[number].sha256.clone());
        }
    }
}
