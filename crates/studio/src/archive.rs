//! Images as a zip file of numbered PNG files with a table of their labels. The file is streamed, so memory doesn't grow with
//! the number of images.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use faussaire::render::{Images, png};
use faussaire::{Error, Result};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use zip::CompressionMethod;
use zip::write::{SimpleFileOptions, StreamWriter, ZipWriter};

/// A zip file being written to `W`.
pub(crate) struct Archive<W: Write> {
    zip: ZipWriter<StreamWriter<W>>,
    images: usize,
    labels: csv::Writer<Vec<u8>>,
    labelled: bool,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            zip: ZipWriter::new_stream(out),
            images: 0,
            labels: csv::Writer::from_writer(Vec::new()),
            labelled: false,
        }
    }

    /// Adds images; `labels` has one label for each, or is empty.
    pub(crate) fn add(&mut self, images: &Images, labels: &[String]) -> Result<()> {
        for at in 0..images.len() {
            let Some(picture) = images.picture(at) else { break };
            let name = format!("{:06}.png", self.images);
            self.file(&name, &png::encode(&picture)?)?;
            if let Some(label) = labels.get(at) {
                if !std::mem::replace(&mut self.labelled, true) {
                    self.labels.write_record(["file", "label"]).map_err(|e| zip_error(&e))?;
                }
                self.labels.write_record([&name, label]).map_err(|e| zip_error(&e))?;
            }
            self.images += 1;
        }
        Ok(())
    }

    /// Finishes the file and returns the writer.
    pub(crate) fn finish(mut self) -> Result<W> {
        if self.labelled {
            let table = std::mem::replace(&mut self.labels, csv::Writer::from_writer(Vec::new()));
            self.file("labels.csv", &table.into_inner().map_err(|e| zip_error(&e))?)?;
        }
        self.zip.finish().map(StreamWriter::into_inner).map_err(|e| zip_error(&e))
    }

    /// Adds a file without compression.
    pub(crate) fn file(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        // PNG files don't compress further.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        self.zip.start_file(name, options).map_err(|e| zip_error(&e))?;
        self.zip.write_all(bytes).map_err(|e| zip_error(&e))
    }
}

fn zip_error(e: &dyn std::fmt::Display) -> Error {
    Error::usage(format!("the zip file can't be written: {e}"), "send the request again")
}

/// How long a client may be waited for in all, and the bytes that it must read in each second beyond that.
const PATIENCE: Duration = Duration::from_secs(30);
const LEAST_RATE: u32 = 16 << 10;

/// A writer that streams its bytes to a client. It blocks while the client reads slowly, and gives up on one that reads so
/// slowly that it would keep others from a download.
pub(crate) struct Piped {
    to: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    /// Time spent waiting for the client, and the most that it may be.
    waited: Duration,
    patience: Duration,
}

impl Piped {
    pub(crate) fn new(to: mpsc::Sender<io::Result<Bytes>>, runtime: Handle) -> Self {
        Self { to, runtime, waited: Duration::ZERO, patience: PATIENCE }
    }
}

impl Write for Piped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let began = Instant::now();
        let rest = self.patience.saturating_sub(self.waited);
        let sending = async { tokio::time::timeout(rest, self.to.send(Ok(Bytes::copy_from_slice(bytes)))).await };
        let sent = self.runtime.block_on(sending).map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        self.waited += began.elapsed();
        self.patience += Duration::from_secs(1) * u32::try_from(bytes.len()).unwrap_or(u32::MAX) / LEAST_RATE;
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use faussaire::data::ImageShape;

    #[test]
    fn a_client_that_does_not_read_is_given_up() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let (to, mut from) = mpsc::channel(1);
        let mut pipe = Piped { patience: Duration::from_millis(40), ..Piped::new(to, runtime.handle().clone()) };
        // What is read earns more time.
        pipe.write_all(&vec![0; LEAST_RATE as usize / 100]).unwrap();
        assert!(pipe.patience > Duration::from_millis(45), "{:?}", pipe.patience);
        let began = Instant::now();
        assert_eq!(pipe.write(b"x").unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(began.elapsed() >= Duration::from_millis(30));
        drop(from.try_recv());
        drop(from);
        assert!(pipe.write(b"x").is_err());
    }

    #[test]
    fn an_archive_can_be_read_back() {
        let shape = ImageShape { height: 3, width: 5, channels: 1 };
        let images = Images { shape, bytes: (0..30).collect() };
        let mut archive = Archive::new(Vec::new());
        archive.add(&images, &["seven".into(), "a \"b\"".into()]).unwrap();
        archive.add(&images, &[]).unwrap();
        let bytes = archive.finish().unwrap();
        let mut read = zip::ZipArchive::new(io::Cursor::new(bytes)).unwrap();
        let names: Vec<String> = read.file_names().map(|name| name.unwrap().into_owned()).collect();
        assert_eq!(names, ["000000.png", "000001.png", "000002.png", "000003.png", "labels.csv"]);
        let mut png_bytes = Vec::new();
        io::Read::read_to_end(&mut read.by_name("000003.png").unwrap(), &mut png_bytes).unwrap();
        assert_eq!(png_bytes, png::encode(&images.picture(1).unwrap()).unwrap());
        let mut table = String::new();
        io::Read::read_to_string(&mut read.by_name("labels.csv").unwrap(), &mut table).unwrap();
        assert_eq!(table, "file,label\n000000.png,seven\n000001.png,\"a \"\"b\"\"\"\n");
    }
}
