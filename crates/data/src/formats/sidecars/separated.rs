//! Tables whose cells are parted by a sign (CSV, TSV) or by blanks. Blanks are also inside labels and names of files: there the names
//! of the images tell where a cell ends.

use std::collections::BTreeMap;

use csv::{ReaderBuilder, StringRecord, Trim};

use super::table::{MAX_COLUMNS, Table};
use crate::formats::archive::is_image;
use crate::parts::part_of;

/// The signs between cells, the rarer ones in names and labels first.
const SIGNS: [char; 4] = ['\t', ';', '|', ','];

/// Lines looked at to find the separator.
const SAMPLE_LINES: usize = 50;

/// Most lines above the names of the columns: a title, a count.
const MAX_TITLES: usize = 5;

/// Most words of the name of a file.
const MAX_WORDS: usize = 6;

/// One line in this many must name an image, at least, for the names to part the lines.
const MIN_SHARE: usize = 10;

/// Whether a text names an image.
pub(super) type IsName<'a> = &'a dyn Fn(&str) -> bool;

/// How a sign parts the first lines.
#[derive(Clone, Copy, Debug)]
struct Parting {
    sign: char,
    /// Usual number of cells.
    cells: usize,
    /// Whether all lines have this number of cells.
    all: bool,
    /// Lines with a cell that names an image.
    named: usize,
}

/// A table in text; `is_name` tells names of images.
pub(super) fn separated(text: &str, is_name: IsName<'_>) -> Result<Table, String> {
    // Excel's first line, which names the separator.
    let first = text.lines().next().unwrap_or_default().trim().trim_matches('"');
    let given = first.strip_prefix("sep=").filter(|rest| rest.len() <= 1);
    let text = if given.is_some() { text.split_once('\n').map_or("", |two| two.1) } else { text };
    let given = given.map(|rest| rest.chars().next().unwrap_or('\t')).filter(|sign| !sign.is_alphanumeric());
    let quote = quote(text);
    let records = records(text, quote);
    let of = |sign| parting(&records, sign, quote, is_name);
    let best = match given.filter(char::is_ascii).and_then(of) {
        Some(given) => Some(Parting { all: true, named: 1, ..given }),
        None => SIGNS.into_iter().rev().filter_map(of).max_by_key(|parting| {
            let cells = if parting.all { 0 } else { parting.cells };
            (parting.all, parting.named, cells)
        }),
    };
    let by_sign = |best: Parting| by_sign(text, best, quote, is_name);
    if let Some(best) = best.filter(|best| best.named > 0) {
        return by_sign(best);
    }
    if let Some(table) = by_names(text, is_name) {
        return Ok(table);
    }
    // Names of classes have commas: `n01440764 tench, Tinca tinca`.
    let best = best.filter(|best| best.sign != ',' || !are_numbered(&records));
    match (best, words(&records)) {
        (Some(best), words) if best.all || words.is_none_or(|words| words <= best.cells) => by_sign(best),
        (_, Some(words)) => by_blanks(text, words),
        _ => {
            let mut table = Table::new(1);
            said(text).for_each(|line| table.push([line].into_iter()));
            Ok(table)
        }
    }
}

/// How a sign parts most of the lines, not counting titles above them.
fn parting(records: &[String], sign: char, quote: char, is_name: IsName<'_>) -> Option<Parting> {
    let lines: Vec<Vec<&str>> = records.iter().map(|line| cells_of(line, sign, quote)).collect();
    let mut counts: Vec<usize> = lines.iter().map(Vec::len).collect();
    counts.sort_unstable();
    let cells = counts.get(counts.len() / 2).copied().filter(|cells| *cells > 1)?;
    let titles = lines.iter().take(MAX_TITLES).take_while(|line| line.len() == 1 && !is_name(line[0])).count();
    let equal = lines.iter().filter(|line| line.len() == cells).count();
    let is_named = |cell: &&str| {
        let cell = cell.trim().trim_matches(quote);
        is_image(cell) || is_name(cell)
    };
    let named = lines.iter().filter(|line| line.iter().any(is_named)).count();
    let all = equal + titles == lines.len();
    (all || equal * 3 >= lines.len() * 2).then_some(Parting { sign, cells, all, named })
}

/// The usual number of words in a line, if most lines have as many, and several.
fn words(records: &[String]) -> Option<usize> {
    let mut counts: Vec<usize> = records.iter().map(|line| line.split_whitespace().count()).collect();
    counts.sort_unstable();
    let usual = counts.get(counts.len() / 2).copied().filter(|words| *words > 1)?;
    let equal = counts.iter().filter(|count| **count == usual).count();
    (equal * 3 >= counts.len() * 2 || are_numbered(records)).then_some(usual)
}

/// Whether lines are a number or WordNet's, and one word or several: lists of classes.
fn are_numbered(records: &[String]) -> bool {
    let is_key = |word: &str| word.strip_prefix('n').unwrap_or(word).parse::<u64>().is_ok();
    let has_text = |rest: &str| rest.contains(char::is_alphabetic);
    records
        .iter()
        .all(|line| line.split_once(char::is_whitespace).is_some_and(|(key, rest)| is_key(key) && has_text(rest)))
}

fn check_width(width: usize) -> Result<Table, String> {
    if width > MAX_COLUMNS {
        return Err(format!("it has {width} columns, more than the {MAX_COLUMNS} allowed"));
    }
    Ok(Table::new(width))
}

/// A table whose cells a sign parts.
fn by_sign(text: &str, best: Parting, quote: char, is_name: IsName<'_>) -> Result<Table, String> {
    let mut table = check_width(best.cells)?;
    let mut reader = ReaderBuilder::new();
    let reader = reader.has_headers(false).flexible(true).trim(Trim::All).comment(Some(b'#'));
    let reader = reader.delimiter(best.sign as u8).quote(quote as u8);
    let mut reader = reader.from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    // Lines with one cell above wider ones are titles.
    let mut titles: Vec<StringRecord> = Vec::new();
    let mut is_begun = false;
    while reader.read_record(&mut record).map_err(|error| error.to_string())? {
        let mut filled = record.iter().filter(|cell| !cell.is_empty());
        let (Some(first), second) = (filled.next(), filled.next()) else { continue };
        if !is_begun && second.is_none() && !is_name(first) && titles.len() < MAX_TITLES {
            titles.push(record.clone());
            continue;
        }
        if !is_begun && second.is_none() {
            // Too many for titles, or names of images.
            titles.drain(..).for_each(|title| table.push(title.iter()));
        }
        is_begun = true;
        table.push(record.iter());
    }
    if !is_begun {
        titles.iter().for_each(|title| table.push(title.iter()));
    }
    Ok(table)
}

/// A table of words, or in lists of classes of a number and a name.
fn by_blanks(text: &str, words: usize) -> Result<Table, String> {
    let lines: Vec<String> = said(text).map(str::to_owned).collect();
    let is_equal = lines.iter().all(|line| line.split_whitespace().count() == words);
    if !is_equal && are_numbered(&lines) {
        let mut table = Table::new(2);
        for line in &lines {
            let (key, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            table.push([key, rest].into_iter());
        }
        return Ok(table);
    }
    let mut table = check_width(words)?;
    lines.iter().for_each(|line| table.push(line.split_whitespace()));
    Ok(table)
}

/// Where the names of images are in lines of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Last,
    First,
}

/// A table of lines of words that begin or end with the name of an image. `None` for lines of another kind.
fn by_names(text: &str, is_name: IsName<'_>) -> Option<Table> {
    let lines: Vec<Vec<&str>> = said(text).map(|line| line.split_whitespace().collect()).collect();
    if lines.iter().all(|line| line.len() < 2) {
        return None;
    }
    // Paths are known by their ends, so that the shortest name counts.
    let first =
        |line: &[&str], is_name: IsName<'_>| (1..line.len().min(MAX_WORDS)).find(|at| is_name(&line[..*at].join(" ")));
    let last = |line: &[&str], is_name: IsName<'_>| {
        (1..line.len().min(MAX_WORDS)).find(|count| is_name(&line[line.len() - count..].join(" ")))
    };
    let count = |has: &dyn Fn(&[&str]) -> bool| lines.iter().filter(|line| has(line)).count();
    // A name of several words that is the whole line, and whose last word is no name.
    let whole = count(&|line| line.len() > 1 && last(line, is_name).is_none() && is_name(&line.join(" ")));
    let named = [
        (count(&|line| first(line, is_name).is_some()), Side::First),
        (count(&|line| last(line, is_name).is_some()), Side::Last),
    ];
    let (most, best) = named.into_iter().max()?;
    if whole > most {
        return None;
    }
    let paths = |at: fn(&[&str]) -> Option<String>| {
        count(&|line| line.len() > 1 && at(line).is_some_and(|word| is_image(&word)))
    };
    let at_first = paths(|line| line.first().map(|word| (*word).to_owned()));
    let at_last = paths(|line| line.last().map(|word| (*word).to_owned()));
    let is_any = |name: &str| is_name(name) || is_image(name);
    let (hits, side, is_name): (usize, Side, IsName<'_>) = match named {
        [(0, _), (0, _)] => (at_first, Side::First, &is_any),
        // Numbers may be names by chance, paths hardly.
        [_, (last, side)] if last > 0 && at_last > 0 && at_first == 0 => (last, side, is_name),
        _ => (most, best, is_name),
    };
    if hits == 0 || hits * MIN_SHARE < lines.len() {
        return None;
    }
    let name_of = |line: &[&str]| match side {
        Side::First => first(line, is_name),
        Side::Last => last(line, is_name),
    };
    // Lines above the first row.
    let is_above = |line: &&Vec<&str>| {
        name_of(line).is_none()
            && (line.len() == 1
                || line
                    .iter()
                    .all(|word| !word.contains(|c: char| c.is_ascii_digit() || c == '.') || word.contains('_')))
    };
    let above = lines.iter().take(MAX_TITLES).take_while(is_above).count();
    let (above, lines) = lines.split_at(above);
    let usual = lines.iter().filter_map(|line| name_of(line)).min().unwrap_or(1);
    let parted: Vec<(String, &[&str])> = lines
        .iter()
        .map(|line| {
            let words = name_of(line).unwrap_or(usual).min(line.len());
            match side {
                Side::First => (line[..words].join(" "), &line[words..]),
                Side::Last => (line[line.len() - words..].join(" "), &line[..line.len() - words]),
            }
        })
        .collect();
    let header = above.last().filter(|line| line.len() > 1);
    let shape = shape(&parted.iter().map(|(_, rest)| *rest).collect::<Vec<_>>(), header.map(|line| line.len() - 1))?;
    let mut table = Table::new(shape.columns() + 1);
    let mut push = |name: &str, rest: Vec<String>| {
        let rest = rest.iter().map(String::as_str);
        match side {
            Side::First => table.push([name].into_iter().chain(rest)),
            Side::Last => {
                let empty = std::iter::repeat_n("", shape.columns().saturating_sub(rest.len()));
                table.push(rest.chain(empty).chain([name]));
            }
        }
    };
    if let Some(header) = header.filter(|header| header.len() == shape.columns() + 1) {
        let (name, rest) = match side {
            Side::First => (header[0], &header[1..]),
            Side::Last => (header[header.len() - 1], &header[..header.len() - 1]),
        };
        push(name, rest.iter().map(|word| (*word).to_owned()).collect());
    }
    parted.iter().for_each(|(name, rest)| push(name, shape.cells(rest)));
    Some(table)
}

/// How words beside the name of an image make up cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// One cell for each of N words.
    Each(usize),
    /// So many cells of one word each, then one of all others.
    Rest(usize),
    /// One cell of words, then N numbers.
    Numbers(usize),
}

impl Shape {
    fn columns(self) -> usize {
        match self {
            Self::Each(count) => count,
            Self::Rest(count) | Self::Numbers(count) => count + 1,
        }
    }

    fn cells(self, words: &[&str]) -> Vec<String> {
        let each = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match self {
            Self::Each(_) => each(words),
            Self::Rest(count) => {
                let (before, rest) = words.split_at(count.min(words.len()));
                each(before).into_iter().chain([rest.join(" ")]).collect()
            }
            Self::Numbers(count) => {
                let (label, numbers) = words.split_at(words.len().saturating_sub(count));
                [label.join(" ")].into_iter().chain(each(numbers)).collect()
            }
        }
    }
}

/// The shape of the words of all lines, of which a header names this number of columns. `None` if there are too many.
fn shape(lines: &[&[&str]], header: Option<usize>) -> Option<Shape> {
    let is_number = |word: &&&str| word.parse::<f64>().is_ok();
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    lines.iter().for_each(|line| *counts.entry(line.len()).or_default() += 1);
    let most = counts.last_key_value().map_or(0, |(most, _)| *most);
    let mut filled = counts.keys().filter(|count| **count > 0);
    let is_equal = filled.next().is_some() && filled.next().is_none();
    if is_equal {
        let has = |column: usize, is: &dyn Fn(&str) -> bool| {
            lines.iter().filter_map(|line| line.get(column)).all(|word| is(word))
        };
        let apart =
            |column: usize| has(column, &|word| is_number(&&word)) || has(column, &|word| part_of(word).is_some());
        if most < 2 || header == Some(most) || (0..most).any(apart) {
            return (most < MAX_COLUMNS).then_some(Shape::Each(most));
        }
        return Some(Shape::Rest(0));
    }
    if let Some(columns) = header.filter(|columns| (2..most).contains(columns)) {
        return Some(Shape::Rest(columns - 1));
    }
    let rows = || lines.iter().filter(|line| !line.is_empty());
    let behind = rows().map(|line| line.iter().rev().take_while(is_number).count()).min().unwrap_or(0);
    let has_text = rows().all(|line| line.len() > behind);
    Some(if behind > 1 && has_text && behind < MAX_COLUMNS { Shape::Numbers(behind) } else { Shape::Rest(0) })
}

/// The lines that say something, of a table without quotes.
fn said(text: &str) -> impl Iterator<Item = &str> + Clone {
    text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
}

/// The sign around cells: `'` if each of the first lines begins and ends with it.
fn quote(text: &str) -> char {
    let mut lines = said(text).skip(1).take(SAMPLE_LINES).peekable();
    let is_quoted =
        |line: &str| line.len() > 1 && line.starts_with('\'') && line.ends_with('\'') && !line.contains('"');
    if lines.peek().is_some() && lines.all(is_quoted) { '\'' } else { '"' }
}

/// The first records of a table: lines, or several where a cell between quotes holds line breaks.
fn records(text: &str, quote: char) -> Vec<String> {
    /// Lines of one cell; more are due to a stray quote.
    const MAX_LINES: usize = 50;
    let mut records: Vec<String> = Vec::new();
    let mut open: Option<(String, usize)> = None;
    for line in said(text) {
        let (mut record, lines) = open.take().map_or((String::new(), 0), |(before, lines)| (before + "\n", lines));
        record.push_str(line);
        if record.matches(quote).count() % 2 == 0 {
            records.push(record);
        } else if lines < MAX_LINES {
            open = Some((record, lines + 1));
        } else {
            return said(text).take(SAMPLE_LINES).map(str::to_owned).collect();
        }
        if records.len() == SAMPLE_LINES {
            break;
        }
    }
    if open.is_some() {
        return said(text).take(SAMPLE_LINES).map(str::to_owned).collect();
    }
    records
}

/// The cells of one line.
fn cells_of(line: &str, separator: char, quote: char) -> Vec<&str> {
    // A separator between quotes belongs to its cell.
    let mut quoted = false;
    line.split(|c| {
        quoted ^= c == quote;
        c == separator && !quoted
    })
    .collect()
}
