//! Members of folders and archives: which files are images, their names, and counts of what is passed over.

use std::collections::BTreeMap;

use crate::formats::hidden::is_hidden;

/// Extensions of image files; the actual format is detected by content.
const IMAGES: [&str; 18] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "mpo", "webp", "gif", "bmp", "dib", "tif", "tiff", "pgm", "ppm",
    "pbm", "pnm", "pam",
];

/// Maximum kinds of other files counted separately.
const MAX_KINDS: usize = 100;

/// A file in a folder or archive.
#[derive(Debug)]
pub struct Member<P> {
    /// Its path inside the container, with `/` as the separator.
    pub name: Box<str>,
    /// The location of its bytes.
    pub location: P,
}

/// Whether a file name has the extension of an image.
pub fn is_image(name: &str) -> bool {
    let extension = extension(name);
    IMAGES.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Extensions of texts, which may hold labels.
const TEXTS: [&str; 12] =
    ["csv", "tsv", "txt", "json", "jsonl", "ndjson", "cls", "class", "label", "lst", "list", "md"];

/// Endings of archives.
const ARCHIVES: [&str; 7] = [".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"];

/// Whether a file name has the extension of a text, which may hold labels.
pub(crate) fn is_text(name: &str) -> bool {
    let extension = extension(name);
    TEXTS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

/// Whether a file name has the ending of an archive.
pub(crate) fn is_archive_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| name.ends_with(ending))
}

/// The extension of a file name, without the dot.
pub(crate) fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The normalised path of an archive's member: no root, no `..`, no control characters, `/` as the separator; `\` is one where
/// the name has no `/`. `None` for hidden files and those that systems add.
pub fn normalised(raw: &[u8]) -> Option<String> {
    // Names that are not UTF-8 stay distinct: one character per byte, as the old code page of zip archives has them.
    let is_utf8 = std::str::from_utf8(raw).is_ok();
    let separator = if raw.contains(&b'/') { b'/' } else { b'\\' };
    // A backslash may be the second byte of a character of an unknown code page, such as Shift-JIS.
    let is_separator = |at: usize| {
        raw[at] == separator
            && (separator == b'/' || is_utf8 || at.checked_sub(1).is_none_or(|before| raw[before].is_ascii()))
    };
    let ends = (0..raw.len()).filter(|at| is_separator(*at)).chain([raw.len()]);
    let mut from = 0;
    let mut parts: Vec<String> = Vec::new();
    for end in ends {
        let part = &raw[from..end];
        from = end + 1;
        let text =
            std::str::from_utf8(part).map_or_else(|_| part.iter().map(|&byte| cp437(byte)).collect(), str::to_owned);
        let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        if !matches!(&*text, "" | "." | "..") {
            parts.push(text);
        }
    }
    let hidden = parts.iter().any(|part| is_hidden(part));
    (!hidden && !parts.is_empty()).then(|| parts.join("/"))
}

/// A character of code page 437.
fn cp437(byte: u8) -> char {
    const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                         αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";
    if byte.is_ascii() { byte as char } else { UPPER.chars().nth(usize::from(byte) - 128).unwrap_or('\u{fffd}') }
}

/// The members, images first, each kind sorted by name, and the number of images. Of several with the same name the last one is
/// kept, as in unpacking.
pub(crate) fn sorted_unique<P>(mut members: Vec<Member<P>>) -> (Vec<Member<P>>, usize) {
    members.reverse();
    // A stable sort keeps the last one first among equals.
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members.dedup_by(|later, first| later.name == first.name);
    images_first(members)
}

/// Sorted members with the images first, and the number of images.
pub(crate) fn images_first<P>(members: Vec<Member<P>>) -> (Vec<Member<P>>, usize) {
    chosen_first(members, |_, name| is_image(name))
}

/// Members with those first that `is_image`, by number and name, and the number of these.
pub(crate) fn chosen_first<P>(
    members: Vec<Member<P>>,
    is_image: impl Fn(usize, &str) -> bool,
) -> (Vec<Member<P>>, usize) {
    let (mut images, mut others) = (Vec::new(), Vec::new());
    for (at, member) in members.into_iter().enumerate() {
        if is_image(at, &member.name) { images.push(member) } else { others.push(member) }
    }
    let count = images.len();
    images.extend(others);
    (images, count)
}

/// What was passed over while files were listed, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PassedOver {
    /// Links in an archive.
    links: Sample,
    /// Names in an archive of a code page that is not known.
    unclear_names: Sample,
    /// Archives that stop without the mark of their end.
    unended: Sample,
    /// Links in a folder that lead nowhere.
    broken_links: Sample,
    /// Pipes, sockets and devices in a folder.
    devices: Sample,
    /// Files in iCloud, of which a folder has only the names.
    in_cloud: Sample,
    /// Images that only their content shows to be such.
    pub(crate) unnamed: Sample,
    /// Folders that can't be read; the system's reason with the name.
    folders: Sample,
    /// Archives that can't be read, with the reason.
    pub archives: Sample,
    /// Archives of the same name as another one.
    pub packings: Sample,
    /// Folders that programs keep their own files in: runs, Python environments.
    programs: Sample,
}

/// A number of things, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sample {
    count: usize,
    first: String,
}

impl Sample {
    /// Counts one more.
    pub fn add(&mut self, name: impl Into<String>) {
        if self.count == 0 {
            self.first = name.into();
        }
        self.count += 1;
    }
}

impl PassedOver {
    /// A link in an archive.
    pub fn link(&mut self, name: &str) {
        self.links.add(name);
    }

    /// A file in an archive whose name is in a code page that is not known.
    pub fn unclear_name(&mut self, name: &str) {
        self.unclear_names.add(name);
    }

    /// An archive that stops without the mark of its end.
    pub fn unended(&mut self, name: &str) {
        self.unended.add(name);
    }

    /// A link in a folder that leads nowhere.
    pub fn broken_link(&mut self, name: &str) {
        self.broken_links.add(name);
    }

    /// A pipe, a socket or a device in a folder.
    pub fn device(&mut self, name: &str) {
        self.devices.add(name);
    }

    /// A file in iCloud, of which a folder has only the name.
    pub fn in_cloud(&mut self, name: &str) {
        self.in_cloud.add(name);
    }

    /// A folder that can't be read.
    pub fn folder(&mut self, name: &str, reason: &str) {
        self.folders.add(format!("{name}: {reason}"));
    }

    /// A folder that a program keeps its own files in.
    pub fn folder_of_program(&mut self, name: &str, what: &str) {
        self.programs.add(format!("{name}: {what}"));
    }

    /// Adds what was passed over elsewhere.
    pub fn extend(&mut self, other: &Self) {
        for (to, from) in [
            (&mut self.links, &other.links),
            (&mut self.unclear_names, &other.unclear_names),
            (&mut self.unended, &other.unended),
            (&mut self.devices, &other.devices),
            (&mut self.in_cloud, &other.in_cloud),
            (&mut self.unnamed, &other.unnamed),
            (&mut self.broken_links, &other.broken_links),
            (&mut self.folders, &other.folders),
            (&mut self.archives, &other.archives),
            (&mut self.packings, &other.packings),
            (&mut self.programs, &other.programs),
        ] {
            if to.count == 0 {
                to.first.clone_from(&from.first);
            }
            to.count += from.count;
        }
    }

    /// Notes for the user, one sentence each.
    pub fn describe(&self) -> Vec<String> {
        let each = |sample: &Sample, one: &str, many: &str, hint: &str| match sample.count {
            0 => None,
            1 => Some(format!("1 {one} passed over ({}){hint}", sample.first)),
            count => Some(format!("{count} {many} passed over ({}, for one){hint}", sample.first)),
        };
        let unended = (self.unended.count > 0).then(|| match self.unended.count {
            1 => format!("{} has no end mark: it may be cut short, and images may be missing", self.unended.first),
            count => format!(
                "{count} archives have no end mark ({}, for one): they may be cut short, and images may be missing",
                self.unended.first
            ),
        });
        let unclear = (self.unclear_names.count > 0).then(|| {
            format!(
                "{} in the archive {} in no known encoding ({}), so that names of classes may be garbled; pack it with names \
                 in UTF-8, or unpack it with its encoding (unzip -O CP932)",
                if self.unclear_names.count == 1 { "1 name".to_owned() } else { format!("{} names", self.unclear_names.count) },
                if self.unclear_names.count == 1 { "is" } else { "are" },
                self.unclear_names.first
            )
        });
        let pack = "; pack the files instead (tar --dereference --hard-dereference)";
        [
            each(&self.folders, "folder that can't be read is", "folders that can't be read are", ""),
            each(&self.archives, "archive that can't be read is", "archives that can't be read are", ""),
            each(&self.packings, "other packing of an archive is", "other packings of archives are", ""),
            each(&self.links, "link in the archive is", "links in the archive are", pack),
            each(&self.programs, "folder of a program's own files is", "folders of programs' own files are", ""),
            each(&self.broken_links, "link that leads nowhere is", "links that lead nowhere are", ""),
            each(&self.devices, "pipe or device is", "pipes or devices are", ""),
            each(
                &self.in_cloud,
                "file is still in iCloud and",
                "files are still in iCloud and",
                "; to download: brctl download FOLDER",
            ),
            (self.unnamed.count > 0).then(|| {
                format!(
                    "images are told by their content, as no file has the ending of one: {} ({}, for one)",
                    self.unnamed.count, self.unnamed.first
                )
            }),
        ]
        .into_iter()
        .chain([unended, unclear])
        .flatten()
        .collect()
    }
}

/// Counts of other files by extension.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OtherFiles {
    count: usize,
    kinds: BTreeMap<String, usize>,
}

impl OtherFiles {
    /// Counts a file.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        let kind = extension(name).to_ascii_lowercase();
        if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind) {
            *self.kinds.entry(kind).or_default() += 1;
        }
    }

    /// A note for the user: `3 files of other types skipped: 2 .txt, 1 .mp4`.
    pub fn describe(&self) -> Option<String> {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let listed = kinds.iter().take(5).map(|(kind, count)| match kind.as_str() {
            "" => format!("{count} without an extension"),
            kind => format!("{count} .{kind}"),
        });
        let listed = listed.collect::<Vec<_>>().join(", ");
        let more = if kinds.len() > 5 { ", ..." } else { "" };
        match self.count {
            0 => None,
            1 => Some(format!("1 file of another type skipped: {listed}")),
            count => Some(format!("{count} files of other types skipped: {listed}{more}")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        let of = |raw: &[u8]| normalised(raw);
        assert_eq!(of(b"\\a\\..\\b\\c.png").unwrap(), "a/b/c.png");
        assert_eq!(of(b"/a/../b\\c.png").unwrap(), "a/b\\c.png");
        // Shift-JIS, in which the second byte of many characters is that of a backslash.
        let [table, ability] = [&b"\x95\x5c/1.png"[..], b"\x94\x5c/1.png"].map(|raw| of(raw).unwrap());
        assert!(table != ability && [table, ability].iter().all(|name| name.matches('/').count() == 1));
        assert_eq!(of(b"\x95\x5c.png").unwrap().matches('/').count(), 0);
        assert_eq!(of(b"./x.png").unwrap(), "x.png");
        assert_eq!(of(b"a\x1b[2J.png").unwrap(), "a\u{fffd}[2J.png");
        assert_ne!(of(b"\xe9.png"), of(b"\xe8.png"));
        assert_eq!(of(b"caf\x82/\x80.png").unwrap(), "café/Ç.png");
        assert_eq!(of("café.png".as_bytes()).unwrap(), "café.png");
        for hidden in [&b"__MACOSX/a.png"[..], b"a/.b/c.png", b"/", b".."] {
            assert_eq!(of(hidden), None);
        }
    }

    #[test]
    fn images_are_told_by_the_ending() {
        assert!(["a.png", "b/c.JPEG", "x.y.webp"].iter().all(|name| is_image(name)));
        assert!(!["png", "a.png/b", "a.pngx", "a."].iter().any(|name| is_image(name)));
        let mut others = OtherFiles::default();
        assert_eq!(others.describe(), None);
        for name in ["a.txt", "b.TXT", "c/readme", "d.mp4", "e.txt"] {
            others.add(name);
        }
        let said = "5 files of other types skipped: 3 .txt, 1 without an extension, 1 .mp4";
        assert_eq!(others.describe().unwrap(), said);
    }

    #[test]
    fn of_one_name_the_last_stays_and_images_come_first() {
        let member = |name: &str, location| Member { name: name.into(), location };
        let (kept, images) =
            sorted_unique(vec![member("x/b.png", 1), member("x/a.txt", 4), member("x/a.png", 2), member("x/b.png", 3)]);
        let kept: Vec<_> = kept.iter().map(|member| (&*member.name, member.location)).collect();
        assert_eq!((kept, images), (vec![("x/a.png", 2), ("x/b.png", 3), ("x/a.txt", 4)], 2));
    }

    #[test]
    fn what_is_passed_over_is_said_with_an_example() {
        let mut passed = PassedOver::default();
        assert!(passed.describe().is_empty());
        passed.folder("lost+found", "Permission denied");
        let mut other = PassedOver::default();
        other.link("a.png");
        other.link("b.png");
        other.broken_link("c.png");
        passed.extend(&other);
        assert_eq!(
            passed.describe(),
            [
                "1 folder that can't be read is passed over (lost+found: Permission denied)",
                "2 links in the archive are passed over (a.png, for one); pack the files instead (tar --dereference \
                 --hard-dereference)",
                "1 link that leads nowhere is passed over (c.png)",
            ]
        );
    }
}
