//! Divides the files of a set into its parts by their folders, and takes the names of the parts out of their paths, so that what
//! is left are classes: `seg_train/seg_train/forest/1.jpg` is `forest/1.jpg` of the training part.
//!
//! The folders of one level are parts if one of them is named as training part and another one, which is otherwise named alike,
//! as another part (`train` and `test`; `mnist_train` and `mnist_test`; `trainA` and `testA`). Folders beside them belong to no
//! part and are left aside, as are pictures of annotations beside images (`masks/` beside `images/`). Parts may be inside each
//! class (`cats/train/1.png`), below common folders and in doubled folders, and beside the classes (`cats`, `dogs`, `test`).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::companions::{Companions, Contents, Names, Why, companions, folder_is_about, folder_is_set};
use super::rejects::rejected;
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
    division.assign(0, None, String::new(), false);
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
        // Folders are named where they hold all of the part.
        if let Some(training) = holdings.get_mut(&Some(Part::Train)) {
            let tops: HashSet<&str> = training.folders.iter().map(String::as_str).collect();
            let is_inside = |path: &str| path.match_indices('/').any(|(slash, _)| tops.contains(&path[..=slash]));
            let mut others = self.nodes.iter().filter(|node| node.files > 0 && node.part == Some(Part::Train));
            if others.any(|node| !is_inside(&node.path)) {
                training.folders.clear();
            }
        }
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

    /// Sets the part of a folder and of all below it. `is_beside`: it has other folders of its part beside it.
    fn assign(&mut self, at: u32, part: Option<Part>, kept: String, is_beside: bool) {
        let node = &mut self.nodes[at as usize];
        (node.part, node.kept) = (Some(part.unwrap_or(Part::Train)), kept.clone());
        let children = self.children(at);
        let siblings = self.siblings(at);
        let rejected = rejected(&siblings.names, &siblings.totals, siblings.files, is_beside);
        let divided = self.roles(at, part);
        let roles = match divided {
            Some((roles, files)) => {
                self.nodes[at as usize].part = files;
                self.nodes[at as usize].is_top = self.nodes[at as usize].files > 0 && files != Some(Part::Train);
                roles
            }
            None => vec![Role::Keep; children.len()],
        };
        let is_kept = |(role, rejected): (&Role, &bool)| *role == Role::Keep && !rejected;
        let are_several = roles.iter().zip(&rejected).filter(|pair| is_kept(*pair)).count() > 1;
        for (((name, child), role), rejected) in children.iter().zip(roles).zip(rejected) {
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
                    self.assign(*child, Some(own), below, false);
                    self.nodes[*child as usize].is_top |= !is_doubled;
                }
                Role::Keep if !rejected => self.assign(*child, part, below, are_several),
                Role::Keep | Role::Aside => self.leave(*child, true),
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
        let siblings = self.siblings(at);
        if let ([only], 0, Some(part)) = (&siblings.names[..], node.files, part)
            && part_of(only) == Some(part)
        {
            return Some((vec![Role::Part(part, None)], Some(part)));
        }
        // Test images have no parts.
        if part.is_some_and(|part| part != Part::Train) {
            return None;
        }
        if let Some(level) = siblings.level() {
            return Some(level);
        }
        if let Some(roles) = siblings.regularized() {
            return Some((roles, None));
        }
        // Parts inside each class, or in one folder with others beside it, which are in no part. Where these hold nearly all, the
        // folder with parts is the other set.
        let leads = |parts: usize| -> Vec<bool> {
            node.children.values().map(|child| self.leads_to_parts(*child, parts)).collect()
        };
        let leads = if leads(2).contains(&true) { leads(1) } else { vec![false; siblings.names.len()] };
        let total = |wanted: bool| -> usize {
            siblings.totals.iter().zip(&leads).filter(|(_, leads)| **leads == wanted).map(|(total, _)| total).sum()
        };
        let (inside, beside) = (total(true), total(false));
        if let Some(roles) = annotations(&siblings.names) {
            return Some((roles, if inside > 0 { None } else { part.or(Some(Part::Train)) }));
        }
        if inside > 0 && node.files + beside > 0 {
            if node.files + beside > inside * STRAY_SHARE {
                let role = |leads: &bool| if *leads { Role::Aside } else { Role::Keep };
                return Some((leads.iter().map(role).collect(), Some(Part::Train)));
            }
            let role = |leads: &bool| if *leads { Role::Keep } else { Role::Aside };
            return Some((leads.iter().map(role).collect(), None));
        }
        None
    }

    /// The folders in a folder.
    fn siblings(&self, at: u32) -> Siblings<'_> {
        let node = &self.nodes[at as usize];
        Siblings {
            names: node.children.keys().map(|name| plain(name)).collect(),
            inside: node.children.values().map(|child| self.inside(*child)).collect(),
            totals: node.children.values().map(|child| self.nodes[*child as usize].total).collect(),
            files: node.files,
        }
    }

    /// The names of the folders in a folder, maybe in the only one in it, in lower case.
    fn inside(&self, at: u32) -> BTreeSet<String> {
        let node = &self.nodes[at as usize];
        match node.children.values().next() {
            Some(only) if node.children.len() == 1 && node.files == 0 => self.inside(*only),
            _ => node.children.keys().map(|name| plain(name).to_lowercase()).collect(),
        }
    }

    /// Whether a folder has at least one or two `parts` below it, training images among the two, possibly below a folder that holds
    /// most of its images.
    fn leads_to_parts(&self, at: u32, parts: usize) -> bool {
        let found: BTreeSet<bool> = match self.siblings(at).level() {
            Some((roles, _)) => {
                let is_train = |role: &Role| match role {
                    Role::Part(part, _) => Some(*part == Part::Train),
                    Role::Keep | Role::Aside => None,
                };
                roles.iter().filter_map(is_train).collect()
            }
            None => BTreeSet::new(),
        };
        let node = &self.nodes[at as usize];
        let holds_most = |child: u32| self.nodes[child as usize].total * 2 > node.total;
        found.len() >= parts
            || node.children.values().any(|child| holds_most(*child) && self.leads_to_parts(*child, parts))
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

/// Pairs of folders that are a training and a test part beside nothing but other parts; Omniglot's beside anything.
const PAIRS: [(&str, &str); 6] = [
    ("images_background", "images_evaluation"),
    ("tr", "te"),
    ("seen", "unseen"),
    ("base", "novel"),
    ("gallery", "query"),
    ("support", "query"),
];

/// Folders beside each other.
struct Siblings<'a> {
    names: Vec<&'a str>,
    /// The names of the folders in each.
    inside: Vec<BTreeSet<String>>,
    /// The files in and below each.
    totals: Vec<usize>,
    /// The files beside them.
    files: usize,
}

impl Siblings<'_> {
    /// The roles of the folders, if they are parts, and the part of the files beside them.
    fn level(&self) -> Option<(Vec<Role>, Option<Part>)> {
        let names = &self.names[..];
        if names.is_empty() {
            return None;
        }
        let mut named: Vec<Option<Part>> = names.iter().map(|name| part_of(name)).collect();
        let mut rests: Vec<String> = names.iter().map(|name| rest_of(name)).collect();
        self.name_pairs(&mut named, &mut rests);
        let of = |wanted: &dyn Fn(Part) -> bool| -> Vec<usize> {
            (0..names.len()).filter(|&at| named[at].is_some_and(wanted)).collect()
        };
        let (trains, others) = (of(&|part| part == Part::Train), of(&|part| part != Part::Train));
        let unnamed: Vec<usize> = (0..names.len()).filter(|&at| named[at].is_none()).collect();
        let all_strict = unnamed.is_empty() && rests.iter().all(String::is_empty);
        let alike = |a: &[usize], b: &[usize]| a.iter().any(|a| b.iter().any(|b| rests[*a] == rests[*b]));
        let is_strict = |at: &usize| rests[*at].is_empty() && named[*at] != Some(Part::Unlabelled);
        let few_files = self.files * STRAY_SHARE <= self.totals.iter().sum();
        let is_level = match (trains.is_empty(), others.is_empty()) {
            (false, false) => {
                let any_strict = || trains.iter().chain(&others).any(is_strict);
                let hold_same =
                    |a: &usize| others.iter().any(|b| (is_strict(a) || is_strict(b)) && self.hold_same(*a, *b));
                alike(&trains, &others) || (unnamed.is_empty() && any_strict()) || trains.iter().any(hold_same)
            }
            // Nothing but numbered folders of one part, or classes once more.
            (false, true) => {
                (few_files && all_strict) || trains.iter().any(|at| is_strict(at) && self.is_beside_its_classes(*at))
            }
            (true, false) => self.files == 0 && all_strict,
            (true, true) => false,
        };
        if is_level {
            // What else the names say are classes if it stands beside words for several parts.
            let are_classes = alike(&trains, &others) && !self.hold_same_in_all(&trains);
            let role = |at: usize| named[at].map_or(Role::Aside, |part| role(part, at, &named, &rests, are_classes));
            return Some(((0..names.len()).map(role).collect(), None));
        }
        if !trains.is_empty() || others.is_empty() {
            return None;
        }
        if self.files > 0 && all_strict {
            return Some((named.iter().flatten().map(|part| Role::Part(*part, None)).collect(), Some(Part::Train)));
        }
        if !few_files {
            return None;
        }
        // `rps` beside `rps-test-set`, `images` beside `test`.
        let has_words = |at: usize| !words(names[at]).is_empty();
        let is_its_test = |only: usize, at: usize| is_strict(&at) || share_a_word(names, only, at);
        if let [only] = unnamed[..]
            && has_words(only)
            && (alike(&unnamed, &others) || others.iter().any(|at| is_its_test(only, *at)))
        {
            let role = |at: usize| role(named[at].unwrap_or(Part::Train), at, &named, &rests, true);
            return Some(((0..names.len()).map(role).collect(), None));
        }
        if unnamed.len() < 2 {
            return None;
        }
        // Images without labels, or to judge with, beside those of each class, or beside those of all.
        let class_of = |at: usize| {
            let rest = rests[at].to_lowercase();
            unnamed.iter().find(|class| {
                !rest.is_empty() && [names[**class], &rests[**class]].iter().any(|name| name.to_lowercase() == rest)
            })
        };
        let of_classes: Vec<usize> = others.iter().copied().filter(|at| class_of(*at).is_some()).collect();
        let are_of_classes = !of_classes.is_empty() && of_classes.len() * 2 >= unnamed.len();
        let beside_classes = |at: usize| {
            let is_plain = |part: &Part| match part {
                Part::Unlabelled => names[at].to_lowercase().starts_with("unlab"),
                part => *part != Part::Train,
            };
            let whole = named[at].filter(is_plain).filter(|_| rests[at].is_empty()).map(|part| Role::Part(part, None));
            let class = || class_of(at).filter(|_| are_of_classes).map(|class| names[*class].to_owned());
            whole.or_else(|| Some(Role::Part(named[at]?, Some(class()?))))
        };
        if (0..names.len()).any(|at| beside_classes(at).is_some()) {
            let role = |at| beside_classes(at).unwrap_or(Role::Keep);
            return Some(((0..names.len()).map(role).collect(), None));
        }
        None
    }

    /// The images of a subject beside those of its kind, each in folders such as `10_dog`, as trainers of diffusion models have them:
    /// `img` and `reg`.
    fn regularized(&self) -> Option<Vec<Role>> {
        let place = |wanted: &str| self.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let is_repeated = |name: &String| name.split_once('_').is_some_and(|(times, _)| times.parse::<u32>().is_ok());
        let images = place("img")?;
        let are_repeated = !self.inside[images].is_empty() && self.inside[images].iter().all(is_repeated);
        let role = |at| if at == images { Role::Part(Part::Train, None) } else { Role::Aside };
        place("reg").filter(|_| are_repeated).map(|_| (0..self.names.len()).map(role).collect())
    }

    /// Names the parts of `PAIRS`.
    fn name_pairs(&self, named: &mut [Option<Part>], rests: &mut [String]) {
        let place = |wanted: &str| self.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        for (pair, (train, test)) in PAIRS.into_iter().enumerate() {
            let (Some(train), Some(test)) = (place(train), place(test)) else { continue };
            let are_named = (0..named.len()).all(|at| at == train || at == test || named[at].is_some());
            if pair == 0 || are_named {
                // Beside a training part both are to judge with.
                let is_beside = named.contains(&Some(Part::Train));
                named[train] = Some(if is_beside { Part::Test } else { Part::Train });
                named[test] = Some(Part::Test);
                [train, test].into_iter().for_each(|at| rests[at].clear());
            }
        }
    }

    /// Whether two folders hold the same folders, which are classes.
    fn hold_same(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.inside[one], &self.inside[other]);
        let is_class = |name: &&String| !folder_is_set(name) && !folder_is_about(name) && part_of(name).is_none();
        let same = one.intersection(other).filter(is_class).count();
        same > 1 && same * 2 >= one.len().min(other.len())
    }

    /// Whether there are several folders, each of which holds folders that the first one does.
    fn hold_same_in_all(&self, folders: &[usize]) -> bool {
        matches!(folders, [first, others @ ..] if !others.is_empty() && others.iter().all(|at| self.hold_same(*first, *at)))
    }

    /// Whether a training folder holds the folders that are beside it, or that most of those beside it hold.
    fn is_beside_its_classes(&self, train: usize) -> bool {
        let others = || (0..self.names.len()).filter(|at| *at != train);
        let inside = &self.inside[train];
        let are_inside = others().all(|at| inside.contains(&self.names[at].to_lowercase()));
        let same = others().filter(|at| self.hold_same(train, *at)).count();
        others().count() > 0 && ((inside.len() > 1 && are_inside) || same * 2 > others().count())
    }
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
fn role(part: Part, at: usize, named: &[Option<Part>], rests: &[String], are_classes: bool) -> Role {
    let alike = (0..named.len()).filter(|&other| named[other].unwrap_or(Part::Train) == part);
    let mut of_part: Vec<&String> = alike.map(|other| &rests[other]).collect();
    of_part.sort_unstable();
    of_part.dedup();
    match (of_part.len(), rests[at].is_empty()) {
        (1, _) | (_, true) => Role::Part(part, None),
        _ if of_part.iter().any(|rest| rest.is_empty()) => Role::Aside,
        _ if !are_classes => Role::Part(part, None),
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
