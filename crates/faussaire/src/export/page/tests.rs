//! Tests of the page's code, run by node, against the nets here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::super::subject::Batch;
use super::super::trials;
use super::*;
use crate::recipe::Preset;
use crate::render::page::hostile;

/// Extracts the engine from a page on stdin, generates images, and prints the pixels.
const DRAW: &str = r#"
const page = require("fs").readFileSync(0, "utf8");
const part = (id) => page.split(`id="${id}">`)[1].split("</script>")[0];
const { batch, rows, both } = JSON.parse(part("trial"));
const draw = new Function("model", "text", "slow", part("engine") + "; return Engine(model, unpack(text, model.half), slow);");
const images = (both ? [false, true] : [false]).map((slow) => {
  const engine = draw(JSON.parse(part("net")), part("weights"), slow);
  return batch.map((z, i) => Array.from(engine.draw(z, rows[i])));
});
console.log(JSON.stringify(images));
"#;

/// The images of the page's engine with WebAssembly and, for `both`, without; none if node is missing.
fn drawn(page: &str, batch: &Batch, both: bool) -> Option<Vec<Vec<f32>>> {
    let each = |values: &[f32]| {
        (0..batch.n)
            .map(|i| values[i * values.len() / batch.n..][..values.len() / batch.n].to_vec())
            .collect::<Vec<_>>()
    };
    let trial = json!({ "batch": each(&batch.values), "rows": each(&batch.rows), "both": both });
    let mut node = Command::new("node").args(["-e", DRAW]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdin = node.stdin.take().unwrap();
    stdin.write_all(format!("{page}<script id=\"trial\">{trial}</script>").as_bytes()).unwrap();
    drop(stdin);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    let images: Vec<Vec<Vec<f32>>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(images.len(), if both { 2 } else { 1 });
    Some(images.iter().map(|images| images.concat()).collect())
}

fn check(subject: &Subject) {
    let export = super::super::make(subject, super::super::Format::Html, &Options::default());
    let export = export.unwrap_or_else(|e| panic!("{}: {e}", subject.name));
    let page = String::from_utf8(export.files[0].1.clone()).unwrap();
    let net = subject.net(Which::Generator).0;
    let mut batch = agreement::inputs(net, Which::Generator, (0.0, 1.0));
    if !subject.name.starts_with("trial") {
        batch = Batch {
            n: 2,
            values: batch.values[..2 * net.input().len()].to_vec(),
            rows: batch.rows[..2 * net.labels()].to_vec(),
        };
    }
    // The large ones are the same layers, and slow without WebAssembly.
    let Some(theirs) = drawn(&page, &batch, subject.name.starts_with("trial")) else {
        eprintln!("no node here: the page's engine was not run");
        return;
    };
    let ours = subject.run(Which::Generator, &batch);
    for theirs in theirs {
        let (apart, accepted) = agreement::difference(&ours, &theirs);
        println!("{:24} page of {} bytes: {apart:.1e}", subject.name, page.len());
        assert!(apart <= accepted, "{}: {apart:e}", subject.name);
    }
}

#[test]
fn every_layer_and_preset_in_a_page() {
    trials::small().iter().filter(|subject| subject.net(Which::Generator).0.output().dims()[2] <= 4).for_each(check);
    Preset::ALL.iter().for_each(|preset| check(&trials::preset(*preset)));
}

#[test]
fn half_precision_is_near_and_smaller() {
    let subject = trials::preset(Preset::Quick);
    let [whole, half] = [false, true].map(|half| export(&subject, &Options { half, ..Options::default() }).unwrap());
    assert!(half.files[0].1.len() * 10 < whole.files[0].1.len() * 7);
    assert!(whole.difference == 0.0 && half.difference > 1e-6 && half.difference < 5e-3, "{}", half.difference);
}

#[test]
fn a_page_that_was_changed_is_noticed() {
    let subject = trials::preset(Preset::Ring);
    let (net, weights) = subject.net(Which::Generator);
    let plain = Plain::of(net, weights);
    let page = page(&subject, &plain, false).unwrap();
    assert!(read_back(&page, &plain).is_ok());
    for (old, new) in [
        ("\"form\":\"tanh\"", "\"form\":\"relu\""),
        ("id=\"weights\">", "id=\"weights\">!"),
        ("id=\"net\">", "id=\"x\">"),
    ] {
        let error = read_back(&page.replacen(old, new, 1), &plain).unwrap_err().to_string();
        assert!(error.contains("can't be read back"), "{error}");
    }
}

#[test]
fn nothing_in_a_run_becomes_markup() {
    let mut subject = trials::preset(Preset::CganMnist);
    subject.name = "</script><b>{{net}}".into();
    subject.recipe.labels.names[3] = "</script><i>".into();
    let (net, weights) = subject.net(Which::Generator);
    let text = page(&subject, &Plain::of(net, weights), false).unwrap();
    assert!(!text.contains("<b>") && !text.contains("<i>"));
    assert!(text.contains("&#60;/script&#62;&#60;b&#62;{{net}}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn no_name_becomes_markup(name in hostile::names()) {
        let page = |name: &str| {
            let mut subject = trials::preset(Preset::CganMnist);
            subject.name = name.into();
            subject.recipe.data.source = name.into();
            subject.recipe.labels.names[3] = format!("</script>{name}");
            subject.scores = vec![(name.into(), 0.5)];
            let (net, weights) = subject.net(Which::Generator);
            let page = page(&subject, &Plain::of(net, weights), false).unwrap();
            // The engine and the page's program are ours, and compare with `<`.
            page.split("<script id=\"engine\">").next().unwrap().to_owned()
        };
        let html = page(&name);
        prop_assert_eq!(hostile::elements(&html), hostile::elements(&page("plain")));
        let heading = format!("a GAN trained on {}</h1>", hostile::escaped(&name));
        prop_assert!(html.contains(&heading), "{}", name);
    }
}

#[test]
fn a_page_names_no_folder_of_its_maker() {
    let mut subject = trials::preset(Preset::Quick);
    subject.recipe.data.source = "/home/somebody/pictures".into();
    subject.recipe.data.dir = "/home/somebody/data".into();
    subject.recipe.train.init = vec!["/home/somebody/nets.safetensors".into()];
    let (net, weights) = subject.net(Which::Generator);
    let text = page(&subject, &Plain::of(net, weights), false).unwrap();
    assert!(text.contains("a GAN trained on pictures") && !text.contains("somebody"));
}
