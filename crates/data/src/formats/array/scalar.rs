//! The types of numbers in arrays, and their values from bytes.

/// The kind of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 0 or not.
    Bool,
    /// Integers from 0.
    Unsigned,
    /// Integers in two's complement.
    Signed,
    /// IEEE 754 floats.
    Float,
}

/// The type of each value of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar {
    pub kind: Kind,
    /// Bytes of one value: 1, 2, 4 or 8.
    pub width: usize,
    /// Whether the most significant byte comes first.
    pub big: bool,
}

impl Scalar {
    /// A byte from 0 to 255.
    pub const U8: Self = Self { kind: Kind::Unsigned, width: 1, big: false };

    /// The type that numpy calls `descr`: `|u1`, `<f4`, `?`; `None` for others.
    pub fn of_descr(descr: &str) -> Option<Self> {
        let name = descr.strip_prefix(['<', '>', '|', '=']).unwrap_or(descr);
        let (kind, width) = match name {
            "B" | "u1" => (Kind::Unsigned, 1),
            "b1" | "?" => (Kind::Bool, 1),
            "i1" => (Kind::Signed, 1),
            _ => {
                let (kind, width) = name.split_at_checked(1)?;
                let width = match width {
                    "2" => 2,
                    "4" => 4,
                    "8" => 8,
                    _ => return None,
                };
                let kind = match kind {
                    "u" => Kind::Unsigned,
                    "i" => Kind::Signed,
                    "f" => Kind::Float,
                    _ => return None,
                };
                (kind, width)
            }
        };
        Some(Self { kind, width, big: descr.starts_with('>') })
    }

    /// What numpy calls it: `|u1`, `>i4`.
    pub fn descr(self) -> String {
        let kind = match self.kind {
            Kind::Bool => 'b',
            Kind::Unsigned => 'u',
            Kind::Signed => 'i',
            Kind::Float => 'f',
        };
        let order = match (self.width, self.big) {
            (1, _) => '|',
            (_, true) => '>',
            (_, false) => '<',
        };
        format!("{order}{kind}{}", self.width)
    }

    /// Its name in numpy: `uint8`, `float16`.
    pub fn name(self) -> String {
        let bits = 8 * self.width;
        match self.kind {
            Kind::Bool => "bool".to_owned(),
            Kind::Unsigned => format!("uint{bits}"),
            Kind::Signed => format!("int{bits}"),
            Kind::Float => format!("float{bits}"),
        }
    }

    /// Bytes of one value in memory.
    pub fn stored(self) -> u64 {
        if matches!((self.kind, self.width), (Kind::Bool | Kind::Unsigned, 1)) { 1 } else { 4 }
    }

    /// The value of `bytes`, which has `width` of them, least significant first.
    fn bits(self, bytes: &[u8]) -> u64 {
        let mut word = [0u8; 8];
        let used = &mut word[..self.width];
        used.copy_from_slice(bytes);
        if self.big {
            used.reverse();
        }
        u64::from_le_bytes(word)
    }

    /// One integer, `None` for a float.
    pub fn int(self, bytes: &[u8]) -> Option<i128> {
        let bits = self.bits(bytes);
        match self.kind {
            Kind::Bool => Some(i128::from(bits != 0)),
            Kind::Unsigned => Some(i128::from(bits)),
            Kind::Signed => {
                // The sign moves to the top and back.
                let unused = 64 - 8 * self.width as u32;
                Some(i128::from((bits << unused).cast_signed() >> unused))
            }
            Kind::Float => None,
        }
    }

    /// One value.
    pub fn float(self, bytes: &[u8]) -> f64 {
        match (self.kind, self.width) {
            (Kind::Float, 2) => half(self.bits(bytes) as u16),
            (Kind::Float, 4) => f64::from(f32::from_bits(self.bits(bytes) as u32)),
            (Kind::Float, _) => f64::from_bits(self.bits(bytes)),
            _ => self.int(bytes).unwrap_or_default() as f64,
        }
    }
}

/// A float of 16 bits.
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(descr: &str, bytes: &[u8]) -> f64 {
        Scalar::of_descr(descr).unwrap().float(bytes)
    }

    #[test]
    fn every_type_in_both_orders() {
        assert_eq!((of("|u1", &[200]), of("|i1", &[200]), of("|b1", &[2]), of("?", &[0])), (200.0, -56.0, 1.0, 0.0));
        assert_eq!((of("<u2", &[1, 2]), of(">u2", &[1, 2]), of("<i2", &[0, 128])), (513.0, 258.0, -32_768.0));
        assert_eq!((of("<i4", &[255; 4]), of(">i4", &[0, 0, 1, 0])), (-1.0, 256.0));
        assert_eq!((of("<i8", &[254, 255, 255, 255, 255, 255, 255, 255]), of("<u8", &[255; 8])), (-2.0, 2f64.powi(64)));
        assert_eq!((of("<f4", &1.5f32.to_le_bytes()), of(">f8", &(-0.1f64).to_be_bytes())), (1.5, -0.1));
        assert_eq!(Scalar::of_descr("<u8").unwrap().int(&[255; 8]), Some(i128::from(u64::MAX)));
        assert_eq!(Scalar::of_descr("<f4").unwrap().int(&[0; 4]), None);
    }

    #[test]
    fn half_floats() {
        // By numpy: numpy.float16(x).view("uint16").
        let known = [(0x3c00, 1.0), (0xbc00, -1.0), (0x3555, 0.333_251_953_125), (0x7bff, 65_504.0), (0x5bf8, 255.0)];
        for (bits, value) in known {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert_eq!((half(1), half(0x03ff)), (2f64.powi(-24), 1023.0 * 2f64.powi(-24)));
        assert_eq!((half(0x7c00), half(0xfc00), half(0x7c01).is_nan()), (f64::INFINITY, f64::NEG_INFINITY, true));
    }

    #[test]
    fn names_and_strange_types() {
        let names = ["|u1", ">i8", "<f2", "|b1"].map(|descr| Scalar::of_descr(descr).unwrap().name());
        assert_eq!(names, ["uint8", "int64", "float16", "bool"]);
        for descr in ["|u1", ">i8", "<f2", "|b1"] {
            assert_eq!(Scalar::of_descr(descr).unwrap().descr(), descr);
        }
        for descr in ["", "<", "|O", "<U5", "<f16", "<i3", "<c8", "<M8[ns]", "[('x', '<f4')]", "µ4", "<b4", "|V2"] {
            assert_eq!(Scalar::of_descr(descr), None, "{descr}");
        }
    }
}
