//! Small sets of every doubtful kind, with what is said of them; and sets of which nothing is to be said.

use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;

const COUNT: usize = 12;

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// What is said of a set.
fn remarks(make: impl Fn(usize) -> Vec<u8> + Sync) -> String {
    let options = ImageOptions::default();
    let survey = Survey::of(COUNT, &options, |index| Ok(make(index)));
    survey.remarks(&options, |index| PathBuf::from(index.to_string())).join("\n")
}

/// A value that looks like chance.
fn chance(index: usize, x: u32, y: u32) -> u32 {
    let seed = (index as u32 + 1).wrapping_mul(0x9e37_79b9) ^ x.wrapping_mul(0x85eb_ca6b) ^ y.wrapping_mul(0xc2b2_ae35);
    (seed ^ (seed >> 15)).wrapping_mul(0x2c1b_3c6d) >> 16 & 255
}

/// A coloured picture that differs by index.
fn picture(index: usize) -> RgbImage {
    RgbImage::from_fn(20, 20, |x, y| Rgb([(12 * x) as u8, (12 * y) as u8, chance(index, x / 3, y / 3) as u8]))
}

/// A disc of `ink`, whose place differs by index, on clear ground.
fn disc(index: usize, ink: [u8; 3]) -> Vec<u8> {
    let at = 6 + index as u32 % 8;
    png(RgbaImage::from_fn(20, 20, |x, y| {
        let inside = x.abs_diff(at).pow(2) + y.abs_diff(10).pow(2) < 30;
        Rgba([ink[0], ink[1], ink[2], if inside { 255 } else { 0 }])
    }))
}

fn words(index: usize, value: impl Fn(u32) -> u32) -> Vec<u8> {
    png(ImageBuffer::from_fn(20, 20, |x, y| Luma([value(chance(index, x, y)) as u16])))
}

#[test]
fn usual_sets_have_no_remarks() {
    assert_eq!(remarks(|index| png(picture(index))), "");
    assert_eq!(remarks(|index| png(DynamicImage::from(picture(index)).to_luma8())), "");
    assert_eq!(remarks(|index| words(index, |value| value * 257)), "");
    // Fine textures have the same means, and are not the same.
    assert_eq!(remarks(|index| png(GrayImage::from_fn(160, 160, |x, y| Luma([chance(index, x, y) as u8])))), "");
    let drawing =
        |index: usize| {
            RgbImage::from_fn(20, 20, |x, y| {
                if x.abs_diff(9) + y < 5 + index as u32 { Rgb([200, 9, 40]) } else { Rgb([255; 3]) }
            })
        };
    assert_eq!(remarks(|index| png(drawing(index))), "");
}

#[test]
fn grounds_that_show_nothing_are_told_with_one_that_does() {
    let said = |ink: &(dyn Fn(usize) -> [u8; 3] + Sync)| remarks(|index| disc(index, ink(index)));
    assert!(
        said(&|_| [255; 3])
            .contains("12 of 12 transparent images looked at are blank over white: set `data.background` = \"black\"")
    );
    // White and black objects: one ground hides either.
    assert!(
        said(&|index| [if index % 2 == 0 { 255 } else { 0 }; 3])
            .contains("6 of 12 transparent images looked at are blank over white: set `data.background` = \"grey\"")
    );
    // A few that are blank are named as well.
    assert!(
        said(&|index| if index % 4 == 0 { [255; 3] } else { [200, 30, 30] })
            .contains("3 of 12 transparent images looked at are blank")
    );
    assert!(said(&|_| [200, 30, 30]).contains("are laid over white"));
    let clear = remarks(|_| png(RgbaImage::new(20, 20)));
    assert!(
        clear
            .contains("12 of 12 transparent images looked at are blank over white, and would be over any other ground"),
        "{clear}"
    );
}

#[test]
fn small_ranges_are_told_with_the_range_that_helps() {
    for (said, part, make) in [
        (
            "nearly black",
            "[0, 4095]",
            &(|index| words(index, |value| value * 16)) as &(dyn Fn(usize) -> Vec<u8> + Sync),
        ),
        ("dark", "[0, 16383]", &|index| words(index, |value| value * 64)),
        ("washed out", "[30000, 31020]", &|index| words(index, |value| 30_000 + value * 4)),
        ("nearly black", "[0, 9]", &|index| {
            png(GrayImage::from_fn(20, 20, |x, y| Luma([(chance(index, x, y) % 10) as u8])))
        }),
    ] {
        let seen = remarks(make);
        assert!(seen.contains(said) && seen.contains(&format!("`data.range` = {part}")), "{seen}");
    }
    // One range does not fit files of 8 and of 16 bits.
    let mixed = |index: usize| {
        if index < 8 { words(index, |value| value * 16) } else { png(DynamicImage::from(picture(index)).to_luma8()) }
    };
    let seen = remarks(mixed);
    assert!(seen.contains("8 of 12 images looked at are nearly black") && seen.contains("would not fit all"), "{seen}");
    assert_eq!(remarks(|index| words(index, |value| value * 200)), "", "half as bright as could be is nothing odd");
}

#[test]
fn copies_blank_and_enlarged_images_are_told() {
    assert!(remarks(|_| png(picture(1))).contains("all 12 images looked at are the same"));
    assert!(
        remarks(|index| png(picture(index / 2)))
            .contains("6 of 12 images looked at are nearly the same as another one")
    );
    let some_blank = |index: usize| {
        if index.is_multiple_of(4) { RgbImage::from_pixel(20, 20, Rgb([255; 3])) } else { picture(index) }
    };
    assert!(
        remarks(|index| png(some_blank(index)))
            .contains("3 of 12 images looked at are blank: of one brightness (white)")
    );
    let enlarged = |index| {
        let small = picture(index);
        RgbImage::from_fn(160, 80, move |x, y| *small.get_pixel(x / 8, y / 8))
    };
    let seen = remarks(|index| png(enlarged(index)));
    assert!(seen.contains("is repeated 8 times in both directions; `data.size` = \"10x20\" reads them"), "{seen}");
    let animation = |index| [crate::testing::sample("frames.gif"), vec![index as u8]].concat();
    assert!(remarks(animation).contains("12 of 12 files looked at have several frames; the first is read"));
}

#[test]
fn a_panorama_among_images_of_all_sizes_is_not_the_usual_one() {
    let of = |size: &(dyn Fn(usize) -> (u32, u32) + Sync)| {
        let options = ImageOptions::default();
        let make = |index: usize| {
            let (width, height) = size(index);
            Ok(png(GrayImage::from_fn(width, height, |x, y| Luma([chance(index, x, y) as u8]))))
        };
        let shape = Survey::of(COUNT, &options, make).shape().unwrap();
        (shape.height, shape.width)
    };
    let mixed = |index: usize| if index == 0 { (180, 20) } else { (40 + index as u32, 50 - index as u32) };
    let (height, width) = of(&mixed);
    assert!(height.abs_diff(width) < 12, "{height}x{width}");
    assert_eq!(of(&|index| if index == 0 { (180, 20) } else { (40, 30) }), (30, 40));
    assert_eq!(of(&|index| if index < 4 { (64, 64) } else { (20 + 7 * index as u32, 90) }), (64, 64));
}
