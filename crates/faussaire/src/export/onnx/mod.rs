//! ONNX files (opset 17): the generator from latents (and labels) to images, or the discriminator from images to a score,
//! for any batch size. The file's metadata describe the run.

mod blocks;
mod graph;
mod layers;
mod proto;
mod read_back;

use prost::Message;
use serde_json::json;

use self::graph::{Graph, Value};
use self::layers::Trace;
use self::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto, data_type};
use super::plain::Plain;
use super::{Export, Layout, Options, Pixels, Subject, Which, agreement};
use crate::data::LabelKind;
use crate::error::{Error, Result};
use crate::net::Shape;

/// The version of the operators (2022), and of the file format for it.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

/// The names of inputs and outputs.
const LATENT: &str = "latent";
const LABELS: &str = "labels";
const IMAGES: &str = "images";
const SCORE: &str = "score";

/// Exports a net and verifies the file with an independent runtime.
///
/// # Errors
/// 2-D points as bytes, or a file that can't be read back.
pub fn export(subject: &Subject, options: &Options) -> Result<Export> {
    let which = options.net.unwrap_or(Which::Generator);
    let (net, weights) = subject.net(which);
    let plain = Plain::of(net, weights);
    let images = if which == Which::Generator { plain.output } else { plain.input };
    if let (Shape::Flat(_), Pixels::Uint8) = (images, options.pixels) {
        return Err(Error::usage(
            "this run generates 2-D points, which have no pixels",
            "use floats (`export::Options::pixels`)",
        ));
    }
    let file = write(subject, &plain, which, options);
    let batch = agreement::inputs(net, which, subject.range.bounds());
    let (difference, tolerance) = read_back::compare(subject, which, options, &file, batch)?;
    Ok(Export { files: vec![("onnx", file)], checked: "run by rten", difference, tolerance })
}

fn write(subject: &Subject, plain: &Plain, which: Which, options: &Options) -> Vec<u8> {
    let mut graph = Graph::new(plain.name);
    let x = match which {
        Which::Generator => graph.input(LATENT, data_type::FLOAT, &[plain.input.len()], "noise from N(0, 1)"),
        Which::Discriminator => images_in(&mut graph, subject, plain.input, options),
    };
    let labels = (plain.labels > 0).then(|| {
        graph.input(LABELS, data_type::FLOAT, &[plain.labels], "1 for each label of the image, 0 for the others")
    });
    let mut trace = Trace::new(graph, labels);
    let y = plain.parts.iter().fold(x, |x, part| {
        trace.graph.enter(format!("{}.{}.{}", plain.name, part.index, part.keyword));
        trace.layer(part, x)
    });
    let mut graph = trace.graph;
    graph.enter(format!("{}.output", plain.name));
    match which {
        Which::Generator => images_out(&mut graph, &y, subject, plain.output, options),
        Which::Discriminator => {
            let about = "score: higher is more real; its scale depends on the loss";
            graph.output(&y, SCORE, data_type::FLOAT, &[plain.output.len()], about);
        }
    }
    model(subject, plain, graph).encode_to_vec()
}

/// The shape of an image in the file.
fn shape_outside(shape: Shape, layout: Layout) -> Vec<usize> {
    match (shape, layout) {
        (Shape::Flat(n), _) => vec![n],
        (Shape::Image(h, w, c), Layout::Nhwc) => vec![h, w, c],
        (Shape::Image(h, w, c), Layout::Nchw) => vec![c, h, w],
    }
}

/// An input of images, as numbers in the net's range, channels first.
fn images_in(graph: &mut Graph, subject: &Subject, shape: Shape, options: &Options) -> Value {
    let (low, high) = subject.range.bounds();
    let (r#type, about) = match options.pixels {
        Pixels::Float => (data_type::FLOAT, format!("from {low} to {high}")),
        Pixels::Uint8 => (data_type::UINT8, "from 0 to 255".into()),
    };
    let mut x = graph.input(IMAGES, r#type, &shape_outside(shape, options.layout), &about);
    if options.pixels == Pixels::Uint8 {
        x = graph.node("Cast", &[&x], vec![proto::AttributeProto::int("to", i64::from(data_type::FLOAT))]);
        let scale = graph.float("scale", (high - low) / 255.0);
        let low = graph.float("low", low);
        x = graph.node("Mul", &[&x, &scale], Vec::new());
        x = graph.node("Add", &[&x, &low], Vec::new());
    }
    match (shape, options.layout) {
        (Shape::Image(..), Layout::Nhwc) => graph.transpose(&x, [0, 3, 1, 2]),
        _ => x,
    }
}

/// The output: images from channels-first numbers in the net's range.
fn images_out(graph: &mut Graph, x: &Value, subject: &Subject, shape: Shape, options: &Options) {
    let (low, high) = subject.range.bounds();
    let mut x = match (shape, options.layout) {
        (Shape::Image(..), Layout::Nhwc) => graph.transpose(x, [0, 2, 3, 1]),
        _ => x.clone(),
    };
    let shape = shape_outside(shape, options.layout);
    if options.pixels == Pixels::Float {
        return graph.output(&x, IMAGES, data_type::FLOAT, &shape, &format!("from {low} to {high}"));
    }
    let scale = graph.float("scale", 255.0 / (high - low));
    // The nearest whole number is the floor of a half more.
    let offset = graph.float("offset", 0.5 - low * 255.0 / (high - low));
    let (black, white) = (graph.float("black", 0.0), graph.float("white", 255.0));
    x = graph.node("Mul", &[&x, &scale], Vec::new());
    x = graph.node("Add", &[&x, &offset], Vec::new());
    x = graph.node("Floor", &[&x], Vec::new());
    x = graph.node("Clip", &[&x, &black, &white], Vec::new());
    x = graph.node("Cast", &[&x], vec![proto::AttributeProto::int("to", i64::from(data_type::UINT8))]);
    graph.output(&x, IMAGES, data_type::UINT8, &shape, "from 0 to 255");
}

fn model(subject: &Subject, plain: &Plain, graph: Graph) -> ModelProto {
    let (low, high) = subject.range.bounds();
    let scores: serde_json::Map<_, _> =
        subject.scores.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let labels = subject.labels();
    let kind = match labels.kind {
        LabelKind::Classes => "classes",
        LabelKind::Attributes => "attributes",
    };
    let told = if plain.labels > 0 { labels.names.clone() } else { Vec::new() };
    let props = [
        ("faussaire.net", plain.name.to_string()),
        ("faussaire.run", subject.name.clone()),
        ("faussaire.step", subject.step.to_string()),
        ("faussaire.bounds", json!([low, high]).to_string()),
        ("faussaire.labels", json!(told).to_string()),
        ("faussaire.labels.kind", kind.to_string()),
        ("faussaire.scores", serde_json::Value::from(scores).to_string()),
        ("faussaire.recipe", subject.recipe_text()),
    ];
    let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.into(), value };
    ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "faussaire".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: format!("The {} of the run {} at step {}", plain.name, subject.name, subject.step),
        graph: Some(graph.finish()),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: props.into_iter().map(entry).collect(),
    }
}
