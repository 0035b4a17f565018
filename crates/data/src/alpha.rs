//! Images with transparency: four channels, of which the last is alpha (0 transparent, 1 opaque). The colour is straight, not
//! multiplied by alpha, and 0 where alpha is 0, so that colours that nobody sees can't be learned. Scaling and averages are
//! computed on premultiplied colours, so that those of transparent pixels don't bleed into their neighbours.

/// Sets the colour of fully transparent pixels to 0.
pub fn clear<T: Copy + PartialEq + Default>(rgba: &mut [T]) {
    for pixel in rgba.chunks_exact_mut(4).filter(|pixel| pixel[3] == T::default()) {
        pixel.fill(T::default());
    }
}

/// Multiplies the colours by alpha.
pub(crate) fn premultiply(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        pixel[..3].iter_mut().for_each(|ink| *ink = divided(u32::from(*ink) * alpha, 255));
    }
}

/// Divides the colours by alpha: the inverse of [`premultiply`], up to rounding.
pub(crate) fn straighten(rgba: &mut [u8]) {
    for pixel in rgba.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        // A filter that sharpens can raise a colour above its alpha.
        pixel[..3].iter_mut().for_each(|ink| *ink = divided(u32::from(*ink).min(alpha) * 255, alpha));
    }
}

fn divided(value: u32, by: u32) -> u8 {
    ((value + by / 2).checked_div(by).unwrap_or(0)).min(255) as u8
}

/// `ink` with this alpha over `ground`.
pub fn over(ink: u8, alpha: u8, ground: u8) -> u8 {
    let part = |value: u8, share: u8| u32::from(value) * u32::from(share);
    divided(part(ink, alpha) + part(ground, 255 - alpha), 255)
}

/// The RGB image that `rgba` is over white.
pub fn over_white(rgba: &[u8]) -> Vec<u8> {
    rgba.chunks_exact(4).flat_map(|pixel| [0, 1, 2].map(|c| over(pixel[c], pixel[3], 255))).collect()
}

/// `rgb` as opaque pixels.
pub(crate) fn opaque(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_colours_are_cleared_and_no_others() {
        let mut bytes = [9, 8, 7, 0, 9, 8, 7, 1];
        clear(&mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 9, 8, 7, 1]);
        let mut floats = [0.5, 0.4, 0.3, 0.0, 0.5, 0.4, 0.3, 1e-9];
        clear(&mut floats);
        assert_eq!(floats, [0.0, 0.0, 0.0, 0.0, 0.5, 0.4, 0.3, 1e-9]);
    }

    #[test]
    fn premultiplied_colours_come_back_as_far_as_they_are_visible() {
        for alpha in [0u8, 1, 5, 128, 254, 255] {
            for ink in (0..=255).step_by(5) {
                let mut pixel = [ink, ink, 0, alpha];
                premultiply(&mut pixel);
                assert!(pixel[0] <= alpha && pixel[3] == alpha);
                straighten(&mut pixel);
                let tolerance = if alpha == 0 { 255 } else { 128 / i32::from(alpha) + 1 };
                assert!((i32::from(pixel[0]) - i32::from(ink)).abs() <= tolerance, "{ink} {alpha}: {pixel:?}");
                assert_eq!(pixel[0], pixel[1]);
            }
        }
        let mut ringing = [200, 0, 0, 100];
        straighten(&mut ringing);
        assert_eq!(ringing, [255, 0, 0, 100]);
    }

    #[test]
    fn white_shows_through() {
        assert_eq!(
            over_white(&[0, 100, 255, 255, 0, 100, 255, 0, 0, 0, 0, 51]),
            [0, 100, 255, 255, 255, 255, 204, 204, 204]
        );
        assert_eq!(opaque(&[1, 2, 3, 4, 5, 6]), [1, 2, 3, 255, 4, 5, 6, 255]);
        assert_eq!((over(200, 255, 0), over(200, 0, 7), over(255, 128, 0)), (200, 7, 128));
    }
}
