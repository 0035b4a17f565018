//! Small letters for pictures of pixels: charts and the labels of montages. `font.txt` has a glyph per line: a character, then
//! its seven rows of five pixels as hexadecimal numbers, the left pixel first.

/// Pixels of a glyph, and of a character with the gap behind it.
const WIDTH: usize = 5;
const HEIGHT: usize = 7;
const ADVANCE: usize = 6;

/// Height of text in pixels, each `scale` pixels large.
pub(crate) fn height(scale: usize) -> usize {
    HEIGHT * scale
}

/// Width of `text` in pixels.
pub(crate) fn width(text: &str, scale: usize) -> usize {
    (text.chars().count() * ADVANCE).saturating_sub(ADVANCE - WIDTH) * scale
}

/// Calls `set` with the column and the row of every pixel of `text` whose upper left pixel is at (0, 0).
pub(crate) fn draw(text: &str, scale: usize, mut set: impl FnMut(usize, usize)) {
    for (at, character) in text.chars().enumerate() {
        let Some(rows) = glyph(character) else { continue };
        for (y, row) in rows.into_iter().enumerate() {
            for x in (0..WIDTH).filter(|x| (row >> (WIDTH - 1 - x)) & 1 == 1) {
                for pixel in 0..scale * scale {
                    set((at * ADVANCE + x) * scale + pixel % scale, y * scale + pixel / scale);
                }
            }
        }
    }
}

/// The rows of a character; none for a space. A letter with an accent loses it, an unknown character is a question mark.
fn glyph(character: char) -> Option<[u8; HEIGHT]> {
    let plain = match character {
        ' ' => return None,
        'à' | 'â' => 'a',
        'é' | 'è' | 'ê' => 'e',
        '−' | '–' => '-',
        other => other,
    };
    let find = |wanted: char| include_str!("font.txt").lines().find(|line| line.starts_with(wanted));
    let line = find(plain).or_else(|| find('?'))?;
    let mut rows = [0; HEIGHT];
    for (row, word) in rows.iter_mut().zip(line.split(' ').skip(1)) {
        *row = u8::from_str_radix(word, 16).unwrap_or(0);
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(text: &str, scale: usize) -> Vec<String> {
        let mut rows = vec![vec!['.'; width(text, scale)]; height(scale)];
        draw(text, scale, |x, y| rows[y][x] = '#');
        rows.into_iter().map(String::from_iter).collect()
    }

    #[test]
    fn letters_are_drawn_upright_and_from_left_to_right() {
        #[rustfmt::skip]
        assert_eq!(drawn("L1", 1), [
            "#.......#..",
            "#......##..",
            "#.......#..",
            "#.......#..",
            "#.......#..",
            "#.......#..",
            "#####..###.",
        ]);
        assert_eq!(drawn("é", 2), drawn("e", 2));
        assert_ne!(drawn("a", 1), drawn("o", 1));
        assert_eq!(drawn("§", 1), drawn("?", 1));
        assert_eq!((width("", 3), width("ab", 3)), (0, 33));
    }

    #[test]
    fn every_line_is_a_glyph() {
        for line in include_str!("font.txt").lines() {
            let words: Vec<&str> = line.split(' ').collect();
            assert!(words.len() == 8 && words[0].chars().count() == 1, "{line}");
            assert!(words[1..].iter().all(|word| u8::from_str_radix(word, 16).is_ok_and(|row| row < 32)), "{line}");
        }
    }
}
