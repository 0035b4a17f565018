//! Finds the image that a row of a table is about, by the name or path in it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::formats::archive::is_image;
use crate::parts::Part;
use crate::spelling;

/// The images by their names.
pub(crate) struct Index<'a> {
    names: &'a [&'a str],
    parts: &'a [Part],
    /// The images with each name, without folders and extension.
    stems: HashMap<Cow<'a, str>, Vec<u32>>,
    /// Of names that are numbers: the images with each number, without leading zeros.
    numbers: HashMap<&'a str, Vec<u32>>,
    /// Whether names are compared in one spelling.
    is_loose: bool,
}

/// Where the images of a table are to be sought.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scope<'a> {
    /// The table's folder, with `/` at the end; empty for the root.
    pub folder: &'a str,
    /// The part that the table is about.
    pub part: Option<Part>,
    /// The name of the folder of the images, if the table is outside of it.
    pub root: &'a str,
}

/// The images of the rows of a table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Joined {
    /// The image of each row.
    pub image: Vec<Option<u32>>,
    /// The number of rows without an image, and the first one.
    pub without_image: (usize, Option<usize>),
    /// The number of rows that several images could be meant by, and the first one.
    pub ambiguous: (usize, Option<usize>),
}

/// What was found for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hit {
    Image(u32),
    /// An image of this name, but in another folder than the row says.
    Elsewhere(u32),
    Ambiguous,
    Nothing,
}

impl<'a> Index<'a> {
    /// The images of these paths and parts.
    pub fn new(names: &'a [&'a str], parts: &'a [Part]) -> Self {
        let mut stems: HashMap<Cow<'_, str>, Vec<u32>> = HashMap::new();
        let mut numbers: HashMap<&str, Vec<u32>> = HashMap::new();
        for (index, name) in names.iter().enumerate() {
            let stem = stem(name);
            stems.entry(stem.into()).or_default().push(index as u32);
            if let Some(number) = number(stem) {
                numbers.entry(number).or_default().push(index as u32);
            }
        }
        Self { names, parts, stems, numbers, is_loose: false }
    }

    /// The same images by their names in any spelling: capitals, accents of one character or two; in addresses, and as numbers with
    /// `.0` behind.
    pub fn loose(&self) -> Self {
        let mut stems: HashMap<Cow<'_, str>, Vec<u32>> = HashMap::new();
        for (index, name) in self.names.iter().enumerate() {
            stems.entry(spelling::plain(stem(name)).into()).or_default().push(index as u32);
        }
        Self { names: self.names, parts: self.parts, stems, numbers: self.numbers.clone(), is_loose: true }
    }

    /// Whether it is `loose`.
    pub fn is_loose(&self) -> bool {
        self.is_loose
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The path of an image.
    pub fn name(&self, image: u32) -> &'a str {
        self.names[image as usize]
    }

    /// The part of an image.
    pub fn part(&self, image: u32) -> Part {
        self.parts[image as usize]
    }

    /// Whether there are images of a part.
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether an image has this name, without folders and extension.
    pub fn is_named(&self, stem: &str) -> bool {
        self.stems.contains_key(stem)
    }

    /// Some image that a cell may name.
    pub fn some(&self, cell: &str) -> Option<u32> {
        self.named(file_of(cell.trim())).first().copied()
    }

    /// The images that a file's name may mean.
    fn named(&self, file: &str) -> &[u32] {
        let plain: Cow<'_, str> = if self.is_loose { plain(file).into() } else { stem(file).into() };
        let same = self.stems.get(&*plain).or_else(|| self.numbers.get(number(&plain)?));
        same.map_or(&[], Vec::as_slice)
    }

    /// The image of each cell. A path must be the end of an image's path, or the other way round, or be given relative to the
    /// table's folder. If no cell is such a path, files are known by their names alone, where these are unique.
    pub fn join<'c>(&self, cells: impl Iterator<Item = &'c str>, scope: Scope<'_>) -> Joined {
        let mut hits: Vec<Hit> = cells.map(|cell| self.find(cell, scope)).collect();
        let by_path = hits.iter().any(|hit| matches!(hit, Hit::Image(_)));
        for hit in &mut hits {
            *hit = match *hit {
                Hit::Elsewhere(image) if !by_path => Hit::Image(image),
                Hit::Elsewhere(_) => Hit::Nothing,
                hit => hit,
            };
        }
        let mut joined = Joined::default();
        for (row, hit) in hits.into_iter().enumerate() {
            let counted = match hit {
                Hit::Image(_) | Hit::Elsewhere(_) => None,
                Hit::Ambiguous => Some(&mut joined.ambiguous),
                Hit::Nothing => Some(&mut joined.without_image),
            };
            if let Some((count, first)) = counted {
                *count += 1;
                first.get_or_insert(row);
            }
            joined.image.push(if let Hit::Image(image) = hit { Some(image) } else { None });
        }
        joined
    }

    fn find(&self, cell: &str, scope: Scope<'_>) -> Hit {
        let cell = cell.trim().replace('\\', "/");
        let path: Vec<&str> = cell.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let Some((file, folders)) = path.split_last() else { return Hit::Nothing };
        let all = self.named(file);
        let in_part: Vec<u32> = match scope.part {
            Some(part) if self.has(part) => all.iter().copied().filter(|image| self.part(*image) == part).collect(),
            _ => all.to_vec(),
        };
        let whole: Vec<u32> = in_part.iter().copied().filter(|image| file_of(self.name(*image)) == *file).collect();
        let candidates = if whole.is_empty() { in_part } else { whole };
        match (&candidates[..], folders) {
            ([], _) => Hit::Nothing,
            ([only], []) => Hit::Image(*only),
            (several, []) => self.nearest(several, scope),
            (several, folders) => self.by_path(several, folders, scope),
        }
    }

    /// Of images with one name: the one in the table's folder, else the only one below it, else the only training image.
    fn nearest(&self, images: &[u32], scope: Scope<'_>) -> Hit {
        let only = |wanted: &dyn Fn(&u32) -> bool| {
            let mut found = images.iter().filter(|image| wanted(image));
            found.next().filter(|_| found.next().is_none()).copied()
        };
        let folder = |image: &u32| &self.name(*image)[..self.name(*image).len() - file_of(self.name(*image)).len()];
        only(&|image| folder(image) == scope.folder)
            .or_else(|| only(&|image| folder(image).starts_with(scope.folder)))
            .or_else(|| only(&|image| self.part(*image) == Part::Train))
            .map_or(Hit::Ambiguous, Hit::Image)
    }

    /// Of images with one name: the one with most of the last `folders` in its path, which must not contradict each other.
    fn by_path(&self, images: &[u32], folders: &[&str], scope: Scope<'_>) -> Hit {
        let alike = |image: &u32| {
            let name = self.name(*image);
            let own: Vec<&str> = name.split('/').rev().skip(1).collect();
            let is_same = |own: &str, given: &str| {
                own == given || (self.is_loose && spelling::plain(own) == spelling::plain(given))
            };
            let same = own.iter().zip(folders.iter().rev()).take_while(|(own, given)| is_same(own, given)).count();
            (same == own.len().min(folders.len())).then_some(same)
        };
        let most = images.iter().filter_map(alike).max();
        let Some(most) = most else {
            return if let [only] = images { Hit::Elsewhere(*only) } else { Hit::Nothing };
        };
        let best: Vec<u32> = images.iter().copied().filter(|image| alike(image) == Some(most)).collect();
        let hit = if let [only] = best[..] { Hit::Image(only) } else { self.nearest(&best, scope) };
        // `test/1.png` in a table beside the folder `train` is not the `1.png` in that.
        let is_of_another = |image: u32| {
            let above = folders.iter().rev().nth(self.name(image).matches('/').count());
            !scope.root.is_empty() && above.is_some_and(|above| !above.eq_ignore_ascii_case(scope.root))
        };
        match hit {
            Hit::Image(image) if is_of_another(image) => Hit::Elsewhere(image),
            hit => hit,
        }
    }
}

/// The name of a file without its folders.
fn file_of(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// The name of a file without its folders and without the extension of an image.
pub(crate) fn stem(path: &str) -> &str {
    let file = file_of(path);
    match file.rsplit_once('.') {
        Some((stem, extension))
            if is_image(file)
                || ["tif", "tiff", "ppm", "pgm", "npy"].iter().any(|known| extension.eq_ignore_ascii_case(known)) =>
        {
            stem
        }
        _ => file,
    }
}

/// The name of a file in one spelling, also of one in an address, with a key before it, or a number with `.0` behind.
fn plain(file: &str) -> String {
    let file = file.split(['?', '#']).next().unwrap_or(file);
    let decoded = unescaped(file);
    let stem = stem(without_key(&decoded));
    let whole = stem.split_once('.').filter(|(whole, zeros)| {
        number(whole).is_some() && !zeros.is_empty() && zeros.bytes().all(|byte| byte == b'0')
    });
    spelling::plain(whole.map_or(stem, |(whole, _)| whole))
}

/// The name of a file that Label Studio has given a key: `cat.png` of `3f2a9c01-cat.png`.
fn without_key(file: &str) -> &str {
    let is_key = |key: &str| key.len() == 8 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    file.split_once('-').filter(|(key, rest)| is_key(key) && !rest.is_empty()).map_or(file, |(_, rest)| rest)
}

/// Text of an address, in which `%20` is a space; as it is, where that gives no text.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.first_chunk::<2>().filter(|_| *byte == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(text.into(), Cow::Owned)
}

/// The digits of a number without leading zeros.
fn number(text: &str) -> Option<&str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| match text.trim_start_matches('0') {
        "" => "0",
        number => number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The image of each cell, `-` for none; how many are ambiguous and how many have none.
    fn joined(names: &str, cells: &str, folder: &str, part: Option<Part>) -> (String, usize, usize) {
        let names: Vec<&str> = names.split(' ').collect();
        let parts: Vec<Part> =
            names.iter().map(|name| if name.starts_with("test") { Part::Test } else { Part::Train }).collect();
        let joined = Index::new(&names, &parts).join(cells.split(' '), Scope { folder, part, root: "" });
        let found = joined.image.iter().map(|image| image.map_or("-", |image| names[image as usize]));
        (found.collect::<Vec<_>>().join(" "), joined.ambiguous.0, joined.without_image.0)
    }

    #[test]
    fn names_in_other_spellings_find_their_images() {
        for (names, cells, expected) in [
            ("IMG_1.PNG b.png", "img_1.png B.JPG", ("IMG_1.PNG b.png", 0, 0)),
            ("e\u{301}.png", "\u{e9}.png É", ("e\u{301}.png e\u{301}.png", 0, 0)),
            ("1.png 02.png", "1.0 2.00 3.0 1.5", ("1.png 02.png - -", 0, 2)),
            ("a.png", "https://x.org/b/a.png?w=300 http://y.org/A.png#top", ("a.png a.png", 0, 0)),
            ("x/1.png", "https://x.org/%31.png", ("x/1.png", 0, 0)),
            ("cat/1.png dog/1.png", "Cat/1.PNG DOG/1", ("cat/1.png dog/1.png", 0, 0)),
            // Two readings.
            ("a.png A.png", "Á a.PNG", ("- -", 1, 1)),
            ("%zz.png", "%zz", ("%zz.png", 0, 0)),
        ] {
            let names: Vec<&str> = names.split(' ').collect();
            let parts = vec![Part::Train; names.len()];
            let joined = Index::new(&names, &parts).loose().join(cells.split(' '), Scope::default());
            let found = joined.image.iter().map(|image| image.map_or("-", |image| names[image as usize]));
            let found = found.collect::<Vec<_>>().join(" ");
            assert_eq!((found.as_str(), joined.ambiguous.0, joined.without_image.0), expected, "{names:?}: {cells}");
        }
    }

    #[test]
    fn rows_find_their_images() {
        for (names, cells, expected) in [
            // With extension, without, with another.
            ("a.png b.png", "b.png a b.jpg c", ("b.png a.png b.png -", 0, 1)),
            ("x/a.png", "a", ("x/a.png", 0, 0)),
            ("a.png a.jpg", "a.jpg a", ("a.jpg -", 1, 0)),
            // Zeros that a spreadsheet takes away.
            ("0001.png 0010.png", "1 10 0001 01", ("0001.png 0010.png 0001.png 0001.png", 0, 0)),
            // Paths: whole, absolute, with backslashes, from inside.
            (
                "cat/1.png dog/1.png",
                "cat/1.png /data/all/dog/1.png C:\\x\\cat\\1 1",
                ("cat/1.png dog/1.png cat/1.png -", 1, 0),
            ),
            ("s/cat/1.png s/dog/1.png", "cat/1.png s/dog/1", ("s/cat/1.png s/dog/1.png", 0, 0)),
            // A path that another one contradicts is no match, unless all are known by name alone.
            ("train/1.png x/2.png", "test/1.png x/2.png", ("- x/2.png", 0, 1)),
            ("small/1.png small/2.png", "large/1.png large/2.png", ("small/1.png small/2.png", 0, 0)),
            ("small/1.png other/1.png", "large/1.png", ("-", 0, 1)),
            // A name that training and test images have is the training image's.
            ("train/1.png test/1.png", "1", ("train/1.png", 0, 0)),
        ] {
            let (found, ambiguous, without) = joined(names, cells, "", None);
            assert_eq!((found.as_str(), ambiguous, without), expected, "{names}: {cells}");
        }
        assert_eq!(joined("train/1.png test/1.png", "1", "", Some(Part::Test)).0, "test/1.png");
        assert_eq!(joined("train/1.png train/2.png", "1", "", Some(Part::Validation)).0, "train/1.png");
        assert_eq!(joined("a/1.png b/1.png", "1", "b/", None).0, "b/1.png");
        assert_eq!(joined("a/x/1.png b/x/1.png", "1.png", "b/", None).0, "b/x/1.png");
        assert_eq!(joined("a/x/1.png b/x/1.png", "x/1.png", "b/", None).0, "b/x/1.png");
    }
}
