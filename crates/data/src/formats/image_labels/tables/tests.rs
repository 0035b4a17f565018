//! Which tables hold labels, and what is said of the others.

use crate::image_labels::testing::Case;
use crate::parts::Part;

const SIX: &str = "img/1.png img/2.png img/3.png img/4.png img/5.png img/6.png";

#[test]
fn labels_are_found_in_any_usual_table() {
    for (name, text, what, labels) in [
        (
            "train.csv",
            "id,label\n1,cat\n2,dog\n3,cat\n4,dog\n5,cat\n6,dog\n",
            "column label of train.csv",
            "cat dog cat dog cat dog",
        ),
        (
            "labels.csv",
            "image_id;breed\n1.png;b\n2.png;a\n3.png;b\n4.png;a\n5.png;b\n",
            "column breed of labels.csv",
            "b a b a b -",
        ),
        // Named for labels, though each value is rare; unnamed, with few values; the other name is that of the image.
        ("x.csv", "file,class\n1,a\n2,b\n3,c\n4,d\n5,e\n6,e\n", "column class of x.csv", "a b c d e e"),
        ("x.csv", "file,blob\n1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n", "column blob of x.csv", "a b a b a b"),
        (
            "train.csv",
            "Image,Id\n1.png,w1\n2.png,w2\n3.png,w1\n4.png,w2\n5.png,w1\n6.png,new\n",
            "column Id of train.csv",
            "w1 w2 w1 w2 w1 new",
        ),
        // Without a header.
        (
            "val_annotations.txt",
            "1.png\tn1\t0\t0\n2.png\tn2\t0\t1\n3.png\tn1\t5\t2\n4.png\tn2\t5\t3\n",
            "val_annotations.txt",
            "n1 n2 n1 n2 - -",
        ),
        ("list.txt", "img/1 1\nimg/2 2\nimg/3 1\nimg/4 2\nimg/5 1\nimg/6 2\n", "list.txt", "1 2 1 2 1 2"),
        // A path, a number first; missing labels.
        (
            "x.csv",
            ",path,label\n0,img/1.png,3.0\n1,img/2.png,\n2,img/3.png,4.0\n3,img/4.png,3.0\n",
            "column label of x.csv",
            "3 - 4 3 - -",
        ),
        (
            "metadata.jsonl",
            "{\"file_name\": \"img/1.png\", \"label\": 7}\n{\"file_name\": \"img/2.png\", \"label\": 9}\n",
            "column label of metadata.jsonl",
            "7 9 - - - -",
        ),
        (
            "labels.json",
            "{\"1.png\": \"a\", \"2.png\": \"b\", \"3.png\": \"a\", \"4.png\": \"b\"}",
            "labels.json",
            "a b a b - -",
        ),
        // Two classes, of which one is -1; a missing label.
        ("x.csv", "id,label\n1,1\n2,-1\n3,1\n4,-1\n", "column label of x.csv", "1 -1 1 -1 - -"),
        ("x.csv", "id,label\n1,1.0\n2,-1.0\n3,+1\n4,-1.0\n", "column label of x.csv", "1 -1 1 -1 - -"),
        ("x.csv", "id,blob\n1,1\n2,-1\n3,1\n4,-1\n", "column blob of x.csv", "1 -1 1 -1 - -"),
        ("x.csv", "id,label\n1,1\n2,-1\n3,0\n4,-1\n4,1\n", "column label of x.csv", "1 - 0 1 - -"),
        ("x.csv", "id,label\n1,cat\n2,-1.0\n3,dog\n4,cat\n", "column label of x.csv", "cat - dog cat - -"),
        // A column y beside x is a place; another column fits better than the one called so.
        (
            "x.csv",
            "file,x,y,cover\n1,0,0,sea\n2,0,1,ice\n3,1,0,sea\n4,1,1,ice\n",
            "column cover of x.csv",
            "sea ice sea ice - -",
        ),
        (
            "x.csv",
            "file,type,cover\n1,t,sea\n2,t,ice\n3,t,sea\n4,t,ice\n",
            "column cover of x.csv",
            "sea ice sea ice - -",
        ),
        // Parts of names are no lists.
        ("x.csv", "file;label\n1;3,5\n2;5\n3;3\n4;3,5\n", "column label of x.csv", "3,5 5 3 3,5 - -"),
        (
            "x.csv",
            "file,label\n1,hot dog\n2,dog\n3,hot dog\n4,dog\n",
            "column label of x.csv",
            "hot dog dog hot dog dog - -",
        ),
        // Both a number and a name.
        ("x.csv", "file,class_id,class_name\n1,0,a\n2,1,b\n3,0,a\n", "column class_name of x.csv", "a b a - - -"),
    ] {
        let (found, from, notes) = Case::new(SIX, &[(name, text)]).labels(Part::Train);
        assert_eq!((found.as_str(), from.as_str()), (labels, what), "{text} {notes:?}");
    }
}

#[test]
fn tables_that_do_not_fit_say_why() {
    for (text, expected) in [
        ("id\n1\n2\n", "it has no column beside the names of the images"),
        ("id,score\n1,0.25\n2,0.5\n3,0.25\n4,0.5\n", "none of its columns has few values"),
        ("id,a,b\n1,x,u\n2,y,v\n3,x,u\n4,y,v\n", "its labels may be in a, b; call the right column label"),
        ("id,label\n1,a\n1,b\n2,a\n", "it gives img/1.png several labels (a and b)"),
        ("id,label\n1,a\n2,a\n3,a\n", "its column label has the same value in all rows"),
        ("id,label\n1,5\n2,-1\n3,5\n", "its column label has the same value in all rows with a label (-1 is none)"),
        ("id,label\n1,-1\n2,-1\n3,-1\n", "its column label holds no labels"),
        ("id,label\n1,a\n2,b\n3,c\n4,d\n", "its column label has 4 different values in 4 rows"),
        ("id,labels\n1,a|b\n2,a\n3,a\n", "its column labels has several labels for an image"),
        ("id,label\n1,a+b\n2,a\n3,b\n4,a+b\n", "its column label has several labels for an image"),
        ("id,label\n1,a & b\n2,a\n3,b\n4,a\n", "its column label has several labels for an image"),
        ("id,label\n1,a/b\n2,a\n3,b\n4,a\n", "its column label has several labels for an image"),
        ("id,Target\n1,0 3\n2,1\n3,0 3\n4,1\n", "its column Target has several labels for an image"),
        ("id,tags\n1,haze primary\n2,clear primary\n3,haze primary\n", "its column tags has several labels"),
        // Part of a name that was torn; another column says nothing about several labels.
        (
            "id,Finding Labels,sex,\"Bbox [x\",y]\n1,a|b,m,1,2\n2,a,w,1,3\n3,a,m,1,2\n",
            "its column Finding Labels has several",
        ),
        (
            "id;smiles;glasses\n1;WAHR;FALSCH\n2;FALSCH;FALSCH\n3;WAHR;WAHR\n4;WAHR;FALSCH\n",
            "columns smiles, glasses say yes or no",
        ),
        ("id,Id\n1,w1\n2,w2\n3,w3\n4,w4\n5,w4\n", "in its column Id nearly each image has a value of its own"),
        ("id,label\nx,a\ny,b\n", "it names none of the images"),
    ] {
        let (found, _, unused) = Case::new(SIX, &[("x.csv", text)]).labels(Part::Train);
        assert_eq!(found, "", "{text}");
        assert!(unused.len() == 1 && unused[0].starts_with("x.csv: ") && unused[0].contains(expected), "{unused:?}");
    }
    let (found, _, unused) =
        Case::new("a/1.png b/1.png c.png", &[("x.csv", "id,label\n1,a\n1,b\n")]).labels(Part::Train);
    assert_eq!((found.as_str(), unused.len()), ("", 1));
    assert!(unused[0].contains("rows name several images each (1, for one)"), "{unused:?}");
}

#[test]
fn columns_of_one_class_each_are_labels_beside_other_columns() {
    let one_hot = "one-hot columns cat, dog, fox of x.csv";
    for (text, labels) in [
        (
            "file,width,cat,dog,fox\n1,64,1,0,0\n2,65,0,1,0\n3,70,0,0,1\n4,71,1,0,0\n5,72,0,1,0\n6,8,0,0,1\n",
            "cat dog fox cat dog fox",
        ),
        ("file,cat,dog,fox\n1,x,,\n2,,x,\n3,,,X\n4,x,,\n5,,x,\n6,,,x\n", "cat dog fox cat dog fox"),
        (
            "file,is_train,cat,dog,fox\n1,1,yes,no,no\n2,1,no,yes,no\n3,1,no,no,yes\n4,0,yes,no,no\n",
            "cat dog fox cat - -",
        ),
    ] {
        let (found, what, notes) = Case::new(SIX, &[("x.csv", text)]).labels(Part::Train);
        assert_eq!((found.as_str(), what.as_str()), (labels, one_hot), "{text} {notes:?}");
    }
    let several = "file,width,cat,dog,fox\n1,64,1,0,1\n2,65,0,1,0\n3,70,0,0,1\n4,71,1,0,0\n";
    let (found, _, unused) = Case::new(SIX, &[("x.csv", several)]).labels(Part::Train);
    assert_eq!(found, "");
    assert!(unused[0].contains("columns cat, dog, fox say yes or no, and an image may have several"), "{unused:?}");
}

#[test]
fn lists_of_one_label_are_this_label() {
    for (name, text) in [
        ("x.csv", "file,label\n1,['a']\n2,['b']\n3,['a']\n"),
        ("x.csv", "file,label\n1,\"[\"\"a\"\"]\"\n2,\"[\"\"b\"\"]\"\n3,[a]\n"),
        (
            "x.json",
            "[{\"file\": \"1\", \"label\": [\"a\"]}, {\"file\": \"2\", \"label\": [\"b\"]}, {\"file\": \"3\", \"label\": [\"a\"]}]",
        ),
        ("x.json", "{\"1\": [\"a\"], \"2\": [\"b\"], \"3\": [\"a\"]}"),
    ] {
        assert_eq!(Case::new("1.png 2.png 3.png", &[(name, text)]).train(), "a b a", "{text}");
    }
    let several = "{\"file\": \"1\", \"label\": [\"a\", \"b\"]}\n{\"file\": \"2\", \"label\": [\"b\"]}\n{\"file\": \"3\", \"label\": []}";
    let (found, _, unused) = Case::new("1.png 2.png 3.png", &[("x.jsonl", several)]).labels(Part::Train);
    assert!(found.is_empty() && unused[0].contains("column label has several labels for an image"), "{unused:?}");
}

#[test]
fn what_is_missing_is_counted() {
    let text = "id,label\n1,cat\n2,dog\n3,cat\n4,dog\n8,cat\n9,dog\n";
    let (_, _, notes) = Case::new(SIX, &[("x.csv", text)]).labels(Part::Train);
    assert_eq!(notes, ["x.csv: 2 rows have no image (8, for one)"]);
    // The first of them names a test image.
    let text = "id,label\n4,a\n1,a\n2,b\n3,a\n9,b\n8,a\n";
    let (_, _, notes) =
        Case::new("train/1.png train/2.png train/3.png test/4.png", &[("train.csv", text)]).labels(Part::Train);
    assert_eq!(notes, ["train.csv: 2 rows have no image (9, for one)"]);
}

#[test]
fn each_part_has_its_table_and_the_better_one_is_taken() {
    let images = "train/1.png train/2.png train/3.png test/1.png test/2.png test/3.png";
    let tables = [("train.csv", "id,label\n1,a\n2,b\n3,a\n"), ("test.csv", "id,label\n1,b\n2,b\n3,a\n")];
    let case = Case::new(images, &tables);
    assert_eq!((case.train().as_str(), case.labels(Part::Test).0.as_str()), ("a b a", "b b a"));
    let inside = [
        ("train/metadata.csv", "file_name,label\n1.png,a\n2.png,b\n3.png,a\n"),
        ("test/metadata.csv", "file_name,label\n1.png,b\n2.png,a\n3.png,a\n"),
    ];
    let case = Case::new(images, &inside);
    assert_eq!((case.train().as_str(), case.labels(Part::Test).0.as_str()), ("a b a", "b a a"));
    let two = [("a.csv", "id,label\n1,a\n2,b\n3,a\n"), ("b.csv", "id,label\n1,a\n2,b\n3,a\n4,b\n5,a\n")];
    let (_, what, notes) = Case::new(SIX, &two).labels(Part::Train);
    assert_eq!((what.as_str(), notes.len()), ("column label of b.csv", 0));
    let equal = [("a.csv", "id,label\n1,a\n2,b\n3,a\n"), ("b.csv", "id,label\n1,x\n2,y\n3,x\n")];
    let (_, what, notes) = Case::new("1.png 2.png 3.png", &equal).labels(Part::Train);
    assert_eq!(
        (what.as_str(), notes),
        ("column label of a.csv", vec!["labels are also in b.csv, which is not used".to_owned()])
    );
}

#[test]
fn tables_that_disagree_are_named() {
    let images = "1.png 2.png 3.png 4.png";
    let labels = ("labels.csv", "file,label\n1.png,a\n2.png,b\n3.png,a\n4.png,b\n");
    for (name, text, used, said) in [
        (
            "annotations.csv",
            "file,label\n1.png,b\n2.png,b\n3.png,b\n4.png,a\n",
            "annotations.csv",
            "annotations.csv and labels.csv disagree on the labels of 3 of 4 images; annotations.csv is taken",
        ),
        (
            "metadata.csv",
            "file_name,label\n1.png,b\n2.png,b\n3.png,a\n",
            "metadata.csv",
            "metadata.csv and labels.csv disagree on the labels of 1 of 3 images; metadata.csv is taken",
        ),
        ("z.csv", "file,label\n1.png,a\n2.png,b\n3.png,a\n4.png,b\n", "labels.csv", ""),
        (
            "z.csv",
            "file,label\n1.png,x\n2.png,y\n3.png,y\n4.png,y\n",
            "labels.csv",
            "labels are also in z.csv, which is not used",
        ),
    ] {
        let (_, what, notes) = Case::new(images, &[labels, (name, text)]).labels(Part::Train);
        assert_eq!((what, notes.join("; ").as_str()), (format!("column label of {used}"), said), "{text}");
    }
}

#[test]
fn missing_values_of_r_are_no_class() {
    let text = "file,label\n1,cat\n2,NA\n3,dog\n4,cat\n5,Na\n6,dog\n";
    assert_eq!(Case::new(SIX, &[("x.csv", text)]).train(), "cat - dog cat Na dog");
}

#[test]
fn a_table_of_paths_with_other_labels_comes_before_folders() {
    let images = "batch_x/0.png batch_x/1.png batch_y/0.png batch_y/1.png test/batch_x/2.png test/batch_y/2.png";
    let rows = "batch_x/0.png,cat\nbatch_x/1.png,dog\nbatch_y/0.png,dog\nbatch_y/1.png,cat\n";
    let table: &'static str =
        Box::leak(format!("path,label\n{rows}test/batch_x/2.png,dog\ntest/batch_y/2.png,cat\n").into_boxed_str());
    let case = Case::new(images, &[("labels.csv", table)]);
    let (labels, what, _) = case.labels(Part::Train);
    assert_eq!((labels.as_str(), what.as_str()), ("cat dog dog cat", "column label of labels.csv"));
    // One label for each folder of test images, yet those of the table.
    assert_eq!(case.labels(Part::Test).0, "dog cat");
    let said = |images, text| {
        let case = Case::new(images, &[("labels.csv", text)]);
        (case.train(), case.said(Part::Train).join("; "))
    };
    let images = "batch_x/0.png batch_x/1.png batch_y/0.png batch_y/1.png";
    let folders = "batch_x batch_x batch_y batch_y";
    // Another table with labels is not taken for the one that decides.
    let table: &'static str = Box::leak(format!("path,label\n{rows}").into_boxed_str());
    let species = "file,species\nbatch_x/0.png,x\nbatch_x/1.png,y\nbatch_y/0.png,x\nbatch_y/1.png,x\n";
    let two = Case::new(images, &[("labels.csv", table), ("a.csv", species)]);
    assert_eq!(two.labels(Part::Train).1, "column label of labels.csv");
    let taken = said(images, Box::leak(format!("path,label\n{rows}").into_boxed_str()));
    let note = "the folders (batch_x, batch_y) are no classes: labels.csv gives the labels of the images in them";
    assert_eq!(taken, ("cat dog dog cat".to_owned(), note.to_owned()));
    for (text, note) in [
        // The same classes by other names.
        ("path,label\nbatch_x/0.png,u\nbatch_x/1.png,u\nbatch_y/0.png,v\nbatch_y/1.png,v\n", ""),
        // No label, but something else.
        (
            "path,weather\nbatch_x/0.png,u\nbatch_x/1.png,v\nbatch_y/0.png,v\nbatch_y/1.png,u\n",
            "labels.csv: the folders are taken instead",
        ),
        // Not of every image.
        (
            "path,label\nbatch_x/0.png,u\nbatch_x/1.png,v\nbatch_y/0.png,v\n",
            "labels.csv: the folders are taken instead",
        ),
        (
            "path,label\nbatch_x/0.png,batch_x\nbatch_x/1.png,batch_y\nbatch_y/0.png,batch_y\nbatch_y/1.png,batch_x\n",
            "labels.csv: it disagrees with the folders on 2 of 4 images; the folders are taken",
        ),
    ] {
        assert_eq!(said(images, text), (folders.to_owned(), note.to_owned()), "{text}");
    }
}

#[test]
fn folders_that_are_classes_come_before_tables() {
    let images = "cat/1.png cat/2.png dog/3.png dog/4.png";
    let table = [("x.csv", "id,label\n1,a\n2,b\n3,a\n4,b\n")];
    assert_eq!(Case::new(images, &table).train(), "cat cat dog dog");
    assert_eq!(Case::new(images, &[("metadata.csv", table[0].1)]).train(), "a b a b");
}

#[test]
fn tables_of_labels_beside_folders_are_said() {
    let images = "cat/1.png cat/2.png dog/1.png dog/2.png";
    let said = |name, text| Case::new(images, &[(name, text)]).said(Part::Train).join("; ");
    for (text, expected) in [
        ("filename,label\n1.png,x\n2.png,y\n", "labels.csv: 2 rows name several images each (1.png, for one)"),
        ("filename,label\n8.png,x\n9.png,y\n", "labels.csv: it names none of the images"),
        (
            "path,a,b\ncat/1.png,u,x\ncat/2.png,u,y\ndog/1.png,v,x\ndog/2.png,v,y\n",
            "labels.csv: its labels may be in a, b",
        ),
    ] {
        assert!(said("labels.csv", text).starts_with(expected), "{text}: {}", said("labels.csv", text));
    }
    // Lists of the classes, sizes of the images.
    for (name, text) in [
        ("classes.csv", "class_id,name\n0,cat\n1,dog\n"),
        ("README.txt", "Some words on\nthe set.\n"),
        ("sizes.csv", "path,width\ncat/1.png,71\ncat/2.png,72\ndog/1.png,73\ndog/2.png,74\n"),
    ] {
        assert_eq!(said(name, text), "", "{text}");
    }
}

#[test]
fn names_in_another_spelling_are_said() {
    for (images, rows, said) in [
        ("IMG_1.PNG IMG_2.PNG IMG_3.PNG", "img_1.png,a\nimg_2.png,b\nimg_3.png,a\n", "(img_1.png is IMG_1.PNG)"),
        (
            "p1.png p2.png p3.png",
            "/data/upload/1/ab12cd34-p1.png,a\n/data/upload/1/ab12cd35-p2.png,b\n/data/upload/1/ab12cd36-p3.png,a\n",
            "ab12cd34-p1.png is p1.png)",
        ),
        ("1.png 2.png 3.png", "1.0,a\n2.0,b\n3.0,a\n", "(1.0 is 1.png)"),
        ("1.png 2.png 3.png", "https://x.y/1.png?z,a\nhttps://x.y/2.png?z,b\nhttps://x.y/3.png?z,a\n", "is 1.png)"),
    ] {
        let text: &'static str = Box::leak(format!("id,label\n{rows}").into_boxed_str());
        let (labels, _, notes) = Case::new(images, &[("x.csv", text)]).labels(Part::Train);
        assert_eq!(labels, "a b a", "{rows}");
        assert!(notes.len() == 1 && notes[0].contains("written otherwise") && notes[0].ends_with(said), "{notes:?}");
    }
    // Two images of one spelling.
    let (labels, ..) =
        Case::new("a.png A.png b.png B.png", &[("x.csv", "id,label\na.PNG?,x\nb.PNG?,y\n")]).labels(Part::Train);
    assert_eq!(labels, "");
}
