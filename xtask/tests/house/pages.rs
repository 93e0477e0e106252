//! The pages: every link leads somewhere, and no page tells of a machine that the reader does not have.

use std::path::Path;

use super::{files, none, read, root, spoken};

#[test]
fn links_between_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in files(root(), "md") {
        let text = read(&page);
        let folder = page.parent().expect("a page lies in a folder");
        let dead = links(&text).filter(|link| !leads_somewhere(folder, link));
        broken.extend(dead.map(|link| format!("{}: {link}", spoken(&page))));
    }
    none("links that lead nowhere", &broken);
}

fn leads_somewhere(folder: &Path, link: &str) -> bool {
    let outside = link.contains("://") || link.starts_with("mailto:") || link.starts_with('#');
    outside || folder.join(link.split('#').next().unwrap_or_default()).exists()
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2).flat_map(|part| part.split('`').step_by(2));
    prose.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split([')', ' ']).next())
}

#[test]
fn links_are_found_in_prose_only() {
    let text = "See [a](b.md) and [c](d/e.md#f).\n```\n[x](y)\n```\n`[z](w)`";
    assert_eq!(links(text).collect::<Vec<_>>(), ["b.md", "d/e.md#f"]);
}
