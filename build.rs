//! Has the dashboard's page embedded again once it was built again: the compiler only knows of the files that it has seen.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The folder is committed, empty: cargo would rebuild for ever for one that is absent.
    println!("cargo::rerun-if-changed=web/dist");
}
