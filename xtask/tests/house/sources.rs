//! What our own sources must hold, wherever they lie.

use std::path::Path;

use super::{files, none, ours, read, room, root, spoken};

/// A file above this is named; most of ours have 80 to 300 lines.
const LINES_MAX: usize = 600;

#[test]
fn no_module_is_named_like_a_room() {
    let rooms: Vec<&str> = ours().into_iter().map(|package| room(&package.name)).collect();
    let mut broken = Vec::new();
    for path in rust_files() {
        let said = read(&path);
        let modules = said.lines().filter_map(module_of).filter(|module| rooms.contains(module));
        broken.extend(modules.map(|module| format!("{}: mod {module}", spoken(&path))));
    }
    none("a module named like a room shadows its crate silently", &broken);
}

#[test]
fn unsafe_is_forbidden_in_every_crate() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""), "the workspace forbids unsafe code");
    let open = ours().into_iter().filter(|package| !read(&package.manifest_path).contains("[lints]\nworkspace = true"));
    none(
        "crates without `[lints] workspace = true`",
        &open.map(|package| package.name.to_string()).collect::<Vec<_>>(),
    );
}

#[test]
fn no_file_has_grown_into_a_house_of_its_own() {
    let counted = rust_files().into_iter().map(|path| (read(&path).lines().count(), path));
    let long = counted.filter(|(lines, _)| *lines > LINES_MAX);
    none(
        "files to take apart",
        &long.map(|(lines, path)| format!("{}: {lines} lines", spoken(&path))).collect::<Vec<_>>(),
    );
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent = rust_files().into_iter().filter(|path| !starts_with_page(path));
    none("files without a `//!` page at their head", &silent.map(|path| spoken(&path)).collect::<Vec<_>>());
}

/// Tests next door and the roof's three-line `main` may speak for themselves.
fn starts_with_page(path: &Path) -> bool {
    let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    is_test || read(path).trim_start().starts_with("//!")
}

fn rust_files() -> Vec<std::path::PathBuf> {
    ["crates", "xtask"].iter().flat_map(|folder| files(&root().join(folder), "rs")).collect()
}

/// The module that a line declares: `pub(crate) mod store;`.
fn module_of(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or(rest, |(_, rest)| rest));
    let name = line.strip_prefix("mod ")?;
    Some(name.trim_end_matches([';', '{', ' ']))
}

/// A coverage without an order here is believed in one place, behind a signature.
#[test]
fn what_another_core_attests_is_believed_in_one_place() {
    let maker = concat!("Attested::", "by_signature(");
    let elsewhere = rust_files().into_iter().filter(|path| read(path).contains(maker));
    let elsewhere = elsewhere.filter(|path| !path.ends_with("crates/store/src/lease/body.rs"));
    none(
        "only `store::lease` makes coverages from a signed set",
        &elsewhere.map(|path| spoken(&path)).collect::<Vec<_>>(),
    );
}

#[test]
fn module_lines_are_recognised() {
    for (line, module) in [
        ("mod store;", Some("store")),
        ("    pub mod store {", Some("store")),
        ("pub(crate) mod wire;", Some("wire")),
        ("// mod store;", None),
        ("use store::zones;", None),
    ] {
        assert_eq!(module_of(line), module, "{line}");
    }
}

/// A datagram's source is whatever its sender wrote: whoever answers it may hit somebody who never asked.
#[test]
fn the_silent_ports_have_no_call_that_sends() {
    const SENDING: [&str; 7] = ["send", "connect", "write_all", "write_vectored", "Outbox", "TcpStream", "bind("];
    let folder = root().join("crates/sinkhole/src");
    let mut paths = files(&folder.join("silent"), "rs");
    paths.extend(files(&folder.join("inbox"), "rs"));
    paths.push(folder.join("inbox.rs"));
    let mut broken = Vec::new();
    for path in paths.iter().filter(|path| !path.ends_with("tests.rs")) {
        let said = read(path);
        let code =
            said.lines().filter(|line| !line.trim_start().starts_with("//")).take_while(|line| *line != "#[cfg(test)]");
        let calls = code.filter(|line| SENDING.iter().any(|word| line.contains(word)));
        broken.extend(calls.map(|line| format!("{}: {}", spoken(path), line.trim())));
    }
    assert!(paths.len() >= 4, "the silent ports lie elsewhere: {paths:?}");
    none("calls that send where nothing may be sent", &broken);
}
