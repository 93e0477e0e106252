//! What is wrong in a case file, where, and what to do about it.
//!
//! A fault is a value with a byte span; [`render_faults`] draws it for people. Only the lines concerned are handed to
//! the renderer, so that a fault in a file of a million names costs what its line costs.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};
use serde::{Deserialize, Serialize};

/// The most faults that are kept and drawn; the rest are counted.
pub const FAULTS_MAX: usize = 100;
/// The most that is said of one: what is wrong may be quoted, and may be as long as the file.
pub const WHAT_CHARS_MAX: usize = 1_000;

//----------- Fault ------------------------------------------------------------------------------------------------

/// One fault. The span counts bytes of the file's text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub span: Range<usize>,
    pub what: String,
    pub hint: Option<String>,
    /// Another place that the fault is about: where a name stood first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Range<usize>>,
}

/// Faults as they are found.
#[derive(Debug, Default)]
pub(super) struct Faults {
    found: Vec<Fault>,
    beyond: usize,
}

impl Faults {
    pub(super) fn add(&mut self, span: Range<usize>, what: impl Into<String>, hint: impl Into<String>) {
        self.push(Fault { span, what: what.into(), hint: Some(hint.into()), earlier: None });
    }

    pub(super) fn push(&mut self, fault: Fault) {
        if self.found.len() < FAULTS_MAX {
            self.found.push(Fault { what: cut(fault.what), hint: fault.hint.map(cut), ..fault });
        } else {
            self.beyond += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In order of place; the last one says how many were not kept.
    pub(super) fn into_sorted(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|fault| (fault.span.start, fault.span.end));
        if self.beyond > 0 {
            let end = self.found.last().map_or(0..0, |fault| fault.span.clone());
            let what = format!("{} more faults are not shown", self.beyond);
            self.found.push(Fault { span: end, what, hint: Some("mend these first".into()), earlier: None });
        }
        self.found
    }
}

fn cut(text: String) -> String {
    match text.char_indices().nth(WHAT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

//----------- Rendering --------------------------------------------------------------------------------------------

/// A fault as the API says it: place, words, and the drawing for a terminal.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FaultReport {
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub what: String,
    pub hint: Option<String>,
    pub rendered: String,
}

/// Every fault with file, line, column, caret and hint, as plain text.
pub fn render_faults(text: &str, file: &str, faults: &[Fault]) -> String {
    let drawings: Vec<String> = faults.iter().map(|fault| draw(text, file, fault)).collect();
    drawings.join("\n\n")
}

/// The same, one by one, with line and column as numbers.
pub fn faults_rendered(text: &str, file: &str, faults: &[Fault]) -> Vec<FaultReport> {
    let report = |fault: &Fault| {
        let lines = Lines::around(text, &fault.span);
        FaultReport {
            line: lines.first,
            column: lines.text[..lines.span.start].chars().count() + 1,
            what: fault.what.clone(),
            hint: fault.hint.clone(),
            rendered: draw(text, file, fault),
        }
    };
    faults.iter().map(report).collect()
}

fn draw(text: &str, file: &str, fault: &Fault) -> String {
    let mut group = Level::ERROR.primary_title(&fault.what).element(snippet(text, file, &fault.span, true));
    if let Some(earlier) = &fault.earlier {
        group = group.element(snippet(text, file, earlier, false));
    }
    let hint = fault.hint.as_deref().map(normalize_untrusted_str);
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    let report: &[Group<'_>] = &[group];
    Renderer::plain().render(report)
}

fn snippet<'a>(
    text: &'a str,
    file: &'a str,
    span: &Range<usize>,
    is_the_fault: bool,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let lines = Lines::around(text, span);
    let annotation = if is_the_fault {
        AnnotationKind::Primary.span(lines.span)
    } else {
        AnnotationKind::Context.span(lines.span).label("it stood here first")
    };
    Snippet::source(lines.text).path(file).line_start(lines.first).annotation(annotation)
}

/// The whole lines on which a span begins; a span over several lines is cut at the end of the first.
struct Lines<'a> {
    text: &'a str,
    /// The number of the line, from 1.
    first: usize,
    span: Range<usize>,
}

impl<'a> Lines<'a> {
    fn around(text: &'a str, span: &Range<usize>) -> Self {
        let start = floor_char(text, span.start);
        let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let to = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor_char(text, span.end).clamp(start, to);
        let first = text[..start].bytes().filter(|b| *b == b'\n').count() + 1;
        Self { text: &text[from..to], first, span: start - from..end - from }
    }
}

fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
