//! Prefetching: while a step trains, a separate thread reads the images of the next steps. The results are those of
//! `Batches::fill`, independent of timing; an error is returned with its batch.
//!
//! The images are decoded on threads of the reader's own, never on those that train. A thread of rayon's that waits for a part of its
//! work takes up any other work meanwhile: while it decodes, that could be a step, which would wait for the batch below it for ever.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use super::batches::Batches;
use super::dataset::Dataset;
use crate::error::{Error, Result};

/// Complete batches in the queue; one more is being read.
const QUEUED: usize = 1;

/// Returns batch after batch, prefetched if the set decodes images on reading.
#[derive(Debug)]
pub struct Prefetcher {
    dataset: Arc<dyn Dataset>,
    batches: Arc<Batches>,
    reader: Option<Reader>,
}

impl Prefetcher {
    /// Creates a prefetcher; reading starts with the first `take`.
    pub fn new(dataset: Arc<dyn Dataset>, batches: Arc<Batches>) -> Self {
        Self { dataset, batches, reader: None }
    }

    /// The images of batch `turn`, as written by [`Batches::fill`]; meanwhile the two next batches are read. Requesting another batch
    /// than the next one discards the prefetched ones and has no other effect.
    ///
    /// # Errors
    /// An image of this batch can't be read.
    pub fn take(&mut self, turn: u64) -> Result<Vec<f32>> {
        if self.reader.as_ref().is_none_or(|reader| reader.next != turn) {
            self.reader = None;
            if !self.dataset.is_lazy() {
                let mut images = Vec::new();
                self.batches.fill(self.dataset.as_ref(), turn, &mut images)?;
                return Ok(images);
            }
            self.reader = Some(Reader::start(Arc::clone(&self.dataset), Arc::clone(&self.batches), turn)?);
        }
        let images = self.reader.as_mut().map(Reader::take).unwrap_or_else(|| Err(thread_stopped()));
        // Prefetching has no benefit if nothing is left to decode, and stops after an error.
        if images.is_err() || !self.dataset.is_lazy() {
            self.reader = None;
        }
        images
    }
}

/// A thread that reads batch after batch.
#[derive(Debug)]
struct Reader {
    next: u64,
    /// Dropped to stop the reader.
    batches: Option<Mutex<Receiver<Result<Vec<f32>>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    fn start(dataset: Arc<dyn Dataset>, batches: Arc<Batches>, first: u64) -> Result<Self> {
        let (ready, taken) = sync_channel(QUEUED);
        let refused = |error: String| {
            Error::usage(format!("no thread can be started to read images: {error}"), "close other programs")
        };
        let decoders = rayon::ThreadPoolBuilder::new()
            .num_threads(rayon::current_num_threads())
            .thread_name(|number| format!("decode-{number}"))
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let read = move || {
            for turn in first.. {
                let mut images = Vec::new();
                let outcome = decoders.install(|| batches.fill(dataset.as_ref(), turn, &mut images)).map(|()| images);
                let failed = outcome.is_err();
                // The receiver is thread_stopped: the prefetcher was dropped or reads from another batch.
                if ready.send(outcome).is_err() || failed {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("prefetch".to_owned()).spawn(read);
        let thread = thread.map_err(|error| refused(error.to_string()))?;
        Ok(Self { next: first, batches: Some(Mutex::new(taken)), thread: Some(thread) })
    }

    fn take(&mut self) -> Result<Vec<f32>> {
        self.next += 1;
        let Some(batches) = &mut self.batches else { return Err(thread_stopped()) };
        let batches = batches.get_mut().unwrap_or_else(PoisonError::into_inner);
        batches.recv().unwrap_or_else(|_| Err(thread_stopped()))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The channel is closed first, so that the thread's next send fails and it ends.
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn thread_stopped() -> Error {
    Error::data("the thread that reads images ahead has stopped", "this is a bug: please report it with the data set")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::{ImageShape, Strokes};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Strokes that count what is read, pretend to decode, and can't read one image.
    #[derive(Debug)]
    struct Counted {
        inner: Strokes,
        lazy: bool,
        unreadable: Option<usize>,
        reads: AtomicUsize,
    }

    impl Dataset for Counted {
        fn info(&self) -> &crate::DatasetInfo {
            self.inner.info()
        }
        fn len(&self) -> usize {
            self.inner.len()
        }
        fn shape(&self) -> ImageShape {
            self.inner.shape()
        }
        fn read(&self, index: usize, out: &mut [f32]) -> Result<()> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            if self.unreadable == Some(index) {
                return Err(Error::data(format!("image {index} is broken"), "none"));
            }
            self.inner.read(index, out)
        }
        fn is_lazy(&self) -> bool {
            self.lazy
        }
        fn fingerprint(&self) -> String {
            self.inner.fingerprint()
        }
    }

    fn counted(lazy: bool, unreadable: Option<usize>) -> (Arc<Counted>, Arc<Batches>, Prefetcher) {
        let set = Arc::new(Counted { inner: Strokes::new(1, 50), lazy, unreadable, reads: AtomicUsize::new(0) });
        let batches = Arc::new(Batches::new(50, 10, 3).unwrap().mirrored(3));
        let prefetcher = Prefetcher::new(Arc::clone(&set) as Arc<dyn Dataset>, Arc::clone(&batches));
        (set, batches, prefetcher)
    }

    fn filled(set: &Counted, batches: &Batches, turn: u64) -> Vec<f32> {
        let mut images = Vec::new();
        batches.fill(&set.inner, turn, &mut images).unwrap();
        images
    }

    #[test]
    fn turns_come_as_fill_gives_them_in_any_order() {
        for lazy in [false, true] {
            let (set, batches, mut prefetcher) = counted(lazy, None);
            for turn in [0, 1, 2, 3, 9, 10, 4, 4, 5, 6] {
                assert_eq!(prefetcher.take(turn).unwrap(), filled(&set, &batches, turn), "{lazy} {turn}");
            }
        }
    }

    #[test]
    fn two_turns_are_read_ahead_and_no_more() {
        let (set, _, mut prefetcher) = counted(true, None);
        prefetcher.take(0).unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while set.reads.load(Ordering::SeqCst) < 30 && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(set.reads.load(Ordering::SeqCst), 30);
        drop(prefetcher);
        assert_eq!(Arc::strong_count(&set), 1, "its thread has ended");
        let (set, _, mut prefetcher) = counted(false, None);
        prefetcher.take(0).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert_eq!(set.reads.load(Ordering::SeqCst), 10, "nothing is gained where nothing is decoded");
    }

    #[test]
    fn an_error_comes_with_its_own_turn() {
        let (_, batches, _) = counted(true, None);
        let (_, _, mut prefetcher) = counted(true, Some(batches.indices(2)[4]));
        assert!(prefetcher.take(0).is_ok() && prefetcher.take(1).is_ok());
        for _ in 0..2 {
            assert!(prefetcher.take(2).unwrap_err().to_string().ends_with("is broken"));
        }
        assert!(prefetcher.take(3).is_ok());
    }

    /// Threads that wait for batches in jobs of one pool, as steps of several trainings in a process do: a decoder that waits must
    /// not take up a job that waits for what it decodes.
    #[test]
    fn steps_of_several_trainings_do_not_wait_for_each_other() {
        let (done, ended) = std::sync::mpsc::channel();
        for _ in 0..4 {
            let done = done.clone();
            std::thread::spawn(move || {
                let (_, _, mut prefetcher) = counted(true, None);
                for turn in 0..100 {
                    rayon::scope(|_| assert_eq!(prefetcher.take(turn).unwrap().len(), 10 * 784));
                }
                done.send(()).unwrap();
            });
        }
        for _ in 0..4 {
            ended.recv_timeout(std::time::Duration::from_secs(120)).unwrap();
        }
    }
}
