//! One EPP data unit, read into a tree of local names: what the test server understands, and nothing is expanded.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The deepest nesting and the longest unit that are read.
const DEPTH_MAX: usize = 32;
pub(super) const UNIT_OCTETS_MAX: usize = 1 << 16;

/// An element.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Node {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    pub(super) fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Every element of that name, at any depth.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> Vec<&'a Node> {
        let below = self.children.iter().flat_map(|child| child.all(name));
        (self.name == name).then_some(self).into_iter().chain(below).collect()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        self.all(name).into_iter().map(|node| node.text.trim().to_owned()).collect()
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The root; `None` for what is no XML, has a document type or an entity of its own, or goes too deep.
pub(super) fn read(text: &str) -> Option<Node> {
    if text.len() > UNIT_OCTETS_MAX {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(element(&start)?);
                if open.len() > DEPTH_MAX {
                    return None;
                }
            }
            Event::Empty(start) => open.last_mut()?.children.push(element(&start)?),
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => open.last_mut()?.text.push(known_entity(&entity.xml10_content())?),
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => break,
            Event::CData(_) | Event::DocType(_) | Event::PI(_) => return None,
        }
    }
    let [top] = &mut open[..] else { return None };
    (top.children.len() == 1).then(|| top.children.remove(0))
}

fn element(start: &BytesStart<'_>) -> Option<Node> {
    let name = start.local_name().into_inner().to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::default()).ok()?;
        attributes.push((attribute.key.local_name().into_inner().to_owned(), value.into_owned()));
    }
    Some(Node { name, attributes, ..Node::default() })
}

/// The five of XML 1.0.
fn known_entity(name: &str) -> Option<char> {
    let all = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\'')];
    all.into_iter().find(|(known, _)| *known == name).map(|(_, c)| c)
}
