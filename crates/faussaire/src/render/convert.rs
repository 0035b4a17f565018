//! Images as the types of other crates: `image`'s pictures and, with the feature `ndarray`, arrays.

use image::{DynamicImage, GrayImage, RgbImage, RgbaImage};

use super::{Images, Picture, check_length};
use crate::error::{Error, Result};

impl Images {
    /// The bytes, `[n, height, width, channels]`, and the shape of each image.
    ///
    /// ```
    /// use faussaire::data::ImageShape;
    /// use faussaire::image::RgbImage;
    /// use faussaire::render::Images;
    ///
    /// # fn main() -> faussaire::Result<()> {
    /// let shape = ImageShape { height: 2, width: 2, channels: 1 };
    /// let images = Images::from_values(&[0.0, 0.5, 1.0, 0.2, 1.0, 1.0, 1.0, 1.0], shape, (0.0, 1.0))?;
    /// assert_eq!(images.iter().map(|bytes| bytes[0]).collect::<Vec<_>>(), [0, 255]);
    /// let pictures: Vec<RgbImage> = images.pictures().map(RgbImage::try_from).collect::<Result<_, _>>()?;
    /// assert_eq!(pictures[0].get_pixel(1, 0).0, [128; 3]);
    /// let (bytes, shape) = images.into_raw();
    /// assert_eq!((bytes.len(), shape.len()), (8, 4));
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_raw(self) -> (Vec<u8>, crate::data::ImageShape) {
        (self.bytes, self.shape)
    }

    /// The bytes of each image, in order.
    pub fn iter(&self) -> std::slice::ChunksExact<'_, u8> {
        self.bytes.chunks_exact(self.shape.len().max(1))
    }

    /// Each image as a picture, in order.
    pub fn pictures(&self) -> impl ExactSizeIterator<Item = Picture> {
        self.iter().map(|bytes| Picture { shape: self.shape, bytes: bytes.to_vec() })
    }
}

impl<'a> IntoIterator for &'a Images {
    type Item = &'a [u8];
    type IntoIter = std::slice::ChunksExact<'a, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Grey, RGB or RGB with alpha, as the picture is. An error where its bytes don't match its shape.
impl TryFrom<Picture> for DynamicImage {
    type Error = Error;

    fn try_from(picture: Picture) -> Result<Self> {
        let shape = picture.shape;
        check_length("bytes", picture.bytes.len(), shape)?;
        let unfit = || Error::usage(format!("the bytes of a picture are not those of {shape}"), "give one picture");
        let (Ok(width), Ok(height)) = (u32::try_from(shape.width), u32::try_from(shape.height)) else {
            return Err(unfit());
        };
        if picture.bytes.len() != shape.len() {
            return Err(unfit());
        }
        let made = match shape.channels {
            1 => GrayImage::from_raw(width, height, picture.bytes).map(Self::ImageLuma8),
            4 => RgbaImage::from_raw(width, height, picture.bytes).map(Self::ImageRgba8),
            _ => RgbImage::from_raw(width, height, picture.bytes).map(Self::ImageRgb8),
        };
        made.ok_or_else(unfit)
    }
}

/// Of a grey picture, all three channels are equal; one with alpha is over white.
impl TryFrom<Picture> for RgbImage {
    type Error = Error;

    fn try_from(picture: Picture) -> Result<Self> {
        Ok(DynamicImage::try_from(picture.over_white())?.into_rgb8())
    }
}

/// Opaque, unless the picture has alpha.
impl TryFrom<Picture> for RgbaImage {
    type Error = Error;

    fn try_from(picture: Picture) -> Result<Self> {
        Ok(DynamicImage::try_from(picture)?.into_rgba8())
    }
}

/// A picture in colour is refused.
impl TryFrom<Picture> for GrayImage {
    type Error = Error;

    fn try_from(picture: Picture) -> Result<Self> {
        match DynamicImage::try_from(picture)? {
            DynamicImage::ImageLuma8(grey) => Ok(grey),
            _ => Err(Error::usage("a picture in colour was asked for as a grey one", "take it as an `RgbImage`")),
        }
    }
}

/// Bytes as an array `[n, height, width, channels]`, without a copy. An error where they are no whole number of images.
#[cfg(feature = "ndarray")]
impl TryFrom<Images> for ndarray::Array4<u8> {
    type Error = Error;

    fn try_from(images: Images) -> Result<Self> {
        images.check()?;
        let (n, shape) = (images.len(), images.shape);
        Self::from_shape_vec((n, shape.height, shape.width, shape.channels), images.bytes)
            .map_err(|e| Error::usage(format!("the images are no array: {e}"), "check their shape"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::data::ImageShape;

    fn picture(channels: usize) -> Picture {
        let shape = ImageShape { height: 2, width: 3, channels };
        Picture { shape, bytes: (0..shape.len()).map(|at| at as u8 * 10).collect() }
    }

    #[test]
    fn pictures_become_those_of_the_image_crate() {
        let grey = GrayImage::try_from(picture(1)).unwrap();
        assert_eq!((grey.dimensions(), grey.get_pixel(2, 1).0), ((3, 2), [50]));
        assert_eq!(RgbImage::try_from(picture(1)).unwrap().get_pixel(2, 1).0, [50; 3]);
        assert_eq!(RgbImage::try_from(picture(3)).unwrap().get_pixel(1, 0).0, [30, 40, 50]);
        assert!(GrayImage::try_from(picture(3)).unwrap_err().to_string().contains("in colour"));
        let cut = Picture { bytes: vec![0; 5], ..picture(1) };
        assert!(DynamicImage::try_from(cut).is_err());
        let two = Picture { bytes: vec![0; 12], ..picture(1) };
        assert!(DynamicImage::try_from(two).unwrap_err().to_string().contains("not those of 2x3x1"));
    }

    #[test]
    #[cfg(feature = "ndarray")]
    fn images_become_an_array() {
        let shape = ImageShape { height: 2, width: 3, channels: 1 };
        let array = ndarray::Array4::try_from(Images { shape, bytes: (0..12).collect() }).unwrap();
        assert_eq!((array.dim(), array[[1, 0, 2, 0]]), ((2, 2, 3, 1), 8));
    }
}
