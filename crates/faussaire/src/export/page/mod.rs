//! Export to one HTML file: layers as JSON, weights as base64, code that runs them (`engine.js`, `convolution.js`) and
//! the page (`play.js`). It loads no other files, so that it works from a disk or an e-mail.

mod directions;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use burn::tensor::Device;
use half::f16;
use serde_json::{Value, json};

use super::plain::Plain;
use super::{Export, Options, Subject, Which, agreement};
use crate::data::LabelKind;
use crate::error::{Error, Result};
use crate::net::summary::grouped;
use crate::render::page::render;

/// Number of images of [`crate::run::Sampler::draw`] with seed 0 whose noise is in the page.
const SAMPLES: usize = 12;

/// The largest accepted difference with weights in half precision.
const HALF_TOLERANCE: f64 = 0.05;

/// Writes the page, and reads the net back from it.
///
/// # Errors
/// Images that a page can't show, or a page that can't be read back.
pub fn export(subject: &Subject, options: &Options) -> Result<Export> {
    let (net, weights) = subject.net(Which::Generator);
    let plain = Plain::of(net, weights);
    let [h, w, c] = plain.output.dims();
    if !matches!((h * w, c), (1, 2) | (2.., 1 | 3 | 4)) {
        return Err(Error::usage(
            format!("a page can't show images of {}", plain.output),
            "expected 1 channel (grey), 3 (RGB), 4 (RGB and alpha), or 2-D points; `Format::Onnx` takes any",
        ));
    }
    let page = page(subject, &plain, options.half)?;
    let read = read_back(&page, &plain)?;
    let net = net.unnormalised()?;
    let (difference, tolerance) =
        agreement::of_weights(subject, Which::Generator, &net, &net.adopt(read, &Device::flex()));
    let tolerance = if options.half { HALF_TOLERANCE } else { tolerance };
    Ok(Export { files: vec![("html", page.into_bytes())], checked: "net read back", difference, tolerance })
}

/// The description of the net for the engine.
fn model(subject: &Subject, plain: &Plain, half: bool) -> Value {
    let mut place = 0;
    let layer = |part: &super::plain::Part| {
        let mut layer = json!(part.op);
        layer["line"] = json!(part.line);
        (layer["input"], layer["output"]) = (json!(part.input.dims()), json!(part.output.dims()));
        let mut weights = serde_json::Map::new();
        for weight in &part.weights {
            weights.insert(weight.name.into(), json!([place, weight.values.len()]));
            place += weight.values.len();
        }
        layer["weights"] = Value::Object(weights);
        layer
    };
    let layers: Vec<Value> = plain.parts.iter().map(layer).collect();
    let samples = subject.samples(0, SAMPLES);
    let rows = |values: &[f32], n: usize| values.chunks(n.max(1)).map(|row| json!(row)).collect::<Vec<_>>();
    let (low, high) = subject.range.bounds();
    let labels = subject.labels();
    let names = if plain.labels > 0 { labels.names.clone() } else { Vec::new() };
    let kind = if labels.kind == LabelKind::Classes { "classes" } else { "attributes" };
    json!({
        "name": subject.title, "latent": plain.input.len(), "shape": plain.output.dims(), "bounds": [low, high], "half": half,
        "labels": { "names": names, "kind": kind }, "layers": layers, "directions": directions::principal(plain),
        "samples": rows(&samples.values, plain.input.len()), "rows": rows(&samples.rows, plain.labels),
    })
}

fn encoded(plain: &Plain, half: bool) -> String {
    let values = plain.parts.iter().flat_map(|part| &part.weights).flat_map(|weight| &weight.values);
    let bytes: Vec<u8> = match half {
        true => values.flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
        false => values.flat_map(|v| v.to_le_bytes()).collect(),
    };
    BASE64.encode(bytes)
}

/// JSON for a script element, in which no tag can begin.
fn script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// The origin of the generator, in one line.
fn origin(subject: &Subject) -> String {
    let scores = subject.scores.iter().map(|(name, value)| format!("; {name} {value:.4} (lower is better)"));
    format!("Run {}, after {} training steps{}.", subject.name, grouped(subject.step), scores.collect::<String>())
}

/// Metadata, as rows of a table.
fn facts(subject: &Subject, plain: &Plain, half: bool) -> Vec<(String, String)> {
    let mut facts = vec![
        ("run".to_string(), subject.name.clone()),
        ("training data".into(), subject.data()),
        ("training steps".into(), grouped(subject.step)),
    ];
    let score = |(name, value): &(String, f64)| (format!("{name} (lower is better)"), format!("{value:.4}"));
    facts.extend(subject.scores.iter().map(score));
    facts.extend([
        ("output".into(), plain.output.to_string()),
        ("weights".into(), if half { "half precision".into() } else { "single precision".into() }),
        ("written by".into(), format!("faussaire {}", env!("CARGO_PKG_VERSION"))),
    ]);
    facts
}

/// The page; its text is in `templates/export.html`.
#[derive(Template)]
#[template(path = "export.html")]
struct Page<'a> {
    heading: String,
    name: &'a str,
    lead: &'static str,
    origin: String,
    sliders: &'static str,
    parameters: String,
    facts: Vec<(String, String)>,
    recipe: String,
    engine: &'static str,
    play: &'static str,
    net: String,
    weights: String,
}

fn page(subject: &Subject, plain: &Plain, half: bool) -> Result<String> {
    let points = plain.output.dims()[..2] == [1, 1];
    let count: usize = plain.parts.iter().flat_map(|part| &part.weights).map(|weight| weight.values.len()).sum();
    let (what, lead, sliders) = if points {
        ("points", "Move the sliders to see which point the generator makes of a latent.", "Move the point")
    } else {
        ("images", "A generator to explore: your browser computes every image.", "Change the image")
    };
    render(&Page {
        heading: format!("Generated {what}: a GAN trained on {}", subject.data()),
        name: &subject.name,
        lead,
        origin: origin(subject),
        sliders,
        parameters: grouped(count as u64),
        facts: facts(subject, plain, half),
        recipe: subject.recipe_text(),
        engine: concat!(include_str!("engine.js"), include_str!("convolution.js")),
        play: include_str!("play.js"),
        net: script(&model(subject, plain, half)),
        weights: encoded(plain, half),
    })
}

/// The text of the page's script element `id`.
fn element<'a>(page: &'a str, id: &str) -> Result<&'a str> {
    let begin = page.find(&format!("id=\"{id}\">")).map(|at| at + id.len() + 6);
    let text = begin.and_then(|begin| page[begin..].split("</script>").next());
    text.ok_or_else(|| broken(&format!("it has no {id}")))
}

fn broken(what: &dyn std::fmt::Display) -> Error {
    Error::run(
        format!("the page can't be read back: {what}; nothing was written"),
        "report this with the run's config.toml",
    )
}

/// The page's weights by layer, if its layers are those of `plain`.
fn read_back(page: &str, plain: &Plain) -> Result<Vec<Vec<Vec<f32>>>> {
    let model: Value = serde_json::from_str(element(page, "net")?).map_err(|e| broken(&e))?;
    let bytes = BASE64.decode(element(page, "weights")?).map_err(|e| broken(&e))?;
    let floats: Vec<f32> = match model["half"] == json!(true) {
        true => bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
        false => bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
    };
    let layers = model["layers"].as_array().filter(|layers| layers.len() == plain.parts.len());
    let layers = layers.ok_or_else(|| broken(&"its layers differ"))?;
    let mut all = Vec::with_capacity(layers.len());
    for (layer, part) in layers.iter().zip(&plain.parts) {
        let form = json!(part.op);
        let same = form.as_object().is_some_and(|form| form.iter().all(|(key, value)| layer[key] == *value));
        if !same {
            return Err(broken(&format!("{} became {layer}", part.line)));
        }
        let values = part.weights.iter().map(|weight| {
            let place = &layer["weights"][weight.name];
            let [begin, len] = [0, 1].map(|i| place[i].as_u64().unwrap_or(u64::MAX) as usize);
            let values = begin
                .checked_add(len)
                .and_then(|end| floats.get(begin..end))
                .filter(|v| v.len() == weight.values.len());
            values.map(<[f32]>::to_vec).ok_or_else(|| broken(&format!("{} lost its {}", part.line, weight.name)))
        });
        all.push(values.collect::<Result<Vec<_>>>()?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
