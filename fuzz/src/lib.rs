//! What the targets share.

#[cfg(feature = "runs")]
pub mod runs;

/// Keeps a target away from the user's files and from networks.
pub fn prepare() {
    for name in ["HOME", "XDG_CACHE_HOME", "FAUSSAIRE_DATA"] {
        std::env::remove_var(name);
    }
    std::env::set_var("FAUSSAIRE_MIRROR", "http://127.0.0.1:1");
}
