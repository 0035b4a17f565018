//! What transparent images are laid over where a picture shows no transparency: a checkerboard on sheets, so that it can be
//! told from white; white elsewhere.

use super::{Images, Picture};
use crate::data::ImageShape;
use crate::data::alpha;

/// Side of the checkerboard's squares in pixels, and their two greys.
const SQUARE: usize = 8;
const GREYS: [u8; 2] = [255, 204];

impl Images {
    /// The same images over white, in RGB; images without alpha as they are.
    pub fn over_white(&self) -> Self {
        if self.shape.channels != 4 {
            return self.clone();
        }
        Self { shape: ImageShape { channels: 3, ..self.shape }, bytes: alpha::over_white(&self.bytes) }
    }
}

impl Picture {
    /// The same picture over white, in RGB; one without alpha as it is.
    pub fn over_white(self) -> Self {
        if self.shape.channels != 4 {
            return self;
        }
        Self { shape: ImageShape { channels: 3, ..self.shape }, bytes: alpha::over_white(&self.bytes) }
    }

    /// The same picture over a checkerboard whose origin is `top` and `left` of it, in RGB; one without alpha as it is.
    pub(super) fn over_checkerboard(self, top: usize, left: usize) -> Self {
        if self.shape.channels != 4 {
            return self;
        }
        let width = self.shape.width.max(1);
        let pixels = self.bytes.chunks_exact(4).enumerate();
        let bytes = pixels.flat_map(|(at, pixel)| {
            let (row, column) = ((top + at / width) / SQUARE, (left + at % width) / SQUARE);
            [0, 1, 2].map(|c| alpha::over(pixel[c], pixel[3], GREYS[(row + column) % 2]))
        });
        Self { shape: ImageShape { channels: 3, ..self.shape }, bytes: bytes.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_alternate_and_show_through() {
        let shape = ImageShape { height: 2, width: 12, channels: 4 };
        let clear = || Picture { shape, bytes: vec![0; shape.len()] };
        let reds = |picture: Picture| picture.bytes.chunks(3).map(|pixel| pixel[0]).collect::<Vec<_>>();
        let row = [vec![255; 8], vec![204; 4]].concat();
        assert_eq!(reds(clear().over_checkerboard(0, 0)), row.repeat(2));
        assert_eq!(
            reds(clear().over_checkerboard(7, 0)),
            [row.clone(), [vec![204; 8], vec![255; 4]].concat()].concat()
        );
        assert_eq!(reds(clear().over_checkerboard(0, 4))[..5], [255, 255, 255, 255, 204]);
        assert_eq!(reds(clear().over_white()), [255; 24]);
        let half = Picture { bytes: [100, 0, 0, 128].repeat(24), ..clear() };
        assert_eq!(half.over_checkerboard(0, 0).bytes[..3], [177, 127, 127]);
        let grey = Picture { shape: ImageShape { height: 1, width: 1, channels: 1 }, bytes: vec![7] };
        assert_eq!((grey.clone().over_white(), grey.clone().over_checkerboard(0, 0)), (grey.clone(), grey));
    }

    #[test]
    fn images_keep_their_order_over_white() {
        let shape = ImageShape { height: 1, width: 1, channels: 4 };
        let images = Images { shape, bytes: vec![9, 8, 7, 255, 9, 8, 7, 0] }.over_white();
        assert_eq!((images.shape.channels, images.bytes), (3, vec![9, 8, 7, 255, 255, 255]));
    }
}
