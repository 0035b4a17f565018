//! Downloads one file over HTTP. The bytes are written to a temporary file next to the target, checked against the known size
//! and checksum, and renamed: an interrupted, damaged or endless transfer leaves no file.

use std::io::Read;
use std::path::Path;

use super::{Failure, Progress, Remote};
use crate::atomic_file::PartFile;
use crate::digest::Digest;
use crate::error::Result;

/// Downloads a file to `target`, whose folder must exist.
///
/// # Errors
/// The transfer, a check or the disk fails; `target` is then unchanged.
pub(crate) fn fetch(remote: &Remote, target: &Path, progress: &mut dyn FnMut(Progress)) -> Result<(), Failure> {
    let mut part = PartFile::create(target)?;
    let mut request = agent(remote).get(&remote.url);
    if let Some(token) = &remote.token {
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().map_err(|error| Failure::Transfer(refusal(&error)))?;
    let announced = response.body().content_length();
    check_size(remote, announced)?;
    let begun = Progress {
        file: target.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        bytes: 0,
        total: remote.bytes.or(announced),
    };
    receive(remote, &mut response.body_mut().as_reader(), &mut part, begun, progress)?;
    part.flush()?;
    (remote.inspect)(part.path())
        .map_err(|error| Failure::Transfer(format!("the received file is invalid: {error}")))?;
    Ok(part.commit()?)
}

/// Copies the body into the temporary file, up to the size limit, and verifies it.
fn receive(
    remote: &Remote,
    body: &mut impl Read,
    part: &mut PartFile,
    mut so_far: Progress,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), Failure> {
    let most = remote.bytes.unwrap_or(remote.max_bytes);
    let mut digest = Digest::new();
    let mut chunk = vec![0u8; 1 << 16];
    loop {
        let got = body.read(&mut chunk).map_err(|error| Failure::Transfer(broken(&so_far, &error)))?;
        if got == 0 {
            return verify(remote, &so_far, &digest.finish());
        }
        so_far.bytes += got as u64;
        if so_far.bytes > most {
            return Err(Failure::Transfer(format!("the server sent more than the expected {most} bytes")));
        }
        digest.update(&chunk[..got]);
        part.write(&chunk[..got])?;
        progress(so_far.clone());
    }
}

/// An HTTP client with the timeouts of `remote`. Proxies are taken from the environment, except for this machine.
fn agent(remote: &Remote) -> ureq::Agent {
    let timeout = Some(remote.timeout);
    let config = ureq::Agent::config_builder()
        .user_agent(concat!("faussaire/", env!("CARGO_PKG_VERSION")))
        // The files are already compressed and must not be decoded.
        .accept_encoding("identity")
        .timeout_resolve(timeout)
        .timeout_connect(timeout)
        .timeout_recv_response(timeout)
        .timeout_per_read(timeout);
    let host = remote.url.split("://").nth(1).unwrap_or_default();
    let local = ["localhost", "127.", "[::1]"].iter().any(|name| host.starts_with(name));
    let config = if local { config.proxy(None) } else { config };
    config.build().into()
}

/// Compares the announced size with the expected one.
fn check_size(remote: &Remote, announced: Option<u64>) -> Result<(), Failure> {
    let Some(announced) = announced else {
        return Ok(());
    };
    match remote.bytes {
        Some(bytes) if bytes != announced => {
            Err(Failure::Transfer(format!("the server has {announced} bytes, expected {bytes}")))
        }
        None if announced > remote.max_bytes => {
            Err(Failure::Transfer(format!("the server has {announced} bytes, expected at most {}", remote.max_bytes)))
        }
        _ => Ok(()),
    }
}

fn verify(remote: &Remote, came: &Progress, sha256: &str) -> Result<(), Failure> {
    if let Some(total) = came.total
        && came.bytes != total
    {
        return Err(Failure::Transfer(format!("the transfer ended after {} of {total} bytes", came.bytes)));
    }
    match &remote.sha256 {
        Some(expected) if expected != sha256 => {
            Err(Failure::Transfer(format!("the checksum is wrong (sha256 {sha256}, expected {expected})")))
        }
        _ => Ok(()),
    }
}

fn refusal(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(404) => "the server has no such file (status 404)".to_owned(),
        ureq::Error::StatusCode(code) => format!("the server refused (status {code})"),
        ureq::Error::HostNotFound => "the server's name can't be resolved (no network?)".to_owned(),
        ureq::Error::Timeout(_) => "the server did not answer in time".to_owned(),
        ureq::Error::Io(error) => format!("no answer from the server ({error})"),
        other => format!("no answer from the server ({other})"),
    }
}

fn broken(so_far: &Progress, error: &std::io::Error) -> String {
    let of = so_far.total.map_or(String::new(), |total| format!(" of {total}"));
    format!("the transfer failed after {}{of} bytes ({error})", so_far.bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::testing::{Answer, serve};
    use std::time::Duration;

    const BODY: &[u8] = b"abc";
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn remote(url: String) -> Remote {
        Remote {
            url,
            bytes: Some(3),
            max_bytes: 1 << 20,
            sha256: Some(SHA256.to_owned()),
            inspect: |_| Ok(()),
            timeout: Duration::from_millis(500),
            token: None,
        }
    }

    /// What fetching from a server that gives `answer` says, and what it leaves in the folder.
    fn outcome(answer: Answer, change: impl FnOnce(&mut Remote)) -> (Result<(), String>, Vec<String>) {
        let server = serve(move |_| answer.clone());
        let folder = crate::testing::folder();
        let mut remote = remote(format!("{server}/abc.bin"));
        change(&mut remote);
        let result = fetch(&remote, &folder.path().join("abc.bin"), &mut |_| {});
        let left = std::fs::read_dir(folder.path()).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let result = result.map_err(|failure| match failure {
            Failure::Transfer(what) => what,
            Failure::Disk(error) => panic!("{error}"),
        });
        (result, left)
    }

    #[test]
    fn a_good_file_arrives_with_progress() {
        let server = serve(|path| if path == "/abc.bin" { Answer::Whole(BODY.to_vec()) } else { Answer::Missing });
        let folder = crate::testing::folder();
        let target = folder.path().join("abc.bin");
        std::fs::write(folder.path().join("abc.bin.1-0.part"), "left by a killed process").unwrap();
        let mut seen = Vec::new();
        fetch(&remote(format!("{server}/abc.bin")), &target, &mut |progress| seen.push(progress)).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), BODY);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(seen.last(), Some(&Progress { file: "abc.bin".to_owned(), bytes: 3, total: Some(3) }));
        // Without an announced or known size, too.
        let (result, left) = outcome(Answer::Unannounced(BODY.to_vec()), |remote| remote.bytes = None);
        assert_eq!((result, left), (Ok(()), vec!["abc.bin".to_owned()]));
    }

    #[test]
    fn bad_transfers_leave_nothing_and_say_so() {
        let unknown = |remote: &mut Remote| remote.bytes = None;
        type Case = (Answer, fn(&mut Remote), &'static str);
        let cases: [Case; 8] = [
            (Answer::Cut(BODY[..2].to_vec(), 3), |_| {}, "failed after 2 of 3 bytes"),
            (Answer::Unannounced(BODY[..2].to_vec()), |_| {}, "ended after 2 of 3 bytes"),
            (Answer::Whole(b"abd".to_vec()), |_| {}, "the checksum is wrong"),
            (Answer::Whole(b"abcd".to_vec()), |_| {}, "the server has 4 bytes, expected 3"),
            (Answer::Missing, |_| {}, "no such file (status 404)"),
            (Answer::Dropped, |_| {}, "no answer from the server"),
            (Answer::Endless, unknown, "more than the expected 1048576 bytes"),
            (Answer::Stalled(BODY[..1].to_vec(), 3), |_| {}, "failed after 1 of 3 bytes"),
        ];
        for (answer, change, expected) in cases {
            let name = format!("{answer:?}");
            let (result, left) = outcome(answer, change);
            let what = result.unwrap_err();
            assert!(what.contains(expected), "{name}: {what}");
            assert!(left.is_empty(), "{name} left {left:?}");
        }
    }

    #[test]
    fn a_file_that_inspection_refuses_is_not_kept() {
        let (result, left) = outcome(Answer::Whole(BODY.to_vec()), |remote| {
            remote.inspect = |path| {
                assert_eq!(std::fs::read(path).unwrap(), BODY, "the whole file is there to be looked at");
                Err(Error::data("not a picture", ""))
            };
        });
        assert_eq!(result.unwrap_err(), "the received file is invalid: not a picture");
        assert!(left.is_empty());
    }

    #[test]
    fn no_server_is_an_error() {
        let folder = crate::testing::folder();
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let result = fetch(&remote(format!("http://127.0.0.1:{port}/x")), &folder.path().join("x"), &mut |_| {});
        assert!(matches!(result, Err(Failure::Transfer(what)) if what.contains("no answer")));
        let result = fetch(&remote("http://[".to_owned()), &folder.path().join("x"), &mut |_| {});
        assert!(matches!(result, Err(Failure::Transfer(_))));
    }
}
