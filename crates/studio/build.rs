//! Has the crate built again when a file is added to `assets/` or taken from it: the list of the files that are embedded is
//! made when the crate is compiled.

fn main() {
    println!("cargo::rerun-if-changed=assets");
}
