//! What one does with a trained run: the answers are those of the library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use faussaire::Device;
use faussaire::play::Expert;
use faussaire::render::Images;
use faussaire::run::{Run, Sampler};
use serde_json::{Value, json};

use super::client::{get, post};
use super::scene::{studio, trained};

fn sampler(run: &str) -> Sampler {
    Sampler::open(&Run::open(&trained().join(run)).unwrap(), "best", &Device::cpu()).unwrap()
}

/// Noise vectors number `first` to `first + n` under `seed`.
fn noise(sampler: &Sampler, seed: u64, first: u64, n: usize) -> Vec<Vec<f32>> {
    sampler.noise(seed, first, n).chunks(sampler.latent()).map(<[f32]>::to_vec).collect()
}

fn bytes(sampler: &Sampler, noise: &[Vec<f32>], labels: &[Vec<f32>]) -> Vec<u8> {
    let values = sampler.values(&noise.concat(), Some(&labels.concat())).unwrap();
    Images::from_values(&values, sampler.shape(), sampler.bounds()).unwrap().bytes
}

#[test]
fn images_are_those_of_the_library_alone_and_in_company() {
    let server = studio(trained(), |_| ());
    let sampler = sampler("plain");
    let noise = noise(&sampler, 7, 0, 40);
    let expected = bytes(&sampler, &noise, &[]);
    let reply = post(server.at, "/api/runs/plain/images", &json!({ "seed": 7, "n": 40 }));
    assert_eq!((reply.header("x-shape"), reply.header("x-step")), (Some("40,28,28,1"), Some("12")));
    assert_eq!(reply.body, expected);
    let listed = get(server.at, "/api/runs/plain/noise?seed=7&n=40").json();
    assert_eq!(listed["z"][39][7].as_f64().unwrap() as f32, noise[39][7]);
    let ask = |i: usize| post(server.at, "/api/runs/plain/images", &json!({ "z": [noise[i]] })).body;
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..40).map(|i| scope.spawn(move || ask(i))).collect();
        for (i, asked) in asked.into_iter().enumerate() {
            assert_eq!(asked.join().unwrap(), expected[i * 784..(i + 1) * 784], "image {i}");
        }
    });
    // Truncation brings noise nearer to 0.
    let half: Vec<Vec<f32>> = noise.iter().map(|z| z.iter().map(|v| v * 0.5).collect()).collect();
    let reply = post(server.at, "/api/runs/plain/images", &json!({ "seed": 7, "n": 40, "truncation": 0.5 }));
    assert_eq!(reply.body, bytes(&sampler, &half, &[]));
    let frames = post(server.at, "/api/runs/plain/walk", &json!({ "ends": noise[..2], "frames": 9 })).body;
    assert_eq!(frames, bytes(&sampler, &[sampler.walk(&noise[..2].concat(), 9, 0..9)], &[]));
}

#[test]
fn classes_are_asked_for_by_name() {
    let server = studio(trained(), |_| ());
    let sampler = sampler("told");
    let (noise, seven) = (noise(&sampler, 1, 0, 2), sampler.encode_label("7").unwrap());
    let ask = |body: Value| post(server.at, "/api/runs/told/images", &body);
    let all = ask(json!({ "seed": 1, "n": 2, "class": "7" }));
    assert_eq!(all.body, bytes(&sampler, &noise, &vec![seven.clone(); 2]));
    let each = ask(json!({ "seed": 1, "n": 2, "classes": ["7", "3"] }));
    assert_eq!(each.body, bytes(&sampler, &noise, &[seven, sampler.encode_label("3").unwrap()]));
    assert!(ask(json!({ "class": "eleven" })).refusal(400).contains("no label eleven"));
    assert!(ask(json!({ "n": 2, "classes": ["7"] })).refusal(400).contains("1 classes for 2"));
    let plain = post(server.at, "/api/runs/plain/images", &json!({ "class": "7" }));
    assert!(plain.refusal(400).contains("takes no labels"));
}

#[test]
fn what_can_not_be_made_is_refused() {
    let server = studio(trained(), |_| ());
    for (body, part) in [
        (json!({ "n": 0 }), "expected 1 to 1024"),
        (json!({ "n": 100_000_000 }), "expected 1 to 1024"),
        (json!({ "z": [[1.0]] }), "expected 8"),
        (json!({ "z": [vec![1e9; 8]] }), "beyond"),
        (json!({ "truncation": 2 }), "expected 0 to 1"),
        (json!({ "seed": 1, "first": u64::MAX }), "first is too large"),
    ] {
        let error = post(server.at, "/api/runs/plain/images", &body).refusal(400);
        assert!(error.contains(part), "{body}: {error}");
    }
    post(server.at, "/api/runs/plain/images", &json!({ "checkpoint": "../../x" })).refusal(404);
    post(server.at, "/api/runs/nobody/images", &json!({})).refusal(404);
    assert!(post(server.at, "/api/runs/points/images", &json!({})).refusal(400).contains("points"));
    let points = post(server.at, "/api/runs/points/images", &json!({ "n": 3, "format": "values" })).json();
    assert_eq!((points["shape"].clone(), points["values"].as_array().unwrap().len()), (json!([3, 1, 1, 2]), 6));
}

#[test]
fn the_discriminator_is_the_runs_own() {
    let server = studio(trained(), |_| ());
    let sampler = sampler("told");
    let run = Run::open(&trained().join("told")).unwrap();
    let expert = Expert::open(&run, "best", &Device::cpu()).unwrap();
    let label = vec![sampler.encode_label("4").unwrap(); 3];
    let expected =
        expert.scores(&sampler.values(&sampler.noise(2, 0, 3), Some(&label.concat())).unwrap(), &label).unwrap();
    let told = post(server.at, "/api/runs/told/judge", &json!({ "seed": 2, "n": 3, "class": "4" })).json();
    for (at, score) in expected.iter().enumerate() {
        assert!((told["scores"][at].as_f64().unwrap() as f32 - score).abs() < 1e-6);
    }
    let round = post(server.at, "/api/runs/told/expert", &json!({ "seed": 5, "n": 40 })).json();
    assert_eq!(round["shape"], json!([40, 28, 28, 1]));
    assert_eq!(STANDARD.decode(round["pixels"].as_str().unwrap()).unwrap().len(), 40 * 784);
    assert!(round.get("truth").is_none());
    let answer = json!({ "round": round["round"], "answers": vec![true; 40] });
    let end = post(server.at, "/api/runs/told/expert/answer", &answer).json();
    let truth: Vec<bool> = end["truth"].as_array().unwrap().iter().map(|v| v.as_bool().unwrap()).collect();
    let real = truth.iter().filter(|real| **real).count();
    assert_eq!(end["right"], real);
    assert!((5..36).contains(&real), "an even chance for each: {real}");
    let theirs = end["discriminator"]["answers"].as_array().unwrap();
    let right = truth.iter().zip(theirs).filter(|(truth, said)| said.as_bool() == Some(**truth)).count();
    assert_eq!(end["discriminator"]["right"], right);
    // Once only.
    post(server.at, "/api/runs/told/expert/answer", &answer).refusal(404);
}

#[test]
fn a_drawing_is_searched_for() {
    let server = studio(trained(), |_| ());
    let sampler = sampler("plain");
    let target = bytes(&sampler, &noise(&sampler, 3, 5, 1), &[]);
    let body = json!({ "pixels": STANDARD.encode(&target), "steps": 30 });
    let reply = post(server.at, "/api/runs/plain/invert", &body);
    let lines: Vec<Value> = reply.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[9]["step"]), (10, &30.into()));
    let error = |line: &Value| line["error"].as_f64().unwrap();
    assert!(error(&lines[9]) < error(&lines[0]), "{} {}", lines[0]["error"], lines[9]["error"]);
    let z: Vec<f32> = serde_json::from_value(lines[9]["z"].clone()).unwrap();
    let found = STANDARD.decode(lines[9]["pixels"].as_str().unwrap()).unwrap();
    assert_eq!(found, bytes(&sampler, &[z], &[]));
    post(server.at, "/api/runs/plain/invert", &json!({ "pixels": "AAAA" })).refusal(400);
    post(server.at, "/api/runs/plain/invert", &json!({ "pixels": "?" })).refusal(400);
}

#[test]
fn directions_are_unit_vectors() {
    let server = studio(trained(), |_| ());
    let found = get(server.at, "/api/runs/plain/directions").json();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), 8);
    for direction in found {
        let vector: Vec<f32> = serde_json::from_value(direction["vector"].clone()).unwrap();
        assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-4);
    }
    assert_eq!(get(server.at, "/api/runs/told/directions?by=labels").json(), json!([]));
}

#[test]
fn lessons_go_by_halves() {
    let server = studio(trained(), |_| ());
    let begun = post(server.at, "/api/learn", &json!({ "data": "ring", "seed": 1 })).json();
    assert_eq!((&begun["state"]["step"], &begun["state"]["half_done"]), (&0.into(), &"none".into()));
    let step =
        |body: Value| post(server.at, &format!("/api/learn/{}/step", begun["lesson"].as_str().unwrap()), &body).json();
    let first = step(json!({ "half": "discriminator" }));
    assert_eq!((&first["step"], &first["half_done"]), (&0.into(), &"discriminator".into()));
    assert_eq!(first["fake"], begun["state"]["fake"], "the generator rests");
    assert_ne!(first["heat"], begun["state"]["heat"]);
    let second = step(json!({ "half": "generator" }));
    assert_eq!((&second["step"], &second["half_done"]), (&1.into(), &"none".into()));
    assert_ne!(second["fake"], first["fake"]);
    assert_eq!(second["heat"]["values"].as_array().unwrap().len(), 41 * 41);
    assert_eq!(step(json!({ "half": "both", "count": 5 }))["step"], 6);
    assert!(step(json!({ "half": "both", "count": 0 }))["error"].is_string());
    post(server.at, "/api/learn/99/step", &json!({ "half": "both" })).refusal(404);
    for body in [
        json!({ "data": "strokes", "preset": "quick" }),
        json!({ "data": "ring", "preset": "tp" }),
        json!({ "data": "ring", "set": { "data.source": "/etc" } }),
        json!({ "data": "ring", "set": { "train.init": ["/etc/passwd"] } }),
        json!({ "data": "ring", "set": { "train.batch": 4096 } }),
        json!({ "data": "ring", "set": { "generator.layers": ["dense 100000", "dense 2"] } }),
    ] {
        post(server.at, "/api/learn", &body).refusal(400);
    }
}

#[test]
fn many_images_come_as_one_file() {
    let server = studio(trained(), |_| ());
    let reply = get(server.at, "/api/runs/told/samples?n=600&seed=3&checkpoint=best");
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(reply.body)).unwrap();
    assert_eq!(zip.len(), 601);
    let mut table = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("labels.csv").unwrap(), &mut table).unwrap();
    assert_eq!(table.lines().count(), 601);
    // The last of them is the library's.
    let sampler = sampler("told");
    let labels = [sampler.sample_labels(3, 599, 1)];
    let image = bytes(&sampler, &noise(&sampler, 3, 599, 1), &labels);
    let picture = faussaire::render::Picture { shape: sampler.shape(), bytes: image };
    let mut file = Vec::new();
    std::io::Read::read_to_end(&mut zip.by_name("000599.png").unwrap(), &mut file).unwrap();
    assert_eq!(file, faussaire::render::png::encode(&picture).unwrap());
    get(server.at, "/api/runs/told/samples?n=0").refusal(400);
}

#[test]
fn nets_are_taken_away() {
    let server = studio(trained(), |_| ());
    for (to, ending, start) in
        [("onnx", "onnx", &b""[..]), ("html", "html", b"<!doctype html>"), ("safetensors", "zip", b"PK")]
    {
        let reply = get(server.at, &format!("/api/runs/told/export?to={to}"));
        assert_eq!(reply.status, 200, "{to}: {}", reply.text());
        let name = reply.header("content-disposition").unwrap();
        assert!(name.ends_with(&format!("\"told.{ending}\"")), "{name}");
        assert!(reply.body.starts_with(start) && reply.body.len() > 10_000, "{to}: {}", reply.body.len());
        assert!(reply.header("x-difference").unwrap().parse::<f64>().unwrap() <= 1e-5);
    }
    let bytes = get(server.at, "/api/runs/plain/export?to=onnx&pixels=uint8&layout=nchw&net=generator");
    assert_eq!(bytes.status, 200, "{}", bytes.text());
    get(server.at, "/api/runs/plain/export?to=exe").refusal(400);
    get(server.at, "/api/runs/plain/export?to=html&layout=nchw").refusal(400);
    get(server.at, "/api/runs/plain/export?to=onnx&checkpoint=none").refusal(404);
}
