//! What comes in from outside: a reason for each dependency, a licence that we may ship, one registry.

use super::{graph, none, read};

/// Licences that a package may be used under. Each is compatible with shipping under MIT or Apache-2.0;
/// CDLA-Permissive-2.0 is for data (root certificates), Unicode-3.0 for tables.
const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "0BSD",
    "CC0-1.0",
    "BSL-1.0",
    "Unlicense",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[test]
fn every_dependency_has_its_reason_beside_it() {
    let manifest = read("Cargo.toml");
    let section = manifest.split("[workspace.dependencies]").nth(1).expect("the workspace lists its dependencies");
    let section = section.split("\n[").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.contains('=') && !line.trim_start().starts_with('#'));
    let foreign = lines.filter(|line| !line.contains("path = "));
    let bare = foreign.filter(|line| !line.contains(" # ") && !line.contains("\t# "));
    none("dependencies without a reason beside them in Cargo.toml", &bare.map(str::to_owned).collect::<Vec<_>>());
}

#[test]
fn members_take_versions_from_the_workspace_alone() {
    let mut broken = Vec::new();
    for package in graph().workspace_packages() {
        let manifest = read(&package.manifest_path);
        let own = manifest.lines().filter(|line| line.contains("version = \"") || line.contains("git = \""));
        broken.extend(own.map(|line| format!("{}: {line}", package.name)));
    }
    none("a member with a version of its own", &broken);
}

#[test]
fn every_package_has_a_licence_that_we_may_ship() {
    let foreign = graph().packages.iter().filter(|package| package.source.is_some());
    let refused = foreign.filter(|package| !package.license.as_deref().is_some_and(is_allowed));
    let said = refused.map(|package| format!("{} {}: {:?}", package.name, package.version, package.license));
    none("packages under a licence that is not in the list", &said.collect::<Vec<_>>());
}

#[test]
fn every_package_comes_from_the_one_registry() {
    let lock = read("Cargo.lock");
    let sources = lock.lines().filter_map(|line| line.strip_prefix("source = "));
    let other: Vec<String> = sources.filter(|source| source.trim_matches('"') != REGISTRY).map(str::to_owned).collect();
    none("packages from elsewhere", &other);
}

//----------- SPDX -------------------------------------------------------------------------------------------------

/// Whether some choice that the expression offers is allowed (SPDX 2.3, annex D; `/` is the old spelling of OR).
fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let (allowed, rest) = either(&tokens);
    allowed && rest.is_empty()
}

fn either<'a>(tokens: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = both(tokens);
    while let ["OR", more @ ..] = rest {
        let (next, after) = both(more);
        (allowed, rest) = (allowed || next, after);
    }
    (allowed, rest)
}

fn both<'a>(tokens: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    let (mut allowed, mut rest) = one(tokens);
    while let ["AND", more @ ..] = rest {
        let (next, after) = one(more);
        (allowed, rest) = (allowed && next, after);
    }
    (allowed, rest)
}

fn one<'a>(tokens: &'a [&'a str]) -> (bool, &'a [&'a str]) {
    match tokens {
        ["(", inner @ ..] => {
            let (allowed, rest) = either(inner);
            (allowed && rest.first() == Some(&")"), rest.get(1..).unwrap_or_default())
        }
        [licence, "WITH", exception, rest @ ..] => {
            (LICENCES.contains(&format!("{licence} WITH {exception}").as_str()), rest)
        }
        [licence, rest @ ..] => (LICENCES.contains(licence), rest),
        [] => (false, tokens),
    }
}

#[test]
fn licence_expressions_are_read_as_spdx_says() {
    for (expression, allowed) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0-only", false),
        ("MIT OR GPL-3.0-only", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR GPL-2.0-only) AND ISC", true),
        ("Apache-2.0 WITH LLVM-exception OR GPL-2.0-only", true),
        ("GPL-2.0-only WITH Classpath-exception-2.0", false),
        ("MIT OR", true),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression), allowed, "{expression}");
    }
}
