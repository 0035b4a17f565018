//! What the tests of this folder share: small files, where the real ones are, and an HTTP server on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The folder of real data (`$FAUSSAIRE_DATA`, or `shared/data` beside the checkout); none: the test is skipped.
pub fn shared_data() -> Option<PathBuf> {
    let folder = std::env::var_os("FAUSSAIRE_DATA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    if folder.join("mnist").is_dir() {
        return Some(folder);
    }
    println!("skipped: no real data in {}", folder.display());
    None
}

/// `bytes`, gzipped.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of images whose bytes count up (mod 251).
pub fn idx_images(count: u32, height: u32, width: u32) -> Vec<u8> {
    let mut file = 0x0803u32.to_be_bytes().to_vec();
    for size in [count, height, width] {
        file.extend(size.to_be_bytes());
    }
    file.extend((0..count * height * width).map(|k| (k % 251) as u8));
    file
}

/// An IDX file of labels.
pub fn idx_labels(labels: &[u8]) -> Vec<u8> {
    let mut file = 0x0801u32.to_be_bytes().to_vec();
    file.extend((labels.len() as u32).to_be_bytes());
    file.extend(labels);
    file
}

/// A `.npy` file, version 1, with this header dictionary and these bytes.
pub fn npy(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((dictionary.len() as u16 + 1).to_le_bytes());
    file.extend(dictionary.as_bytes());
    file.push(b'\n');
    file.extend(bytes);
    file
}

/// A `.npy` file of 2x2 images with this many bytes, all 9.
pub fn array(bytes: usize) -> Vec<u8> {
    let dictionary = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({}, 4)}}", bytes / 4);
    npy(&dictionary, &vec![9; bytes])
}

/// What the test server does with a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends these bytes and their number.
    Whole(Vec<u8>),
    /// Sends these bytes and closes, without saying how many they are.
    Unannounced(Vec<u8>),
    /// Announces more bytes than it sends before it closes.
    Cut(Vec<u8>, usize),
    /// Announces more bytes than it sends, and stays silent for two seconds.
    Stalled(Vec<u8>, usize),
    /// Sends zeros until nobody listens.
    Endless,
    /// Says 404.
    Missing,
    /// Closes the connection without a word.
    Dropped,
}

/// Starts an HTTP server on this machine that answers each path as `answer` says, and gives its base address. It runs
/// until the tests end.
pub fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || reply(stream, &*answer));
        }
    });
    address
}

/// Reads one request and answers it; errors mean that the client has hung up.
fn reply(mut stream: TcpStream, answer: &dyn Fn(&str) -> Answer) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    while !lines.next()?.ok()?.is_empty() {}
    let head = |length: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let mut send = |head: &str, body: &[u8]| stream.write_all(&[head.as_bytes(), body].concat()).ok();
    const UNANNOUNCED: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    match answer(request.split(' ').nth(1)?) {
        Answer::Whole(body) => send(&head(body.len()), &body),
        Answer::Unannounced(body) => send(UNANNOUNCED, &body),
        Answer::Cut(body, length) => send(&head(length), &body),
        Answer::Stalled(body, length) => {
            send(&head(length), &body)?;
            std::thread::sleep(Duration::from_secs(2));
            Some(())
        }
        Answer::Endless => {
            send(UNANNOUNCED, b"")?;
            while send("", &[0; 4096]).is_some() {}
            Some(())
        }
        Answer::Missing => send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", b""),
        Answer::Dropped => Some(()),
    }
}
