//! What one visitor does must not end the server, take its memory, or keep others from it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Reply, connect, get, post};
use super::scene::{copied, studio, trained};

/// Others get the list of runs within this time, whatever goes on.
const PROMPTLY: Duration = Duration::from_millis(200);

/// Gets the list of runs, several times; the longest time.
fn longest_list(at: SocketAddr) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..10 {
        let began = Instant::now();
        assert_eq!(get(at, "/api/runs").status, 200);
        longest = longest.max(began.elapsed());
        std::thread::sleep(Duration::from_millis(20));
    }
    longest
}

/// Sends the head of a request and leaves it at that.
fn half(at: SocketAddr) -> TcpStream {
    let mut stream = connect(at);
    stream.write_all(b"GET /api/runs HTTP/1.1\r\nhost: loc").unwrap();
    stream
}

/// Asks for a stream of events; the status of the answer.
fn listen(at: SocketAddr) -> (u16, TcpStream) {
    let mut stream = connect(at);
    stream.write_all(b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    (String::from_utf8_lossy(&start[9..]).parse().unwrap(), stream)
}

fn lesson(at: SocketAddr, set: Value) -> Reply {
    post(at, "/api/learn", &json!({ "data": "ring", "set": set }))
}

#[test]
fn keys_of_any_depth_are_refused() {
    let server = studio(trained(), |_| ());
    let deep = format!("train{}", ".a".repeat(20_000));
    for key in [&deep, &deep.replace("train", "latent"), &".".repeat(20_000), &"train.".repeat(20_000)] {
        let set = json!({ key.as_str(): 1 });
        assert!(lesson(server.at, set.clone()).refusal(400).len() < 1_000);
        for path in ["/api/recipe", "/api/runs"] {
            post(server.at, path, &json!({ "preset": "quick", "steps": 1, "set": set })).refusal(400);
        }
    }
    for value in ["[".repeat(20_000), "{a=".repeat(20_000), format!("{{{}=1}}", &deep)] {
        let set = json!({ "train.penalties": value, "train.batch": value });
        assert!(lesson(server.at, set.clone()).refusal(400).len() < 1_000);
        post(server.at, "/api/recipe", &json!({ "preset": "quick", "set": set })).refusal(400);
    }
    let mut lines = vec!["relu"; 20_000];
    lines.extend(["dense 2", "tanh"]);
    assert!(lesson(server.at, json!({ "generator.layers": lines })).refusal(400).contains("at most 1000"));
    // Keys of other parts, by any of their names.
    for key in [
        "data.source",
        "data.dir",
        "train.init",
        "train.seed",
        "labels.names",
        "train",
        "data",
        "nonsense",
        "train.a=b",
    ] {
        lesson(server.at, json!({ key: "x" })).refusal(400);
    }
    assert_eq!(lesson(server.at, json!({ "train.batch": 8, "train.penalties": "{}" })).status, 200);
}

#[test]
fn lessons_are_limited_by_what_they_take() {
    let server = studio(trained(), |_| ());
    let d = |middle: Value| {
        let mut lines = vec![json!("reshape 1 1 2")];
        lines.extend(middle.as_array().unwrap().clone());
        lines.extend([json!("globalpool"), json!("dense 1")]);
        json!({ "discriminator.layers": lines, "train.batch": 1, "train.penalties": "{}" })
    };
    let many = [vec!["relu"; 300], vec!["dense 2", "tanh"]].concat();
    let began = Instant::now();
    for (set, said) in [
        // Hardly any operation, but two million values for each of 2,481 points; and more than memory should hold.
        (d(json!(["upsample 16", "upsample 16", "upsample 4"])), "operations for a picture"),
        (d(json!(["upsample 16", "upsample 16", "upsample 8", "relu"])), "expected at most"),
        (d(json!(["upsample 16", "upsample 2", "conv 1 99x99", "conv 1 99x99", "conv 1 99x99"])), "operations"),
        (d(json!(["upsample 16", "upsample 16", "conv 8 1x1", "conv 1 9x9"])), "expected at most"),
        (json!({ "discriminator.layers": ["dense 500", "dense 500", "dense 1"] }), "weights"),
        (
            json!({ "train.batch": 1_024, "train.n_critic": 20, "discriminator.layers": ["dense 300", "dense 300", "dense 1"] }),
            "operations in half a step",
        ),
        (json!({ "train.batch": 4_096 }), "examples in a batch"),
        (json!({ "train.n_critic": 1_000_000 }), "expected"),
        (json!({ "latent": 65_536 }), "expected at most"),
        (json!({ "generator.layers": many }), "layers in a net"),
    ] {
        let error = lesson(server.at, set).refusal(400);
        assert!(error.contains(said), "{error}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "they were computed: {:?}", began.elapsed());
    // What the page offers fits.
    for set in [json!({}), json!({ "train.loss": "wasserstein", "train.penalties": "{ wgan-gp = 10.0 }" })] {
        assert_eq!(lesson(server.at, set).status, 200);
    }
}

#[test]
fn many_steps_of_one_lesson_keep_nobody_waiting() {
    let server = studio(trained(), |_| ());
    let at = server.at;
    let set =
        json!({ "discriminator.layers": ["dense 256", "relu", "dense 256", "relu", "dense 1"], "train.batch": 512 });
    let id = lesson(at, set).json()["lesson"].as_str().unwrap().to_owned();
    let path = format!("/api/learn/{id}/step");
    let began = Instant::now();
    let step = move |path: String| post(at, &path, &json!({ "half": "both", "count": 500 })).status;
    let asked: Vec<_> = (0..80)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || step(path))
        })
        .collect();
    let longest = longest_list(at);
    let statuses: Vec<u16> = asked.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert!(longest < PROMPTLY, "the list took {longest:?}");
    assert!(statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(step(path), 200, "and it goes on");
}

#[test]
fn lessons_in_use_are_not_dropped_for_others() {
    let server = studio(trained(), |_| ());
    let first = lesson(server.at, json!({})).json()["lesson"].as_str().unwrap().to_owned();
    let begun = (0..40).filter(|_| lesson(server.at, json!({})).status == 200).count();
    assert_eq!(begun, 31);
    assert!(lesson(server.at, json!({})).refusal(429).contains("32 lessons are in use"));
    assert_eq!(post(server.at, &format!("/api/learn/{first}/step"), &json!({ "half": "both" })).status, 200);
}

#[test]
fn all_connections_half_open_keep_nobody_out() {
    let server = studio(trained(), |_| ());
    let held: Vec<_> = (0..600).map(|_| half(server.at)).collect();
    let longest = longest_list(server.at);
    assert!(longest < PROMPTLY, "the list took {longest:?}");
    drop(held);
}

#[test]
fn an_answer_that_is_read_slowly_is_not_cut_for_others() {
    const LENGTH: usize = 32 << 20;
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    std::fs::write(root.join("plain/samples/000099.png"), vec![7; LENGTH]).unwrap();
    let server = studio(&root, |_| ());
    let mut slow = connect(server.at);
    slow.write_all(b"GET /api/runs/plain/sheets/000099.png HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut start = [0; 12];
    slow.read_exact(&mut start).unwrap();
    assert_eq!(&start[9..], b"200");
    // More than there are places; the oldest that waits for its client is the first to go.
    let held: Vec<_> = (0..600).map(|_| half(server.at)).collect();
    assert!(longest_list(server.at) < PROMPTLY);
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    assert!(rest.len() > LENGTH && rest.ends_with(&[7; 1000]), "{} bytes", rest.len());
    drop(held);
}

#[test]
fn streams_of_events_leave_half_of_the_connections() {
    let server = studio(trained(), |_| ());
    let streams: Vec<_> = (0..300).map(|_| listen(server.at)).collect();
    let taken = streams.iter().filter(|(status, _)| *status == 200).count();
    assert_eq!((taken, streams.last().unwrap().0), (256, 429));
    let longest = longest_list(server.at);
    assert!(longest < PROMPTLY, "the list took {longest:?}");
    // And with the rest half open.
    let held: Vec<_> = (0..300).map(|_| half(server.at)).collect();
    assert!(longest_list(server.at) < PROMPTLY);
    drop((streams, held));
    // What has ended makes room.
    let began = Instant::now();
    while listen(server.at).0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn images_come_while_lessons_compute() {
    let server = studio(trained(), |_| ());
    let at = server.at;
    let set =
        json!({ "discriminator.layers": ["dense 256", "relu", "dense 256", "relu", "dense 1"], "train.batch": 1024 });
    let ids: Vec<_> = (0..4).map(|_| lesson(at, set.clone()).json()["lesson"].as_str().unwrap().to_owned()).collect();
    post(at, "/api/runs/plain/images", &json!({ "seed": 1 }));
    let steps: Vec<_> = ids
        .into_iter()
        .map(|id| {
            std::thread::spawn(move || {
                for _ in 0..2 {
                    post(at, &format!("/api/learn/{id}/step"), &json!({ "half": "both", "count": 500 }));
                }
            })
        })
        .collect();
    for seed in 0..5 {
        let began = Instant::now();
        assert_eq!(post(at, "/api/runs/plain/images", &json!({ "seed": seed })).status, 200);
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
    steps.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn requests_for_many_numbers_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    let server = studio(&root, |_| ());
    let ask = |body: Value| post(server.at, "/api/runs/plain/images", &body);
    assert_eq!(ask(json!({ "n": 1024 })).status, 200);
    ask(json!({ "n": 1025 })).refusal(400);
    assert_eq!(ask(json!({ "n": 1024, "format": "values" })).status, 200);
    // Clients that don't read what they asked for: their memory is counted, and further ones are refused.
    let body = json!({ "n": 1024, "format": "values" }).to_string();
    let silent: Vec<_> = (0..40)
        .map(|_| {
            let mut stream = connect(server.at);
            let head = "POST /api/runs/plain/images HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
            stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
            stream
        })
        .collect();
    let mut refused = 0;
    for mut stream in silent {
        let mut start = [0; 12];
        stream.read_exact(&mut start).unwrap();
        refused += usize::from(&start[9..] == b"429");
    }
    assert!(refused > 0);
    assert!(longest_list(server.at) < PROMPTLY);
}

/// Pipes, sockets and links in the place of every file of a run: no request waits for them, none shows what is elsewhere.
#[cfg(unix)]
#[test]
fn no_file_of_a_run_blocks_or_leads_elsewhere() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let root = copied(folder.path());
    let secret = folder.path().join("secret");
    std::fs::create_dir(&secret).unwrap();
    let copy = |name: &str| {
        let path = root.join(name);
        assert!(
            std::process::Command::new("cp")
                .arg("-r")
                .args([root.join("plain"), path.clone()])
                .status()
                .unwrap()
                .success()
        );
        path
    };
    let files = [
        "events.jsonl",
        "config.toml",
        "lock",
        "training.log",
        "samples/000012.png",
        "checkpoints/best/state.json",
        "checkpoints/best/average.safetensors",
        "checkpoints/best/discriminator.safetensors",
    ];
    let mut runs = Vec::new();
    for (number, file) in files.iter().enumerate() {
        for kind in ["pipe", "socket", "device", "link"] {
            let name = format!("{kind}-{number}");
            let path = copy(&name).join(file);
            let _ = std::fs::remove_file(&path);
            match kind {
                "pipe" => assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success()),
                "socket" => drop(std::os::unix::net::UnixListener::bind(&path).unwrap()),
                "device" => symlink("/dev/zero", &path).unwrap(),
                _ => {
                    let elsewhere = secret.join(name.clone());
                    let original = root.join("plain").join(file);
                    let _ =
                        std::fs::copy(original, &elsewhere).or_else(|_| std::fs::write(&elsewhere, "x").map(|()| 0));
                    symlink(elsewhere, &path).unwrap();
                }
            }
            runs.push((name, *file));
        }
    }
    let out = copy("link-checkpoints");
    std::fs::rename(out.join("checkpoints"), secret.join("checkpoints")).unwrap();
    symlink(secret.join("checkpoints"), out.join("checkpoints")).unwrap();
    runs.push(("link-checkpoints".into(), "checkpoints/best/average.safetensors"));
    let server = studio(&root, |_| ());
    let began = Instant::now();
    for (run, file) in &runs {
        let path = |rest: &str| format!("/api/runs/{run}{rest}");
        for rest in ["", "/history", "/report", "/noise", "/directions", "/export?to=safetensors", "/samples?n=1"] {
            assert!(get(server.at, &path(rest)).status < 500, "{run}{rest}");
        }
        assert!(get(server.at, &path("/sheets/000012.png")).status < 500);
        for (rest, body) in
            [("/images", json!({})), ("/judge", json!({})), ("/expert", json!({})), ("/stop", json!({}))]
        {
            assert!(post(server.at, &path(rest), &body).status < 500, "{run}{rest}");
        }
        // The nets are not drawn or exported from elsewhere.
        if run.starts_with("link") && (file.contains("checkpoints") || *file == "config.toml") {
            for rest in ["/noise", "/export?to=safetensors", "/samples?n=1"] {
                assert!(get(server.at, &path(rest)).status >= 400, "{run}{rest} ({file})");
            }
            assert!(post(server.at, &path("/images"), &json!({})).status >= 400, "{run} ({file})");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    // And images of others come.
    assert_eq!(post(server.at, "/api/runs/plain/images", &json!({})).status, 200);
    assert_eq!(get(server.at, "/api/runs/plain/export?to=safetensors").status, 200);
}
