//! Names that no person gave: hidden files, and the folders that systems and file servers make beside one's own.

/// Folders of macOS, Windows, ext4, and of network storage (thumbnails and deleted files of Synology and QNAP).
const OF_SYSTEMS: [&str; 9] = [
    "__macosx",
    "$recycle.bin",
    "recycler",
    "system volume information",
    "lost+found",
    "@eadir",
    "#recycle",
    "@recycle",
    "@recently-snapshot",
];

/// Whether a file or folder called `name` is passed over without a word.
pub(crate) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || OF_SYSTEMS.contains(&name.to_lowercase().as_str())
}
