//! `hf:OWNER/SET` and `hf:OWNER/SET:CONFIG`: sets on Hugging Face, by the parquet files into which the hub converts them. They are
//! listed and fetched over the hub's public interface into the cache folder, each part when it is first opened, and read as a
//! folder of shards. `HF_ENDPOINT` names another address of the hub, `HF_TOKEN` opens private sets.
//! Interface: <https://huggingface.co/docs/dataset-viewer/parquet>.

mod listing;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fetch::{Failure, Progress, Remote, fetch};
use crate::open_options::Split;
use crate::parts::{Part, part_of};
use crate::search_path::SearchPath;

/// The prefix of the names.
pub(crate) const PREFIX: &str = "hf:";

/// The folder of these sets in a data folder and in the cache folder.
const FOLDER: &str = "hf";

/// The file that lists what the hub has of a set.
const INDEX: &str = "index.json";

const ENDPOINT: &str = "https://huggingface.co";

/// Network timeout.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Size limit of the files of a part (1 GiB), which are kept in memory, and of a list of files (16 MiB).
const MAX_PART_BYTES: u64 = 1 << 30;
const MAX_LIST_BYTES: u64 = 16 << 20;

/// The hub's address and the user's token.
#[derive(Clone, Default)]
pub(crate) struct Hub {
    /// Without a slash at the end; empty for the usual one.
    pub endpoint: String,
    pub token: Option<String>,
}

/// The token stays out of messages.
impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hub({})", self.endpoint())
    }
}

impl Hub {
    /// That of the environment.
    ///
    /// # Errors
    /// `HF_ENDPOINT` is not a URL.
    pub fn from_env() -> Result<Self> {
        let variable = |name: &str| {
            std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        let endpoint = variable("HF_ENDPOINT").unwrap_or_default().trim_end_matches('/').to_owned();
        if !endpoint.is_empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(Error::usage(
                format!("HF_ENDPOINT is '{endpoint}', which is not an HTTP URL"),
                format!("expected an address such as {ENDPOINT}"),
            ));
        }
        Ok(Self { endpoint, token: variable("HF_TOKEN") })
    }

    fn endpoint(&self) -> &str {
        if self.endpoint.is_empty() { ENDPOINT } else { &self.endpoint }
    }

    fn remote(&self, url: String, max_bytes: u64) -> Remote {
        // The interface names files by the usual address.
        let url = match url.strip_prefix(ENDPOINT) {
            Some(path) => format!("{}{path}", self.endpoint()),
            None => url,
        };
        let is_hubs = url.strip_prefix(self.endpoint()).is_some_and(|path| path.starts_with('/'));
        let token = self.token.clone().filter(|_| is_hubs);
        Remote { url, bytes: None, max_bytes, sha256: None, inspect: |_| Ok(()), timeout: TIMEOUT, token }
    }
}

/// The name of a set on the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubName {
    owner: String,
    set: String,
    config: Option<String>,
}

impl HubName {
    /// Parses `hf:OWNER/SET[:CONFIG]`; `None` for other names.
    ///
    /// # Errors
    /// The name is incomplete.
    pub fn parse(name: &str) -> Result<Option<Self>> {
        let Some(rest) = name.strip_prefix(PREFIX) else { return Ok(None) };
        let (path, config) = rest.split_once(':').map_or((rest, None), |(path, config)| (path, Some(config)));
        let is_name = |text: &str| {
            let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !text.is_empty() && !text.starts_with('.') && text.chars().all(valid)
        };
        match path.trim_end_matches('/').split_once('/') {
            Some((owner, set)) if is_name(owner) && is_name(set) && config.is_none_or(is_config) => {
                Ok(Some(Self { owner: owner.to_owned(), set: set.to_owned(), config: config.map(str::to_owned) }))
            }
            _ => Err(Error::usage(
                format!("{name} does not name a set on Hugging Face"),
                "expected hf:OWNER/SET or hf:OWNER/SET:CONFIG, such as hf:ylecun/mnist",
            )),
        }
    }

    /// The folder of its files in a data folder.
    fn folder(&self, place: &Path) -> PathBuf {
        place.join(FOLDER).join(&self.owner).join(&self.set)
    }
}

impl std::fmt::Display for HubName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{PREFIX}{}/{}", self.owner, self.set)?;
        self.config.as_ref().map_or(Ok(()), |config| write!(f, ":{config}"))
    }
}

/// Whether a configuration or part may name a folder.
fn is_config(text: &str) -> bool {
    let valid = |c: char| c.is_alphanumeric() || "-_. +".contains(c);
    !text.is_empty() && !text.starts_with('.') && text.chars().all(valid)
}

/// What the user may mean by an address or a path that does not exist: `hf:OWNER/SET`.
pub(crate) fn meant(name: &str) -> Option<String> {
    let address = name.split_once("huggingface.co/datasets/").map(|(_, path)| path);
    let path = address.or_else(|| {
        ["huggingface:", "HF:", "hf://", "hf://datasets/"].iter().rev().find_map(|prefix| name.strip_prefix(prefix))
    });
    let plain = path.unwrap_or(name);
    let words: Vec<&str> = plain.split('/').take(2).collect();
    let [owner, set] = words[..] else { return None };
    let set = set.split(['?', '#']).next().unwrap_or_default();
    let is_path = path.is_none()
        && (plain.matches('/').count() != 1 || Path::new(plain).extension().is_some() || Path::new(owner).exists());
    let meant = format!("{PREFIX}{owner}/{set}");
    (!is_path && matches!(HubName::parse(&meant), Ok(Some(_)))).then_some(meant)
}

/// A parquet file of a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HubFile {
    config: String,
    /// The hub's name of its part: `train`, `test`.
    split: String,
    url: String,
    /// Its size in bytes and checksum, if the hub gives them.
    bytes: Option<u64>,
    sha256: Option<String>,
}

impl SearchPath {
    /// The folder of the files of a part of a set on the hub: found, or fetched into the cache folder.
    ///
    /// # Errors
    /// The set can't be listed or fetched, has several configurations, or none of its parts is `split`.
    pub(crate) fn find_or_fetch_hub(
        &self,
        name: &HubName,
        split: Split,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<PathBuf> {
        // Files that the user put there.
        let installed = self
            .folders
            .iter()
            .map(|place| name.folder(place))
            .find(|folder| folder.is_dir() && !folder.join(INDEX).is_file());
        if let Some(folder) =
            installed.filter(|folder| crate::parquet::files(folder).is_ok_and(|files| !files.is_empty()))
        {
            return Ok(name.config.as_ref().map_or(folder.clone(), |config| folder.join(config)));
        }
        let known = self.folders.iter().map(|place| name.folder(place)).find(|folder| folder.join(INDEX).is_file());
        let folder = match (known, &self.cache) {
            (Some(folder), _) => folder,
            (None, Some(cache)) => name.folder(cache),
            (None, None) => {
                return Err(self.missing_hub(name, "there is no cache folder to fetch it into (HOME is not set)"));
            }
        };
        let files = self.listed(name, &folder, progress)?;
        let config = chosen_config(name, &files)?;
        let files: Vec<&HubFile> = files.iter().filter(|file| file.config == config).collect();
        let wanted = of_part(name, &files, split)?;
        let total: u64 = wanted.iter().filter_map(|file| file.bytes).sum();
        if total > MAX_PART_BYTES {
            return Err(Error::data(
                format!(
                    "{name}: its parquet files take {} GiB, more than the {} GiB kept in memory",
                    total.div_ceil(1 << 30),
                    MAX_PART_BYTES >> 30
                ),
                "choose a smaller configuration (hf:OWNER/SET:CONFIG), or download some of its files and name their folder",
            ));
        }
        let folder = folder.join(&config);
        for (number, file) in wanted.iter().enumerate() {
            let same_split = wanted[..number].iter().filter(|before| before.split == file.split).count();
            self.fetch_hub_file(name, file, &folder.join(&file.split), same_split, progress)?;
        }
        Ok(folder)
    }

    /// The files of a set, from an earlier listing or from the hub.
    fn listed(&self, name: &HubName, folder: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Vec<HubFile>> {
        let index = folder.join(INDEX);
        if let Ok(text) = std::fs::read(&index)
            && let Ok(files) = serde_json::from_slice(&text)
        {
            return Ok(files);
        }
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let mut get = |path: &str| -> Result<serde_json::Value, Failure> {
            let target = folder.join("answer.json");
            fetch(&self.hub.remote(format!("{}{path}", self.hub.endpoint()), MAX_LIST_BYTES), &target, progress)?;
            let text = std::fs::read(&target).map_err(Error::io("read", &target));
            // Read once; a later listing replaces it.
            let _ = std::fs::remove_file(&target);
            serde_json::from_slice(&text?)
                .map_err(|error| Failure::Transfer(format!("the answer is no JSON ({error})")))
        };
        let files = listing::files(&format!("{}/{}", name.owner, name.set), self.hub.endpoint(), &mut get);
        let files = files.map_err(|failure| match failure {
            Failure::Disk(error) => error,
            Failure::Transfer(what) => self.missing_hub(name, &what),
        })?;
        let text = serde_json::to_vec_pretty(&files).map_err(|error| self.missing_hub(name, &error.to_string()))?;
        crate::write_file(&index, &text)?;
        Ok(files)
    }

    fn fetch_hub_file(
        &self,
        name: &HubName,
        file: &HubFile,
        folder: &Path,
        number: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let target = folder.join(format!("{number:04}.parquet"));
        if target.is_file() {
            return Ok(());
        }
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let remote = Remote {
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            inspect: |path| {
                let mut start = [0; 4];
                let got = std::fs::File::open(path).and_then(|file| crate::pread::read_at(&file, &mut start, 0));
                got.ok()
                    .filter(|()| crate::parquet::matches(&start))
                    .ok_or_else(|| Error::data("it is no parquet file", "fetch it again"))
            },
            ..self.hub.remote(file.url.clone(), MAX_PART_BYTES)
        };
        match fetch(&remote, &target, progress) {
            Ok(()) => Ok(()),
            Err(Failure::Disk(error)) => Err(error),
            Err(Failure::Transfer(what)) => {
                Err(self.missing_hub(name, &format!("{} can't be fetched: {what}", remote.url)))
            }
        }
    }

    /// The error for a set that can't be fetched, and where its files can be put.
    fn missing_hub(&self, name: &HubName, what: &str) -> Error {
        let place = name.folder(self.cache.as_deref().unwrap_or(Path::new("DIR")));
        let private = ["status 401", "status 403"].iter().any(|code| what.contains(code));
        let hint = if private {
            "check its name; a set that is private, or whose terms must be accepted, needs the variable HF_TOKEN"
                .to_owned()
        } else {
            format!(
                "check its name and the network (HF_ENDPOINT names another address of the hub), or put its parquet files into {}",
                place.join("train").display()
            )
        };
        Error::data(format!("{name} can't be fetched from Hugging Face: {what}"), hint)
    }
}

/// The configuration that is named, or the only one, or the default.
fn chosen_config(name: &HubName, files: &[HubFile]) -> Result<String> {
    let mut configs: Vec<&str> = files.iter().map(|file| file.config.as_str()).collect();
    configs.sort_unstable();
    configs.dedup();
    let wanted = name.config.as_deref().or(match configs[..] {
        [only] => Some(only),
        _ => Some("default"),
    });
    if let Some(found) = configs.iter().find(|config| Some(**config) == wanted) {
        return Ok((*found).to_owned());
    }
    let shown: Vec<&str> = configs.iter().take(20).copied().collect();
    let more = if configs.len() > shown.len() { ", ..." } else { "" };
    let (what, example) = match &name.config {
        Some(config) => {
            (format!("{name}: there is no configuration {config}"), crate::nearest(config, configs.iter().copied()))
        }
        None => (format!("{name} has {} configurations", configs.len()), None),
    };
    let example = example.or(configs.first().copied()).unwrap_or("CONFIG");
    Err(Error::usage(
        format!("{what}; it has {}{more}", shown.join(", ")),
        format!("name one, such as {PREFIX}{}/{}:{example}", name.owner, name.set),
    ))
}

/// The files of `split`, as in a folder of shards.
fn of_part<'a>(name: &HubName, files: &[&'a HubFile], split: Split) -> Result<Vec<&'a HubFile>> {
    let choices = match split {
        Split::Train => [Some(Part::Train), None],
        Split::Test => [Some(Part::Test), Some(Part::Validation)],
    };
    let of = |part: &Option<Part>| -> Vec<&'a HubFile> {
        files.iter().filter(|file| part_of(&file.split) == *part).copied().collect()
    };
    choices.iter().map(of).find(|chosen| !chosen.is_empty()).ok_or_else(|| {
        let mut parts: Vec<&str> = files.iter().map(|file| file.split.as_str()).collect();
        parts.dedup();
        let what = format!(
            "{name} has no {} images; its parts are {}",
            if split == Split::Train { "training" } else { "test" },
            parts.join(", ")
        );
        match split {
            Split::Train => Error::data(what, "choose another configuration or set"),
            Split::Test => Error::NoTestImages { what, hint: "use its training images".into() },
        }
    })
}

#[cfg(all(test, feature = "fetch", feature = "parquet"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
