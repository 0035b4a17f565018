//! Parses the words of a layer line: `convtranspose 256 4x4 stride 2` is a keyword, its numbers, then options by name.

use crate::net::{Init, Shape};
use faussaire_data::did_you_mean;

/// Maximum side of a kernel or stride.
const MAX_SIDE: usize = 1024;

/// The context of a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Number of classes or attributes of a conditional net; 0 for an unconditional net.
    pub labels: usize,
    /// Input shapes of the open residual blocks, the innermost last.
    pub open: Vec<Shape>,
}

/// The words after the keyword, consumed one by one; remaining words are an error.
#[derive(Debug)]
pub struct Words<'a> {
    words: Vec<&'a str>,
    around: &'a Surroundings,
    /// The options that the layer knows, for suggestions.
    options: Vec<String>,
}

/// The padding of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Keras's "same".
    Same,
    /// None.
    Valid,
    /// So many zeros on both sides, PyTorch's: vertical, horizontal.
    By([usize; 2]),
}

/// What is wrong with a layer line; the network adds the line itself.
pub type Reading<T> = Result<T, String>;

impl<'a> Words<'a> {
    /// Splits the words after the keyword.
    pub fn new(words: impl Iterator<Item = &'a str>, around: &'a Surroundings) -> Self {
        Self { words: words.collect(), around, options: Vec::new() }
    }

    /// Number of labels of the net.
    pub fn labels(&self) -> Reading<usize> {
        match self.around.labels {
            0 => {
                Err("it needs labels, but the recipe names none (`labels.names`; `Recipe::conditioned` fills them in)"
                    .into())
            }
            labels => Ok(labels),
        }
    }

    /// The shape before the innermost open residual block.
    pub fn opened(&self) -> Reading<Shape> {
        self.around.open.last().copied().ok_or_else(|| "no `residual` before it is still open".into())
    }

    /// Whether the option `name` is given; consumes it.
    pub fn flag(&mut self, name: &str) -> bool {
        self.options.push(name.into());
        let at = self.words.iter().position(|w| *w == name);
        at.map(|at| self.words.remove(at)).is_some()
    }

    fn next(&mut self, what: &str) -> Reading<&'a str> {
        if self.words.is_empty() {
            return Err(format!("expected {what} here"));
        }
        Ok(self.words.remove(0))
    }

    /// Whether a number is next.
    pub(crate) fn number_follows(&self) -> bool {
        self.words.first().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    }

    /// A positive size, which may be written as a product: `14*14*128`.
    pub fn size(&mut self, what: &str) -> Reading<usize> {
        let word = self.next(what)?;
        product(word)
            .ok_or_else(|| format!("expected {what} (a positive number or a product like 7*7*64), found `{word}`"))
    }

    /// A size that may be written as an image's shape too: `14x14x128` is `14*14*128`.
    pub(crate) fn volume(&mut self, what: &str) -> Reading<usize> {
        let word = self.next(what)?;
        product(&word.replace('x', "*"))
            .ok_or_else(|| format!("expected {what} (a positive number or a product like 7*7*64), found `{word}`"))
    }

    /// `7 7 64` or `7x7x64`, an image, or one number, a vector.
    pub fn shape(&mut self) -> Reading<Shape> {
        if let Some(word) = self.words.first().filter(|word| word.contains('x')) {
            let sides: Option<Vec<usize>> = word.split('x').map(product).collect();
            let Some([h, w, c]) = sides.as_deref() else {
                return Err(format!("expected a shape like 7x7x64, found `{word}`"));
            };
            let shape = Shape::Image(*h, *w, *c);
            self.words.remove(0);
            return Ok(shape);
        }
        let first = self.size("a size")?;
        if !self.number_follows() {
            return Ok(Shape::Flat(first));
        }
        Ok(Shape::Image(first, self.size("a width")?, self.size("the channels")?))
    }

    /// `5x5`, or `5` for both directions.
    pub fn pair(&mut self, what: &str) -> Reading<[usize; 2]> {
        let word = self.next(what)?;
        let (rows, columns) = word.split_once('x').unwrap_or((word, word));
        match (product(rows), product(columns)) {
            (Some(rows), Some(columns)) if rows.max(columns) <= MAX_SIDE => Ok([rows, columns]),
            _ => Err(format!("expected {what} like 4x4, at most {MAX_SIDE}, found `{word}`")),
        }
    }

    /// A finite number in `low..=high`.
    pub fn number(&mut self, what: &str, low: f32, high: f32) -> Reading<f32> {
        let word = self.next(what)?;
        match word.parse::<f32>() {
            Ok(value) if value.is_finite() && (low..=high).contains(&value) => Ok(value),
            _ => Err(format!("expected {what} from {low} to {high}, found `{word}`")),
        }
    }

    /// Whether the option `name` is given; consumes it and moves its value to the front.
    fn option(&mut self, name: &str) -> bool {
        self.options.push(name.into());
        let Some(at) = self.words.iter().position(|w| *w == name) else { return false };
        let tail: Vec<&str> = self.words.drain(at..).skip(1).collect();
        self.words.splice(0..0, tail);
        true
    }

    /// `stride 2` or `stride 2x1` (or Keras's word, `strides`); 1 without it.
    pub fn stride(&mut self) -> Reading<[usize; 2]> {
        if self.option("stride") || self.option("strides") { self.pair("a stride") } else { Ok([1, 1]) }
    }

    /// `padding same` (as in Keras, the default), `padding valid`, or `padding 1` zeros on both sides, below the kernel's
    /// size `kernel`.
    pub(crate) fn padding(&mut self, kernel: [usize; 2]) -> Reading<Padding> {
        if !self.option("padding") {
            return Ok(Padding::Same);
        }
        let word = self.next("same, valid or a number")?;
        let wanted = || format!("expected padding same, valid or a number below the kernel's size, found `{word}`");
        let (rows, columns) = word.split_once('x').unwrap_or((word, word));
        match (word, rows.parse::<usize>(), columns.parse::<usize>()) {
            ("same", ..) => Ok(Padding::Same),
            ("valid", ..) => Ok(Padding::Valid),
            (_, Ok(rows), Ok(columns)) if rows < kernel[0] && columns < kernel[1] => Ok(Padding::By([rows, columns])),
            _ => Err(wanted() + &tail(&did_you_mean(word, ["same", "valid"]))),
        }
    }

    /// `output_padding 1`, or `0`: rows and columns that a transposed convolution adds below and to the right, below
    /// its stride.
    pub(crate) fn output_padding(&mut self, stride: [usize; 2]) -> Reading<[usize; 2]> {
        if !self.option("output_padding") {
            return Ok([0, 0]);
        }
        let word = self.next("a number")?;
        let (rows, columns) = word.split_once('x').unwrap_or((word, word));
        match (rows.parse::<usize>(), columns.parse::<usize>()) {
            (Ok(rows), Ok(columns)) if rows < stride[0] && columns < stride[1] => Ok([rows, columns]),
            _ => Err(format!("expected an output_padding below the stride, found `{word}`")),
        }
    }

    /// Whether the layer has a bias: unless `nobias` is given.
    pub(crate) fn has_bias(&mut self) -> bool {
        !self.flag("nobias")
    }

    /// A number of rows or columns, which may be 0.
    pub(crate) fn side(&mut self, what: &str) -> Reading<usize> {
        let word = self.next(what)?;
        let fits = word.parse::<usize>().ok().filter(|side| *side <= MAX_SIDE);
        fits.ok_or_else(|| format!("expected {what}, at most {MAX_SIDE}, found `{word}`"))
    }

    /// `init glorot` (the default), `init he`, `init zeros` or `init normal 0.02`.
    pub fn init(&mut self) -> Reading<Init> {
        if !self.option("init") {
            return Ok(Init::GlorotUniform);
        }
        match self.next("glorot, he, zeros or normal")? {
            "glorot" => Ok(Init::GlorotUniform),
            "he" => Ok(Init::HeNormal),
            "zeros" => Ok(Init::Zeros),
            "normal" => Ok(Init::Normal(self.number("a standard deviation", 0.0, 10.0)?)),
            other => {
                let near = did_you_mean(other, ["glorot", "he", "zeros", "normal"]);
                Err(format!("{near}expected init glorot, he, zeros or normal 0.02, found `{other}`"))
            }
        }
    }

    /// `name 0.5`, or the default.
    pub fn named(&mut self, name: &str, default: f32, low: f32, high: f32) -> Reading<f32> {
        if self.option(name) { self.number(name, low, high) } else { Ok(default) }
    }

    /// Checks that no words remain.
    pub fn end(self) -> Reading<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => {
                let near = did_you_mean(word, self.options.iter().map(String::as_str));
                Err(format!("`{word}` is not understood here{}", tail(&near)))
            }
        }
    }
}

/// A suggestion after a sentence.
fn tail(near: &str) -> String {
    if near.is_empty() { String::new() } else { format!("; {}", near.trim_end()) }
}

/// A positive product of at most 2^24: nothing larger is a layer size, and none overflows.
pub(super) fn product(word: &str) -> Option<usize> {
    let mut value = 1usize;
    for factor in word.split('*') {
        value = value.checked_mul(factor.parse().ok()?)?;
    }
    (1..=1 << 24).contains(&value).then_some(value)
}
