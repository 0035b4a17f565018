//! Members of folders and archives: which files are images, their names, and counts of other files.

use std::collections::BTreeMap;

/// Extensions of image files; the actual format is detected by content.
const IMAGES: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib"];

/// Maximum kinds of other files counted separately.
const MAX_KINDS: usize = 100;

/// An image file in a folder or archive.
#[derive(Debug)]
pub struct Member<P> {
    /// Its path inside the container, with `/` as the separator.
    pub name: Box<str>,
    /// The location of its bytes.
    pub location: P,
}

/// Whether a file name has the extension of an image.
pub(crate) fn is_image(name: &str) -> bool {
    let extension = extension(name);
    IMAGES.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The normalised path of an archive's member: no root, no `..`, no control characters, `/` as the separator. `None` for
/// hidden files and the files that macOS adds.
pub fn normalised(raw: &[u8]) -> Option<String> {
    // Names that are not UTF-8 stay distinct: one character per byte.
    let text = std::str::from_utf8(raw).map_or_else(|_| raw.iter().map(|&byte| byte as char).collect(), str::to_owned);
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let parts: Vec<&str> = text.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let hidden = parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX");
    (!hidden && !parts.is_empty()).then(|| parts.join("/"))
}

/// An archive's members sorted by name, without their common folders. Of several with the same name the last one is kept, as
/// in unpacking.
pub(crate) fn sorted_unique<P>(mut members: Vec<Member<P>>) -> Vec<Member<P>> {
    members.reverse();
    // A stable sort keeps the last one first among equals.
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members.dedup_by(|later, first| later.name == first.name);
    let shared = common_folders(members.iter().map(|member| &*member.name));
    if shared > 0 {
        members.iter_mut().for_each(|member| member.name = member.name[shared..].into());
    }
    members
}

/// The length of the common folders of all names, including the last `/`.
pub(crate) fn common_folders<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    let mut common: Option<&str> = None;
    for name in names {
        let folders = name.rfind('/').map_or(0, |slash| slash + 1);
        let kept = common.unwrap_or(&name[..folders]);
        let same = kept.bytes().zip(name[..folders].bytes()).take_while(|(a, b)| a == b).count();
        let whole = kept.as_bytes()[..same].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        common = Some(&kept[..whole]);
        if whole == 0 {
            return 0;
        }
    }
    common.map_or(0, str::len)
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
        assert_eq!(of(b"/a/../b\\c.png").unwrap(), "a/b/c.png");
        assert_eq!(of(b"./x.png").unwrap(), "x.png");
        assert_eq!(of(b"a\x1b[2J.png").unwrap(), "a\u{fffd}[2J.png");
        assert_ne!(of(b"\xe9.png"), of(b"\xe8.png"));
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
    fn folders_that_hold_everything_are_found() {
        let of = |names: &[&str]| common_folders(names.iter().copied());
        assert_eq!(of(&["top/a/1", "top/a/2", "top/b/1"]), 4);
        assert_eq!(of(&["top/ab/1", "top/ac/2"]), 4);
        assert_eq!(of(&["top/in/1", "top/in/2"]), 7);
        assert_eq!(of(&["top/1", "2"]), 0);
        assert_eq!(of(&["a", "b"]), 0);
        assert_eq!(of(&[]), 0);
    }

    #[test]
    fn of_one_name_the_last_stays_and_shared_folders_go() {
        let member = |name: &str, location| Member { name: name.into(), location };
        let kept = sorted_unique(vec![member("x/b", 1), member("x/a", 2), member("x/b", 3)]);
        let kept: Vec<_> = kept.iter().map(|member| (&*member.name, member.location)).collect();
        assert_eq!(kept, [("a", 2), ("b", 3)]);
    }
}
