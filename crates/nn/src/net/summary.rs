//! The table that Keras calls `summary()`: layer, output shape, parameters, FLOPs.

use super::Network;

/// Digits in groups of three: 1,770,625.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Network {
    /// A plain-text table of the layers with their output shapes, parameters and FLOPs per image.
    pub fn summary(&self) -> String {
        let header = ["layer", "output", "parameters", "trainable", "FLOPs/image"].map(String::from);
        let mut rows = vec![header];
        rows.push(["input".into(), self.input().to_string(), "0".into(), "0".into(), "0".into()]);
        for entry in self.layers() {
            let count = |all: bool| entry.specs.iter().filter(|s| all || s.trainable).map(|s| s.len() as u64).sum();
            rows.push([
                entry.line.clone(),
                entry.output.to_string(),
                grouped(count(true)),
                grouped(count(false)),
                grouped(entry.layer.kind().flops(entry.input)),
            ]);
        }
        let (total, trainable) = self.parameters();
        let totals =
            ["total".into(), String::new(), grouped(total as u64), grouped(trainable as u64), grouped(self.flops())];
        let mut text = format!("{}\n", self.name());
        text.push_str(&table(&rows, &totals));
        text
    }
}

fn table(rows: &[[String; 5]], totals: &[String; 5]) -> String {
    let width = |column: usize| rows.iter().chain([totals]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..5).map(width).collect();
    let line = |row: &[String; 5]| {
        let mut text = format!("  {:<w$}  {:>v$}", row[0], row[1], w = widths[0], v = widths[1]);
        for (cell, w) in row.iter().zip(&widths).skip(2) {
            text.push_str(&format!("  {cell:>w$}"));
        }
        text + "\n"
    };
    let rule = format!("  {}\n", "-".repeat(widths.iter().sum::<usize>() + 8));
    let mut text = line(&rows[0]) + &rule;
    rows[1..].iter().for_each(|row| text.push_str(&line(row)));
    text + &rule + &line(totals)
}
