//! Helpers of the tests: small files, the folder of real data, and a local HTTP server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A folder that is removed at the end of a test.
pub(crate) struct Folder {
    /// The files beside a set are looked at, and those in the system's folder are anybody's.
    _above: tempfile::TempDir,
    path: PathBuf,
}

impl Folder {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// An empty folder, alone in another one.
pub(crate) fn folder() -> Folder {
    let above = tempfile::tempdir().unwrap();
    let path = above.path().join("set");
    std::fs::create_dir(&path).unwrap();
    Folder { _above: above, path }
}

/// The folder of real data (`$FAUSSAIRE_DATA`, or `shared/data` beside the checkout); none: the test is skipped.
pub(crate) fn shared_data() -> Option<PathBuf> {
    let folder = std::env::var_os("FAUSSAIRE_DATA")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    if folder.join("mnist").is_dir() {
        return Some(folder);
    }
    println!("skipped: no real data in {}", folder.display());
    None
}

/// A file of `tests/images`.
pub fn sample(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/images").join(name)).unwrap()
}

/// A file of `tests/streams`.
pub fn stream(name: &str) -> Vec<u8> {
    std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/streams").join(name)).unwrap()
}

/// `bytes`, gzipped.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An IDX file of images whose bytes count up (mod 251).
pub(crate) fn idx_images(count: u32, height: u32, width: u32) -> Vec<u8> {
    let mut file = 0x0803u32.to_be_bytes().to_vec();
    for size in [count, height, width] {
        file.extend(size.to_be_bytes());
    }
    file.extend((0..count * height * width).map(|k| (k % 251) as u8));
    file
}

/// An IDX file of labels.
pub(crate) fn idx_labels(labels: &[u8]) -> Vec<u8> {
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

/// A zip archive of these files, stored or deflated.
pub fn zip(files: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut archive, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let packed = if deflated { deflate(bytes) } else { bytes.to_vec() };
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let mut fields = vec![20, 0, 0, 0, if deflated { 8 } else { 0 }, 0, 0, 0, 0x21, 0];
        for number in [sum.sum(), packed.len() as u32, bytes.len() as u32] {
            fields.extend(number.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        list.extend([&b"PK\x01\x02\x14\0"[..], &fields, &[0; 10]].concat());
        list.extend((archive.len() as u32).to_le_bytes());
        list.extend(name.bytes());
        archive.extend([&b"PK\x03\x04"[..], &fields, name.as_bytes(), &packed].concat());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (size, at) = ((list.len() as u32).to_le_bytes(), (archive.len() as u32).to_le_bytes());
    [&archive[..], &list, b"PK\x05\x06\0\0\0\0", &count, &count, &size, &at, &[0, 0]].concat()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A tar archive of these files, as POSIX has it.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in files {
        archive.extend(tar_header(name, bytes.len(), b'0'));
        archive.extend(*bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1024, 0);
    archive
}

/// The header of a tar archive's member of this kind.
pub(crate) fn tar_header(name: &str, length: usize, kind: u8) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
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
    /// Sends zeros until the client disconnects.
    Endless,
    /// Says 404.
    Missing,
    /// Closes the connection without a response.
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
