//! Tests of the house itself: who imports whom, what comes in from outside, and whether the pages tell the truth.
//!
//! They read `cargo metadata`, the manifests, the sources and the pages; they build nothing and ask no network.
//! Taste is not tested here: a rule stands here only if breaking it once would cost us for months.

mod imports;
mod intake;
mod pages;
mod sources;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};

/// The repository's root.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository's root")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()))
}

/// The whole graph where all of it was fetched, else the part that this machine builds.
fn graph() -> &'static Metadata {
    static GRAPH: OnceLock<Metadata> = OnceLock::new();
    GRAPH.get_or_init(|| ask(&[]).or_else(|_| ask(&["--filter-platform", &host()])).expect("cargo metadata answers"))
}

fn ask(more: &[&str]) -> Result<Metadata, cargo_metadata::Error> {
    let options = ["--offline", "--locked"].iter().chain(more).map(ToString::to_string).collect::<Vec<_>>();
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(options)
        .exec()
}

fn host() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// A package of ours by its folder's word: `bailiwick-store` is the room `store`.
fn room(package: &str) -> &str {
    package.strip_prefix("bailiwick-").unwrap_or(package)
}

fn ours() -> Vec<&'static Package> {
    graph().workspace_packages()
}

/// Every file below `folder` that ends with `.extension`; build output and hidden folders are nobody's text.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("listing {}: {error}", folder.display())) {
        let path = entry.expect("a folder's entry can be read").path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.') || name == "target");
        if path.is_dir() && !hidden {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The path as a person would say it.
fn spoken(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with every broken place at once, so that one run mends them all.
fn none(what: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{what}:\n  {}", broken.join("\n  "));
}
