//! Lets the linkers of other systems than Linux leave Python's symbols open, as an extension module needs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::add_extension_module_link_args();
}
