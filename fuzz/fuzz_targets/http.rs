//! Requests to the studio and to `faussaire serve`, on 127.0.0.1: the method and the path are the first line, the body is the
//! rest, as JSON. Where the first byte is `!`, the rest is sent as it is. Every whole request must be answered.
#![no_main]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::sync::OnceLock;
use std::time::Duration;

use faussaire_fuzz::runs;
use faussaire_studio::server::Stop;
use faussaire_studio::{serve, studio, Access};

libfuzzer_sys::fuzz_target!(init: { servers(); }, |bytes: &[u8]| {
    let [studio, serve] = servers();
    if let Some(raw) = bytes.strip_prefix(b"!") {
        exchange(*studio, raw);
        return;
    }
    let split = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    let (line, body) = (&bytes[..split], &bytes[(split + 1).min(bytes.len())..]);
    let Ok(line) = std::str::from_utf8(line) else { return };
    let Some((method, path)) = line.split_once(' ') else { return };
    let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    // A stream of events has no end.
    if !["GET", "POST", "HEAD", "PUT"].contains(&method) || !visible(path) || path.contains("events") {
        return;
    }
    let port = if path.starts_with("/api") { *studio } else { *serve };
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    let answer = exchange(port, &request);
    assert!(answer.starts_with(b"HTTP/1.1 "), "{line} was not answered");
    assert!(!answer.starts_with(b"HTTP/1.1 500"), "{line}: {}", String::from_utf8_lossy(&answer));
});

/// What is answered to `request`.
fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server accepts");
    stream.set_read_timeout(Some(Duration::from_secs(9))).expect("a limit");
    // The server may refuse a request before all of it was sent.
    let _ = stream.write_all(request);
    if !request.starts_with(b"GET") && !request.starts_with(b"POST") {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// The ports of the studio and of `faussaire serve`, which run until the process ends.
fn servers() -> &'static [u16; 2] {
    static PORTS: OnceLock<[u16; 2]> = OnceLock::new();
    PORTS.get_or_init(|| {
        let runs = runs::folders();
        let host = Ipv4Addr::LOCALHOST.into();
        let (sender, ready) = channel();
        let said = sender.clone();
        let options = studio::Options {
            runs: runs.to_owned(),
            host,
            port: Some(0),
            access: Access::Open,
            data: None,
            // Nothing is trained.
            program: (PathBuf::from("/bin/true"), Vec::new()),
            assets: None,
        };
        std::thread::spawn(move || {
            let ready = |ready: &studio::Ready| said.send((0, ready.address.clone())).expect("somebody waits");
            studio::run(options, &Stop::default(), ready).expect("a studio");
        });
        let options = serve::Options {
            run: runs.join("images"),
            checkpoint: None,
            host,
            port: Some(0),
            access: Access::Open,
            queue: 64,
            max_images: 64,
        };
        std::thread::spawn(move || {
            let ready = |ready: &serve::Ready| sender.send((1, ready.address.clone())).expect("somebody waits");
            serve::run(options, &Stop::default(), ready).expect("a service");
        });
        let mut ports = [0; 2];
        for _ in 0..2 {
            let (which, address) = ready.recv().expect("both start");
            let port = address.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok());
            ports[which] = port.expect("an address with a port");
        }
        ports
    })
}
