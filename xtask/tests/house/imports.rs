//! The import table of ARCHITECTURE.md, compared with what cargo says.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, PackageId};

use super::{graph, none, ours, read, room};

/// No async runtime, and nothing that only makes sense with one, may lie below the pure rooms.
const RUNTIMES: [&str; 9] =
    ["tokio", "async-std", "smol", "async-io", "mio", "polling", "futures-executor", "embassy-executor", "glommio"];

type Rooms = BTreeSet<String>;

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table = table(&read("ARCHITECTURE.md"));
    let mut broken = Vec::new();
    for package in ours() {
        let name = room(&package.name);
        let Some(allowed) = table.get(name) else {
            broken.push(format!("`{name}` has no row in ARCHITECTURE.md's table"));
            continue;
        };
        let imports =
            package.dependencies.iter().filter(|import| import.path.is_some()).map(|import| room(&import.name));
        broken.extend(imports.filter(|import| !allowed.contains(*import)).map(|import| format!("{name} → {import}")));
    }
    none("arrows that ARCHITECTURE.md does not allow (change the table first, and say why)", &broken);
}

#[test]
fn the_pure_rooms_have_no_runtime_below_them() {
    let mut broken = Vec::new();
    for pure in ["model", "wire"] {
        let below = below(pure);
        broken.extend(RUNTIMES.iter().filter(|bad| below.contains(**bad)).map(|bad| format!("{pure} … {bad}")));
    }
    none("an async runtime below a pure room", &broken);
}

/// Names of all packages that a room is built from, tests aside.
fn below(name: &str) -> BTreeSet<&'static str> {
    let resolve = graph().resolve.as_ref().expect("cargo metadata resolves");
    let nodes: BTreeMap<&PackageId, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = ours().into_iter().find(|package| room(&package.name) == name).expect("the room exists");
    let mut seen = BTreeSet::from([&start.id]);
    let mut next = vec![&start.id];
    while let Some(id) = next.pop() {
        let used =
            nodes[id].deps.iter().filter(|dep| dep.dep_kinds.iter().any(|k| k.kind != DependencyKind::Development));
        next.extend(used.map(|dep| &dep.pkg).filter(|pkg| seen.insert(pkg)));
    }
    seen.into_iter().map(|id| graph()[id].name.as_str()).collect()
}

//----------- The table --------------------------------------------------------------------------------------------

/// Room → the rooms that it may import.
fn table(page: &str) -> BTreeMap<String, Rooms> {
    let floors = floors(page);
    let rows = page.lines().skip_while(|line| !line.starts_with("| room | may import |")).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        (cells[0].to_owned(), cells[1].to_owned())
    });
    let rows: Vec<(String, String)> = rows.collect();
    assert!(!rows.is_empty(), "ARCHITECTURE.md has its table `| room | may import |`");
    let mut table: BTreeMap<String, Rooms> = BTreeMap::new();
    for (names, rule) in &rows {
        for name in words(names) {
            table.insert(name, allowed(rule, &floors));
        }
    }
    for (names, rule) in &rows {
        forbid(&mut table, &words(names), rule, &floors);
    }
    table
}

/// What a row allows, before what other rows forbid.
fn allowed(rule: &str, floors: &BTreeMap<String, u8>) -> Rooms {
    let rule = rule.split([';', '(']).next().unwrap_or_default().trim();
    match rule {
        "nothing of ours" => Rooms::new(),
        "everything" => floors.keys().cloned().collect(),
        _ if rule.starts_with("floors") => on_floors(rule, floors),
        _ => {
            words(rule).into_iter().inspect(|word| assert!(floors.contains_key(word), "`{word}` is no room")).collect()
        }
    }
}

/// `never imported by floors 2 and 3`, said in the row of whoever is not to be imported.
fn forbid(table: &mut BTreeMap<String, Rooms>, names: &Rooms, rule: &str, floors: &BTreeMap<String, u8>) {
    let Some((_, by)) = rule.split_once("never imported by ") else { return };
    for importer in on_floors(by, floors) {
        let row = table.get_mut(&importer).expect("every room of the tree has a row");
        row.retain(|word| !names.contains(word));
    }
}

/// `floors 0–2` and `floors 2 and 3`: both name a first and a last floor.
fn on_floors(text: &str, floors: &BTreeMap<String, u8>) -> Rooms {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
    let (first, last) = (digits.first().expect("a first floor"), digits.last().expect("a last floor"));
    floors.iter().filter(|(_, floor)| (first..=last).contains(floor)).map(|(name, _)| name.clone()).collect()
}

/// The tree under `crates/`: `  store/      1  memory. …`.
fn floors(page: &str) -> BTreeMap<String, u8> {
    let tree = page.lines().skip_while(|line| line.trim() != "crates/").skip(1);
    let tree = tree.take_while(|line| line.starts_with(' '));
    tree.filter_map(|line| {
        let (name, rest) = line.trim().split_once("/ ")?;
        let floor = rest.trim().bytes().next().filter(u8::is_ascii_digit)?;
        Some((name.to_owned(), floor - b'0'))
    })
    .collect()
}

fn words(text: &str) -> Rooms {
    text.split(',').map(|word| word.trim().to_owned()).collect()
}
