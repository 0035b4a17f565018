//! What folders and archives have in common: which of their files are images, what those are called, and what else is
//! there.

use std::collections::BTreeMap;

/// Endings of the file names that are taken for images; what a file really is, its content tells.
const IMAGES: [&str; 9] = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "dib"];

/// Kinds of other files that are told apart.
const MAX_KINDS: usize = 100;

/// An image file in a folder or archive.
#[derive(Debug)]
pub struct Member<P> {
    /// Its path inside, with `/` between the parts.
    pub name: Box<str>,
    /// What it takes to find its bytes.
    pub place: P,
}

/// True where a file name ends as those of images do.
pub fn is_image(name: &str) -> bool {
    let extension = extension(name);
    IMAGES.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The path of an archive's member as plain as a folder would have it: no root, no way up, no control characters, `/`
/// between the parts. None for hidden files and for what macOS adds.
pub fn tidy(raw: &[u8]) -> Option<String> {
    // Names that are not UTF-8 keep apart from each other: one character per byte.
    let text = std::str::from_utf8(raw).map_or_else(|_| raw.iter().map(|&byte| byte as char).collect(), str::to_owned);
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let parts: Vec<&str> = text.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
    let hidden = parts.iter().any(|part| part.starts_with('.') || *part == "__MACOSX");
    (!hidden && !parts.is_empty()).then(|| parts.join("/"))
}

/// An archive's members in the order of their names, without the folders that hold all of them. Of several with one
/// name the last stays, which is the one that unpacking would leave.
pub fn settled<P>(mut members: Vec<Member<P>>) -> Vec<Member<P>> {
    members.reverse();
    // Stable, so that the last one comes first among equals.
    members.sort_by(|a, b| a.name.cmp(&b.name));
    members.dedup_by(|later, first| later.name == first.name);
    let shared = common_folders(members.iter().map(|member| &*member.name));
    if shared > 0 {
        members.iter_mut().for_each(|member| member.name = member.name[shared..].into());
    }
    members
}

/// The length of what all names begin with, up to and with a `/`: folders that hold everything and so tell nothing.
pub fn common_folders<'a>(names: impl Iterator<Item = &'a str>) -> usize {
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

/// Files that are not taken for images, by the ending of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Others {
    count: usize,
    kinds: BTreeMap<String, usize>,
}

impl Others {
    /// Counts a file.
    pub fn add(&mut self, name: &str) {
        self.count += 1;
        let kind = extension(name).to_ascii_lowercase();
        if self.kinds.len() < MAX_KINDS || self.kinds.contains_key(&kind) {
            *self.kinds.entry(kind).or_default() += 1;
        }
    }

    /// What a person should know of them: `3 files of other types left aside: 2 .txt, 1 .mp4`.
    pub fn describe(&self) -> Option<String> {
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let shown = kinds.iter().take(5).map(|(kind, count)| match kind.as_str() {
            "" => format!("{count} without an ending"),
            kind => format!("{count} .{kind}"),
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        let more = if kinds.len() > 5 { ", ..." } else { "" };
        match self.count {
            0 => None,
            1 => Some(format!("1 file of another type left aside: {shown}")),
            count => Some(format!("{count} files of other types left aside: {shown}{more}")),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_harmless() {
        let of = |raw: &[u8]| tidy(raw);
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
        let mut others = Others::default();
        assert_eq!(others.describe(), None);
        for name in ["a.txt", "b.TXT", "c/readme", "d.mp4", "e.txt"] {
            others.add(name);
        }
        let said = "5 files of other types left aside: 3 .txt, 1 without an ending, 1 .mp4";
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
        let member = |name: &str, place| Member { name: name.into(), place };
        let kept = settled(vec![member("x/b", 1), member("x/a", 2), member("x/b", 3)]);
        let kept: Vec<_> = kept.iter().map(|member| (&*member.name, member.place)).collect();
        assert_eq!(kept, [("a", 2), ("b", 3)]);
    }
}
