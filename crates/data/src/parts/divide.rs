//! Divides the files of a set into its parts by their folders, and takes the names of the parts out of their paths, so that what
//! is left are classes: `seg_train/seg_train/forest/1.jpg` is `forest/1.jpg` of the training part.
//!
//! The folders of one level are parts if one of them is named as training part and another one, which is otherwise named alike,
//! as another part (`train` and `test`; `mnist_train` and `mnist_test`; `trainA` and `testA`). Folders beside them belong to no
//! part and are left aside, as are pictures of annotations beside images (`masks/` beside `images/`). Parts may be inside each
//! class (`cats/train/1.png`), below common folders and in doubled folders, and beside the classes (`cats`, `dogs`, `test`).

use std::collections::{BTreeMap, HashMap};

use super::companions::{Companions, Contents, Names, Why, companions, folder_is_about, folder_is_set};
use super::{Holdings, Part, part_of, rest_of, words};

/// Folders below this depth are not looked at.
const MAX_DEPTH: usize = 8;

/// Images outside the parts are left aside if they are at most one in this many.
const STRAY_SHARE: usize = 10;

/// Extensions of archives and tables, which are not part of their names.
const ENDINGS: [&str; 9] = [".gz", ".xz", ".bz2", ".zst", ".tar", ".tgz", ".zip", ".parquet", ".npz"];

/// A part as the set has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Number of its files.
    pub files: usize,
    /// Its folders.
    pub folders: Vec<String>,
}

/// The place of each file of a set.
#[derive(Debug, Default)]
pub(crate) struct Division {
    nodes: Vec<Node>,
    /// The node of each file.
    place: Vec<u32>,
    /// Whether the names tell parts; otherwise all files are to be trained on.
    pub divided: bool,
    /// Pictures about other images, which are left aside.
    companions: Companions,
}

/// A folder.
#[derive(Debug, Default)]
struct Node {
    /// Its path, with `/` at the end; empty for the root.
    path: String,
    children: BTreeMap<String, u32>,
    /// Files in it, and in it and all folders below.
    files: usize,
    total: usize,
    /// `None`: left aside.
    part: Option<Part>,
    /// Its path without the names of parts.
    kept: String,
    /// Whether its name is that of a part, or the folder is left aside as a whole.
    is_top: bool,
}

/// The role of a folder among its siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Role {
    /// The files of a part; what else its name says, where there are several folders of the part.
    Part(Part, Option<String>),
    /// A folder of the set.
    Keep,
    /// Not images of the set.
    Aside,
}

/// Divides files by their paths, which have `/` between their parts. Pictures about other images are left aside first.
pub(crate) fn divide<'a>(names: impl Iterator<Item = &'a str>) -> Division {
    divide_images(&names.collect::<Vec<_>>(), &Names)
}

/// `divide` of images, whose contents help to tell those about others.
pub(crate) fn divide_images(names: &[&str], contents: &dyn Contents) -> Division {
    let companions = companions(names, contents);
    let mut division = Division { nodes: vec![Node::default()], companions, ..Division::default() };
    let mut known: HashMap<&str, u32> = HashMap::new();
    for (index, &name) in names.iter().enumerate() {
        if division.companions.is_about.contains(&index) {
            division.place.push(0);
            continue;
        }
        let folder = &name[..folder_length(name)];
        let node = *known.entry(folder).or_insert_with(|| division.node(folder));
        division.place.push(node);
        division.nodes[node as usize].files += 1;
    }
    division.count(0);
    division.assign(0, None, String::new());
    division
}

/// The length of the first folders of a path, including the last `/`.
fn folder_length(name: &str) -> usize {
    name.match_indices('/').take(MAX_DEPTH).last().map_or(0, |(slash, _)| slash + 1)
}

impl Division {
    /// Masks and other pictures about images, and images that the set has twice, all of which are left aside.
    pub fn companions(&self) -> &BTreeMap<Why, Holding> {
        &self.companions.held
    }

    /// What is to be said of images that belong together.
    pub fn remarks(&self) -> &[String] {
        &self.companions.remarks
    }

    /// Whether file `index` is one of `companions`.
    pub fn is_companion(&self, index: usize) -> bool {
        self.companions.is_about.contains(&index)
    }

    /// The part of file `index`; `None` if it is left aside.
    pub fn part(&self, index: usize) -> Option<Part> {
        if self.is_companion(index) {
            return None;
        }
        self.nodes[self.place[index] as usize].part
    }

    /// The path of file `index`, called `name`, without the names of parts.
    pub fn kept(&self, index: usize, name: &str) -> String {
        if self.is_companion(index) {
            return name.to_owned();
        }
        let node = &self.nodes[self.place[index] as usize];
        format!("{}{}", node.kept, &name[node.path.len()..])
    }

    /// What the set has of each part; under `None` what is left aside but for `companions`.
    pub fn holdings(&self) -> Holdings {
        let mut holdings = Holdings::new();
        for node in &self.nodes {
            let holding = holdings.entry(node.part).or_default();
            holding.files += node.files;
            if node.is_top {
                holding.folders.push(node.path.clone());
            }
        }
        holdings.retain(|_, holding| holding.files > 0);
        holdings
    }

    /// The node of a folder, which is made if it is new.
    fn node(&mut self, folder: &str) -> u32 {
        let mut at = 0u32;
        for (slash, _) in folder.match_indices('/') {
            let name = &folder[self.nodes[at as usize].path.len()..slash];
            at = match self.nodes[at as usize].children.get(name) {
                Some(child) => *child,
                None => {
                    let child = self.nodes.len() as u32;
                    self.nodes.push(Node { path: folder[..=slash].to_owned(), ..Node::default() });
                    self.nodes[at as usize].children.insert(name.to_owned(), child);
                    child
                }
            };
        }
        at
    }

    fn count(&mut self, at: u32) -> usize {
        let below: usize = self.children(at).iter().map(|(_, child)| self.count(*child)).sum();
        let node = &mut self.nodes[at as usize];
        node.total = node.files + below;
        node.total
    }

    fn children(&self, at: u32) -> Vec<(String, u32)> {
        self.nodes[at as usize].children.iter().map(|(name, child)| (name.clone(), *child)).collect()
    }

    /// Sets the part of a folder and of all below it.
    fn assign(&mut self, at: u32, part: Option<Part>, kept: String) {
        let node = &mut self.nodes[at as usize];
        (node.part, node.kept) = (Some(part.unwrap_or(Part::Train)), kept.clone());
        let children = self.children(at);
        let Some((roles, files)) = self.roles(at, part) else {
            children.iter().for_each(|(name, child)| self.assign(*child, part, format!("{kept}{name}/")));
            return;
        };
        self.nodes[at as usize].part = files;
        self.nodes[at as usize].is_top = self.nodes[at as usize].files > 0 && files != Some(Part::Train);
        for ((name, child), role) in children.iter().zip(roles) {
            let below = match &role {
                Role::Part(_, None) => kept.clone(),
                Role::Part(_, Some(class)) => format!("{kept}{class}/"),
                Role::Keep | Role::Aside => format!("{kept}{name}/"),
            };
            match role {
                Role::Part(own, _) => {
                    self.divided = true;
                    // A doubled folder is one part.
                    let is_doubled = part == Some(own);
                    self.assign(*child, Some(own), below);
                    self.nodes[*child as usize].is_top |= !is_doubled;
                }
                Role::Keep => self.assign(*child, part, below),
                Role::Aside => self.leave(*child, true),
            }
        }
    }

    /// Leaves a folder and all below it aside.
    fn leave(&mut self, at: u32, is_top: bool) {
        let node = &mut self.nodes[at as usize];
        (node.part, node.is_top, node.kept) = (None, is_top, node.path.clone());
        self.children(at).iter().for_each(|(_, child)| self.leave(*child, false));
    }

    /// The roles of the folders in a folder, and the part of its files; `None` if all are just folders.
    fn roles(&self, at: u32, part: Option<Part>) -> Option<(Vec<Role>, Option<Part>)> {
        let node = &self.nodes[at as usize];
        let names: Vec<&str> = node.children.keys().map(|name| plain(name)).collect();
        if let ([only], 0, Some(part)) = (&names[..], node.files, part)
            && part_of(only) == Some(part)
        {
            return Some((vec![Role::Part(part, None)], Some(part)));
        }
        // Test images have no parts.
        if part.is_some_and(|part| part != Part::Train) {
            return None;
        }
        if let Some(level) = level(&names, node.files) {
            return Some(level);
        }
        if let Some(roles) = self.loose_beside_training(at, &names) {
            return Some((roles, None));
        }
        // Parts inside each class, or in one folder with a few stray images beside it.
        let leads: Vec<bool> = node.children.values().map(|child| self.leads_to_parts(*child)).collect();
        let inside: usize = self.total(at, &leads, true);
        let stray = node.files + self.total(at, &leads, false);
        if names.len() > 1 && inside > 0 && stray * STRAY_SHARE <= inside {
            let role = |leads: &bool| if *leads { Role::Keep } else { Role::Aside };
            return Some((leads.iter().map(role).collect(), None));
        }
        annotations(&names).map(|roles| (roles, part.or(Some(Part::Train))))
    }

    /// The roles of a training folder and of folders beside it that are called like those in it: the set in two states.
    fn loose_beside_training(&self, at: u32, names: &[&str]) -> Option<Vec<Role>> {
        let is_training = |name: &&str| part_of(name) == Some(Part::Train) && rest_of(name).is_empty();
        let training = names.iter().position(is_training)?;
        let (_, child) = self.nodes[at as usize].children.iter().nth(training)?;
        let inside = &self.nodes[*child as usize].children;
        let is_known = |other: &str| inside.keys().any(|name| plain(name).eq_ignore_ascii_case(other));
        let others = || names.iter().enumerate().filter(|(at, _)| *at != training);
        let are_known = inside.len() > 1 && others().count() > 0 && others().all(|(_, name)| is_known(name));
        let role = |at| if at == training { Role::Part(Part::Train, None) } else { Role::Aside };
        are_known.then(|| (0..names.len()).map(role).collect())
    }

    /// The files below those children of a folder that lead to parts, or don't.
    fn total(&self, at: u32, leads: &[bool], wanted: bool) -> usize {
        let children = self.nodes[at as usize].children.values();
        children
            .zip(leads)
            .filter(|(_, leads)| **leads == wanted)
            .map(|(child, _)| self.nodes[*child as usize].total)
            .sum()
    }

    /// Whether a folder has training and other images below it, possibly below folders that hold nothing else.
    fn leads_to_parts(&self, at: u32) -> bool {
        let node = &self.nodes[at as usize];
        let names: Vec<&str> = node.children.keys().map(|name| plain(name)).collect();
        let is = |roles: &[Role], wanted: &dyn Fn(Part) -> bool| {
            roles.iter().any(|role| matches!(role, Role::Part(part, _) if wanted(*part)))
        };
        match level(&names, node.files) {
            Some((roles, _)) if is(&roles, &|part| part == Part::Train) && is(&roles, &|part| part != Part::Train) => {
                true
            }
            _ => {
                let mut children = node.children.values();
                node.files == 0 && names.len() == 1 && children.any(|child| self.leads_to_parts(*child))
            }
        }
    }
}

/// A folder's name without the extension of an archive or a table.
pub(crate) fn plain(name: &str) -> &str {
    let mut name = name;
    while let Some(ending) = ENDINGS.iter().find(|ending| name.len() > ending.len() && ends_with(name, ending)) {
        name = &name[..name.len() - ending.len()];
    }
    name
}

fn ends_with(name: &str, ending: &str) -> bool {
    name.get(name.len() - ending.len()..).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// The roles of sibling folders, if they are parts, and the part of the `files` beside them.
fn level(names: &[&str], files: usize) -> Option<(Vec<Role>, Option<Part>)> {
    if names.is_empty() {
        return None;
    }
    let mut named: Vec<Option<Part>> = names.iter().map(|name| part_of(name)).collect();
    let mut rests: Vec<String> = names.iter().map(|name| rest_of(name)).collect();
    // Omniglot's.
    if let (Some(background), true) =
        (names.iter().position(|name| *name == "images_background"), names.contains(&"images_evaluation"))
    {
        (named[background], rests[background]) = (Some(Part::Train), String::new());
    }
    let of = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
        (0..names.len()).filter(|&at| named[at].is_some_and(wanted)).collect()
    };
    let (trains, others) = (of(&|part| part == Part::Train), of(&|part| part != Part::Train));
    let all_named = named.iter().all(Option::is_some);
    let all_strict = all_named && rests.iter().all(String::is_empty);
    let alike = |a: &[usize], b: &[usize]| a.iter().any(|a| b.iter().any(|b| rests[*a] == rests[*b]));
    let is_level = match (trains.is_empty(), others.is_empty()) {
        (false, false) => alike(&trains, &others) || (all_named && trains.iter().any(|&at| rests[at].is_empty())),
        // Nothing but numbered folders of one part.
        (false, true) | (true, false) => files == 0 && all_strict,
        (true, true) => false,
    };
    if is_level {
        let role = |at: usize| named[at].map_or(Role::Aside, |part| role(part, at, &named, &rests));
        return Some(((0..names.len()).map(role).collect(), None));
    }
    if !trains.is_empty() || others.is_empty() {
        return None;
    }
    if files > 0 && all_strict {
        return Some((named.iter().flatten().map(|part| Role::Part(*part, None)).collect(), Some(Part::Train)));
    }
    // `rps` beside `rps-test-set`, `images` beside `test`.
    let unnamed: Vec<usize> = (0..names.len()).filter(|&at| named[at].is_none()).collect();
    let has_words = |at: usize| !words(names[at]).is_empty();
    let is_its_test = |only: usize, at: usize| {
        let is_plain = named[at] != Some(Part::Unlabelled) && rests[at].is_empty();
        is_plain || share_a_word(names, only, at)
    };
    if let ([only], 0) = (&unnamed[..], files)
        && has_words(*only)
        && (alike(&unnamed, &others) || others.iter().any(|at| is_its_test(*only, *at)))
    {
        let role = |at: usize| role(named[at].unwrap_or(Part::Train), at, &named, &rests);
        return Some(((0..names.len()).map(role).collect(), None));
    }
    // Images without labels, or to judge with, beside those of each class.
    let beside_classes = |at: usize| {
        let is_plain = |part: &Part| match part {
            Part::Unlabelled => names[at].to_lowercase().starts_with("unlab"),
            part => *part != Part::Train,
        };
        named[at].filter(is_plain).filter(|_| rests[at].is_empty())
    };
    if files == 0 && unnamed.len() > 1 && (0..names.len()).any(|at| beside_classes(at).is_some()) {
        let role = |at| beside_classes(at).map_or(Role::Keep, |part| Role::Part(part, None));
        return Some(((0..names.len()).map(role).collect(), None));
    }
    None
}

/// Whether two names begin with the same word, maybe in the plural: `simpsons_dataset` and `kaggle_simpson_testset`.
fn share_a_word(names: &[&str], one: usize, other: usize) -> bool {
    const MIN_LETTERS: usize = 4;
    let words = |at: usize| -> Vec<String> { words(&rest_of(names[at])) };
    let alike = |a: &String, b: &String| {
        a.chars().count().min(b.chars().count()) >= MIN_LETTERS
            && (a.starts_with(b.as_str()) || b.starts_with(a.as_str()))
    };
    words(one).iter().any(|a| words(other).iter().any(|b| alike(a, b)))
}

/// The role of a folder of `part`: if there are several, which differ in more than numbers, they are classes (`trainA`, `trainB`),
/// or one is the part itself, beside which the others are left aside (`train`, `train_masks`).
fn role(part: Part, at: usize, named: &[Option<Part>], rests: &[String]) -> Role {
    let alike = (0..named.len()).filter(|&other| named[other].unwrap_or(Part::Train) == part);
    let mut of_part: Vec<&String> = alike.map(|other| &rests[other]).collect();
    of_part.sort_unstable();
    of_part.dedup();
    match (of_part.len(), rests[at].is_empty()) {
        (1, _) | (_, true) => Role::Part(part, None),
        _ if of_part.iter().any(|rest| rest.is_empty()) => Role::Aside,
        _ => Role::Part(part, Some(rests[at].clone())),
    }
}

/// Images beside pictures about them, whatever these are called: `images/` and `masks/` are no classes.
fn annotations(names: &[&str]) -> Option<Vec<Role>> {
    let roles: Option<Vec<Role>> = names
        .iter()
        .map(|name| match (folder_is_set(name), folder_is_about(name)) {
            (_, true) => Some(Role::Aside),
            (true, false) => Some(Role::Keep),
            (false, false) => None,
        })
        .collect();
    roles.filter(|roles| roles.contains(&Role::Keep) && roles.contains(&Role::Aside))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
