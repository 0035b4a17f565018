//! Regular files in folders that others may write to. To open a FIFO is to wait for whoever is at its other end, and a device
//! may do anything when it is opened: what is opened here is a regular file, or an error at once.

use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// Opens the regular file `path` for reading.
///
/// # Errors
/// As [`File::open`]; anything but a regular file (or a link to one) is [`ErrorKind::InvalidData`].
pub fn open_plain(path: &Path) -> Result<File> {
    open_plain_with(OpenOptions::new().read(true), path)
}

/// Opens the regular file `path` as `access` says.
///
/// # Errors
/// As [`open_plain`].
pub fn open_plain_with(access: &mut OpenOptions, path: &Path) -> Result<File> {
    let refused = || Error::new(ErrorKind::InvalidData, "it is not a regular file");
    // Before it is opened, for devices; after it, because another may have taken its name.
    if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
        return Err(refused());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        access.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = access.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(refused()) }
}

/// The bytes of the regular file `path`, at most `limit`.
///
/// # Errors
/// As [`open_plain`]; a larger file is [`ErrorKind::InvalidData`], and is not read.
pub fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let file = open_plain(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    if size <= limit {
        // It may grow meanwhile.
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    }
    let size = size.max(bytes.len() as u64);
    if size > limit {
        return Err(Error::new(ErrorKind::InvalidData, format!("it has {size} bytes, expected at most {limit}")));
    }
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_the_limit() {
        let folder = crate::testing::folder();
        let path = folder.path().join("a");
        assert_eq!(read_plain(&path, 9).unwrap_err().kind(), ErrorKind::NotFound);
        std::fs::write(&path, "12345").unwrap();
        assert_eq!(read_plain(&path, 5).unwrap(), b"12345");
        let error = read_plain(&path, 4).unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::InvalidData, "it has 5 bytes, expected at most 4")
        );
        // A sparse file costs no memory.
        File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(read_plain(&path, 1 << 20).is_err());
        assert_eq!(read_plain(folder.path(), 9).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_else_is_waited_for() {
        use std::os::unix::fs::symlink;
        let folder = crate::testing::folder();
        let at = |name: &str| folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink(at("fifo"), at("link")).unwrap();
        symlink(at("round"), at("round")).unwrap();
        for name in ["fifo", "socket", "device", "link", "round"] {
            assert!(open_plain(&at(name)).is_err(), "{name}");
            assert!(read_plain(&at(name), 9).is_err(), "{name}");
            let mut write = OpenOptions::new();
            assert!(open_plain_with(write.write(true).create(true), &at(name)).is_err(), "{name}");
        }
        std::fs::write(at("file"), "x").unwrap();
        symlink(at("file"), at("good")).unwrap();
        assert_eq!(read_plain(&at("good"), 9).unwrap(), b"x");
    }
}
