//! Which pictures are about other images, and which are classes.

use super::*;

/// The files that are left aside.
fn aside(names: &str) -> String {
    let names: Vec<&str> = names.split_whitespace().collect();
    let found = companions(&names, &Names);
    assert_eq!(found.held.values().map(|held| held.files).sum::<usize>(), found.is_about.len());
    let mut aside: Vec<usize> = found.is_about.into_iter().collect();
    aside.sort_unstable();
    aside.into_iter().map(|at| names[at]).collect::<Vec<_>>().join(" ")
}

#[test]
fn pictures_about_images_are_found_by_names_and_images() {
    for (names, expected) in [
        // Names beside the images: BUSI, ISIC, DeepGlobe, NYU, webdataset, LGG.
        ("a/benign(1).png a/benign(1)_mask.png a/benign(1)_mask_1.png", "a/benign(1)_mask.png a/benign(1)_mask_1.png"),
        ("with_gt/a/1.png with_gt/a/1_mask.png with_gt/b/2.png", "with_gt/a/1_mask.png"),
        ("ISIC_1.jpg ISIC_1_segmentation.png ISIC_2.jpg", "ISIC_1_segmentation.png"),
        ("train/8_sat.jpg train/8_mask.png test/9_sat.jpg", "train/8_mask.png"),
        ("1_colors.png 1_depth.png", "1_depth.png"),
        ("0.jpg 0.seg.png 1.jpg 1.seg.png", "0.seg.png 1.seg.png"),
        // Folders beside the images: ADE20K, Cityscapes, COVID, Carvana, CUB, DRIVE.
        ("images/train/1.jpg annotations/train/1.png", "annotations/train/1.png"),
        (
            "leftImg8bit/train/ulm/u_1_leftImg8bit.png gtFine/train/ulm/u_1_gtFine_color.png",
            "gtFine/train/ulm/u_1_gtFine_color.png",
        ),
        ("C/images/C-1.png C/masks/C-1.png N/images/N-1.png N/masks/N-1.png", "C/masks/C-1.png N/masks/N-1.png"),
        ("train/1.jpg train_masks/1_mask.gif test/2.jpg", "train_masks/1_mask.gif"),
        ("c/images/01.x/1.jpg segmentations/01.x/1.png", "segmentations/01.x/1.png"),
        (
            "training/images/21_training.tif training/1st_manual/21_manual1.gif training/mask/21_training_mask.gif",
            "training/1st_manual/21_manual1.gif training/mask/21_training_mask.gif",
        ),
        // Maps of textures, crops of depth, super-resolution, smaller versions.
        ("a_Color.png a_NormalGL.png a_Roughness.png", "a_NormalGL.png a_Roughness.png"),
        ("a_diff_1k.png a_nor_gl_1k.png a_arm_1k.png", "a_nor_gl_1k.png a_arm_1k.png"),
        ("a_1_crop.png a_1_depthcrop.png a_1_maskcrop.png", "a_1_depthcrop.png a_1_maskcrop.png"),
        ("1_normal.png 1_abnormal.png", ""),
        ("normal_1.png abnormal_1.png", ""),
        (
            "D2_train_HR/1.png D2_train_LR_bicubic/X2/1x2.png D2_valid_HR/9.png D2_valid_LR_bicubic/X2/9x2.png",
            "D2_train_LR_bicubic/X2/1x2.png D2_valid_LR_bicubic/X2/9x2.png",
        ),
        ("original/a/1.png resized/a/1.png", "resized/a/1.png"),
        ("images1024x1024/00/1.png thumbnails128x128/00/1.png", "thumbnails128x128/00/1.png"),
        (
            "images16/1.png images16/2.png images16/3.png images16/4.png images8/1.png images8/2.png images8/3.png images8/4.png",
            "images8/1.png images8/2.png images8/3.png images8/4.png",
        ),
        ("cats/1.png cats_resized/1.png dogs/2.png dogs_resized/2.png", "cats_resized/1.png dogs_resized/2.png"),
        ("cats/1.png cats_resized/7.png", ""),
        ("training/image_2/1_10.png training/disp_occ_0/1_10.png", "training/disp_occ_0/1_10.png"),
        // Other versions of the images.
        ("images/cat/1.png thumbnails/cat/1.png", "thumbnails/cat/1.png"),
        ("cat/1.png cat/thumbs/1.png", "cat/thumbs/1.png"),
        ("original/cat/1.png augmented/cat/a9.png", "augmented/cat/a9.png"),
        ("color/a/1.png grayscale/a/1.png segmented/a/1.png", "grayscale/a/1.png segmented/a/1.png"),
        ("1.jpg 1.png 2.jpg 2.png 3.jpg 3.png 4.jpg 4.png", "1.png 2.png 3.png 4.png"),
        // The set once more.
        ("yes/1 no/2 brain/yes/1 brain/no/2", "brain/yes/1 brain/no/2"),
        ("d/P/1 d/U/2 d/d/P/1 d/d/U/2", "d/d/P/1 d/d/U/2"),
        // Classes.
        ("mask/1.png face/1.png", ""),
        ("with_mask/1.png without_mask/1.png", ""),
        ("mask/1.png no_mask/1.png incorrect_mask/1.png", ""),
        ("train/mask/1.png train/bare/1.png test/mask/1.png test/bare/1.png", ""),
        ("mask_1.png bare_1.png", ""),
        ("label_1.png label_2.png", ""),
        ("manual/bmw/1.jpg automatic/bmw/1.jpg", ""),
        ("photo/dog/1.jpg cartoon/dog/1.jpg sketch/dog/1.jpg", ""),
        ("0/1.png 1/1.png 2/1.png", ""),
        ("1.jpg 2.png 3.jpg 4.png 5.png 6.png", ""),
        ("augmented/cat/1.png augmented/dog/1.png", ""),
        ("cat/dog/1 dog/2 cow/3", ""),
    ] {
        assert_eq!(aside(names), expected, "{names}");
    }
}

/// Files with names counted up: `cat/{3}.png` are `cat/0.png`, `cat/1.png` and `cat/2.png`.
fn counted(names: &str) -> Vec<String> {
    let mut all = Vec::new();
    for name in names.split_whitespace() {
        match name.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?))) {
            Some((start, (count, end))) => {
                all.extend((0..count.parse().unwrap_or(0)).map(|at: usize| format!("{start}{at}{end}")));
            }
            None => all.push(name.to_owned()),
        }
    }
    all
}

/// How many files are left aside, and the folders that these are in.
fn folders_aside(names: &str) -> (usize, String) {
    let names = counted(names);
    let found = companions(&names.iter().map(String::as_str).collect::<Vec<_>>(), &Names);
    let folders: BTreeSet<&str> = found.is_about.iter().map(|at| split(&names[*at]).0).collect();
    (found.is_about.len(), folders.into_iter().collect::<Vec<_>>().join(" "))
}

#[test]
fn classes_are_kept() {
    for names in [
        // Folders called like their siblings: shards, tiles, classes of several sources.
        "0/0/a{4}.png 0/1/b{4}.png 0/2/c{4}.png 1/0/d{4}.png 1/1/e{4}.png 1/2/f{4}.png 2/0/g.png 2/1/h.png 2/2/i.png",
        "0/0/0.png 1/0/{2}.png 1/1/{2}.png 2/0/{4}.png 2/1/{4}.png 2/2/{4}.png 2/3/{4}.png",
        "train/0/0/a{9}.png train/0/1/b{9}.png train/0/2/c.png train/1/0/d.png train/1/1/e.png train/1/2/f.png \
         train/2/0/g.png train/2/1/h.png train/2/2/i.png",
        "cat/a{9}.png dog/b{9}.png all/cat/c{9}.png all/dog/d{9}.png",
        "cat/{50}.png dog/{50}.png more/cat/{9}.png more/dog/{9}.png",
        // Names of classes that are words for pictures about images.
        "face_mask/a{9}.png photo_frame/b{9}.png",
        "mask/a{9}.png original/b{9}.png",
        "mask/{9}.png original/{9}.png blurred/{9}.png",
        "photo/{9}.png edges/{9}.png sketch/{9}.png",
        "photo/dog/{9}.png edges/dog/{9}.png sketch/dog/{9}.png photo/cat/{9}.png edges/cat/{9}.png sketch/cat/{9}.png",
        "labels/{9}.png bottles/{9}.png photos/{9}.png",
        "raw/{9}.png cooked/{9}.png aug/{9}.png",
        "manual/{9}.png automatic/{9}.png raw/{9}.png",
        "train/label/{9}.png train/photo/{9}.png train/stamp/{9}.png",
        "train/label/{9}.png train/photo/{9}.png train/stamp/{9}.png test/label/{4}.png test/photo/{4}.png",
        "masks/{9}.png gloves/{9}.png picture/{9}.png",
        "mask/{9}.png no_mask/{9}.png picture/{9}.png",
        "with_mask/{9}.png without_mask/{9}.png photos/{9}.png",
        "data/mask/{9}.png data/hat/{9}.png data/photo/{9}.png",
        "face_mask/{9}.png photo_frame/{9}.png",
        "mask/images/{9}.png face/images/{9}.png",
        "blurred/images/{9}.png mask/images/{9}.png original/images/{9}.png",
        "mask_{9}.png photo_{9}.png stamp_{9}.png",
        "files/{9}.png labels/{9}.png pens/{9}.png",
        "images/a{9}.png masks/b{9}.png docs/c.png",
        // Folders in those of classes, with other files.
        "ford/a{9}.jpg ford/gt/b{9}.jpg audi/c{9}.jpg",
        "person0/a{9}.png person0/mask/b{9}.png person1/a{9}.png person1/mask/b{9}.png",
        // Classes called by numbers.
        "16/{9}.png 48/{9}.png",
        "64/a{9}.png 128/b{9}.png",
        "64/{9}.png 128/{9}.png cat/{9}.png",
        // Several downloads.
        "cat/{50}.jpg cat/{50}.webp",
        "cat/{50}.jpg cat/{5}.png",
        "cat/{50}.jpg cat/{5}.bmp",
    ] {
        assert_eq!(folders_aside(names), (0, String::new()), "{names}");
    }
}

#[test]
fn pictures_about_images_are_left_aside_with_their_folders() {
    for (names, expected, folders) in [
        ("images/{9}.png masks/{9}.png", 9, "masks/"),
        ("data/{9}.png masks/{9}.png", 9, "masks/"),
        ("images/{9}.png masks/{9}.png docs/a.png", 9, "masks/"),
        ("cat/{9}.png dog/{9}.png thumbs/cat/{9}.png thumbs/dog/{9}.png", 18, "thumbs/cat/ thumbs/dog/"),
        ("c/images/x/{9}.png masks/x/{9}.png", 9, "masks/x/"),
        ("train/images/{9}.png train/masks/{9}.png test/images/{9}.png", 9, "train/masks/"),
        // One folder for each image: DSB 2018, and with one name for all images.
        ("a/images/a.png a/masks/a.png b/images/b.png b/masks/b.png", 2, "a/masks/ b/masks/"),
        ("001/image.png 001/mask.png 002/image.png 002/mask.png", 2, "001/ 002/"),
        // CelebA-HQ, HAM10000, PlantVillage.
        (
            "CelebA-HQ-img/{9}.jpg CelebAMask-HQ-mask-anno/0/00007_hair.png CelebAMask-HQ-mask-anno/0/00007_l_brow.png",
            2,
            "CelebAMask-HQ-mask-anno/0/",
        ),
        (
            "HAM10000_images_part_1/ISIC_{4}.jpg HAM10000_images_part_2/ISIC_1{4}.jpg \
             HAM10000_segmentations_lesion/ISIC_1_segmentation.png",
            1,
            "HAM10000_segmentations_lesion/",
        ),
        ("cat_images/{9}.png cat_masks/{9}.png dog_images/{9}.png dog_masks/{9}.png", 18, "cat_masks/ dog_masks/"),
        ("color/a/x_{9}.jpg color/b/y_{9}.jpg segmented/a/x_1_final_masked.jpg", 1, "segmented/a/"),
        ("cat/{50}.jpg cat/{50}.png", 50, "cat/"),
        ("cat/{9}.png dog/{9}.png all/cat/{9}.png all/dog/{9}.png", 18, "all/cat/ all/dog/"),
        // One set in several sizes.
        ("64/{9}.png 128/{9}.png 256/{9}.png", 18, "128/ 64/"),
        ("s/100x100/a/{9}.png s/300x300/a/{9}.png", 9, "s/100x100/a/"),
    ] {
        assert_eq!(folders_aside(names), (expected, folders.to_owned()), "{names}");
    }
}

#[test]
fn one_folder_for_each_image_takes_one_pass() {
    let names: Vec<String> = (0..20_000)
        .flat_map(|at| [format!("{at}/images/{at}.png"), format!("{at}/masks/1.png"), format!("{at}/masks/{at}.png")])
        .collect();
    let found = companions(&names.iter().map(String::as_str).collect::<Vec<_>>(), &Names);
    assert_eq!(found.held[&Why::About].files, 40_000);
}
