//! Plain lists of names, lifted out of a file before the rest of it is read as a tree.
//!
//! A tree with byte spans costs a hundred octets a value: for a list of a million names that is most of what reading it
//! takes. Nearly every long list is plain: texts without an escape, commas, line breaks, comments. Such a list is taken
//! out, and what is left is a short file. Whatever is not plain beyond doubt stays where it is, for the tree to read or to
//! refuse. Nothing is said here of what is wrong: places in what is left are not the file's, and a file with a fault is
//! read again as it stands.

use std::collections::BTreeMap;
use std::ops::Range;

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

/// The lists that were lifted.
pub(super) struct Lists<'t> {
    file: &'t str,
    /// In order of text, by the place of the list's opening bracket in what is left of the file.
    texts: BTreeMap<usize, Vec<Text>>,
}

/// Where a text stands with its quotes. A file has less than 2³² octets.
struct Text {
    /// What [`first_octets`] gives: texts are sorted mostly without a look at the file.
    first: u64,
    start: u32,
    end: u32,
}

impl Text {
    fn at(file: &str, start: usize, end: usize) -> Option<Self> {
        let first = first_octets(&file[start + 1..end - 1]);
        Some(Self { first, start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()? })
    }

    fn place(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn of<'t>(&self, file: &'t str) -> &'t str {
        &file[self.start as usize + 1..self.end as usize - 1]
    }
}

/// A number that is in order as the texts are, or the same.
pub(super) fn first_octets(text: &str) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(text.bytes()).for_each(|(octet, of_text)| *octet = of_text);
    u64::from_be_bytes(first)
}

impl<'t> Lists<'t> {
    /// Of a file of which nothing was lifted.
    pub(super) fn none(file: &'t str) -> Self {
        Self { file, texts: BTreeMap::new() }
    }

    /// Lifts what stands as `names = […]` at the beginning of a line, and gives what is left. A line within a text begins
    /// nothing: the file is read token by token.
    pub(super) fn lift(file: &'t str) -> (Self, String) {
        let (mut rest, mut all) = (String::new(), BTreeMap::new());
        let (mut copied, mut from) = (0, 0);
        while let Some(open) = next_list(file, from) {
            from = open + 1;
            if let Some((mut texts, close)) = plain_texts(file, from) {
                texts.sort_unstable_by(|a, b| a.first.cmp(&b.first).then_with(|| a.of(file).cmp(b.of(file))));
                all.insert(rest.len() + open - copied, texts);
                rest.push_str(&file[copied..from]);
                (copied, from) = (close, close);
            }
        }
        rest.push_str(&file[copied..]);
        (Self { file, texts: all }, rest)
    }

    /// The texts of the list that opens here in what is left, in order, each with its place in the file; `None` if it was
    /// not lifted. What is made of a million names in their order lies in their order: whoever goes through them later
    /// goes straight through memory.
    pub(super) fn opened_at(&self, open: usize) -> Option<impl ExactSizeIterator<Item = (&'t str, Range<usize>)>> {
        let file = self.file;
        Some(self.texts.get(&open)?.iter().map(move |text| (text.of(file), text.place())))
    }
}

/// The next `[` behind `names =`.
fn next_list(file: &str, from: usize) -> Option<usize> {
    // What of a line was read: nothing, the key, the key and the sign.
    let mut of_line = 0;
    for token in Source::new(&file[from..]).lex() {
        let span = from + token.span().start()..from + token.span().end();
        of_line = match (of_line, token.kind()) {
            (known, TokenKind::Whitespace) => known,
            (_, TokenKind::Newline) => 0,
            (0, TokenKind::Atom) if &file[span.clone()] == "names" => 1,
            (1, TokenKind::Equals) => 2,
            (2, TokenKind::LeftSquareBracket) => return Some(span.start),
            _ => 3,
        };
    }
    None
}

/// The texts from behind an opening bracket to the closing one, whose place comes with them; `None` if there is none, or
/// anything that is not plain.
fn plain_texts(file: &str, from: usize) -> Option<(Vec<Text>, usize)> {
    let octets = file.as_bytes();
    let (mut texts, mut at, mut is_parted) = (Vec::new(), from, true);
    loop {
        match *octets.get(at)? {
            b' ' | b'\t' | b'\n' => at += 1,
            b'\r' if octets.get(at + 1) == Some(&b'\n') => at += 2,
            b',' if !is_parted => (at, is_parted) = (at + 1, true),
            quote @ (b'"' | b'\'') if is_parted => {
                let end = at + plain_len(&octets[at + 1..], quote)? + 2;
                texts.push(Text::at(file, at, end)?);
                (at, is_parted) = (end, false);
            }
            b'#' => at += plain_len(&octets[at..], b'\n')?,
            b']' if !texts.is_empty() => return Some((texts, at)),
            _ => return None,
        }
    }
}

/// How many octets stand before `end`, if all are as they look.
fn plain_len(octets: &[u8], end: u8) -> Option<usize> {
    let len = octets.iter().position(|&octet| octet == end || octet < b' ' || matches!(octet, b'\\' | 0x7f))?;
    (octets[len] == end).then_some(len)
}

#[cfg(test)]
mod tests;
