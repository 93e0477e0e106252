//! Text from outside, as it may stand on paper: nothing in it can be clicked, and nothing in it hides.

/// The most of a file that a page quotes: the file itself lies beside it.
pub const QUOTED_OCTETS_MAX: usize = 4096;

/// Names and URLs defanged: `hxxps://example[.]com/`. Controls and what turns writing round are spelt out.
pub fn inert(text: &str) -> String {
    let plain = text.replace("http", "hxxp").replace("HTTP://", "HXXP://").replace("HTTPS://", "HXXPS://");
    let chars: Vec<char> = plain.chars().collect();
    let mut out = String::with_capacity(plain.len());
    for (at, c) in chars.iter().enumerate() {
        let (before, after) = (at.checked_sub(1).and_then(|at| chars.get(at)), chars.get(at + 1));
        match c {
            '.' if joins_labels(before, after) => out.push_str("[.]"),
            c if is_hidden(*c) => out.extend(c.escape_default()),
            c => out.push(*c),
        }
    }
    out
}

/// A version's dot stands between digits, and a sentence's before a blank.
fn joins_labels(before: Option<&char>, after: Option<&char>) -> bool {
    let is = |c: Option<&char>, what: fn(char) -> bool| c.is_some_and(|c| what(*c));
    let in_word = is(before, char::is_alphanumeric) && is(after, char::is_alphanumeric);
    in_word && !(is(before, |c| c.is_ascii_digit()) && is(after, |c| c.is_ascii_digit()))
}

/// The beginning of a file, where it is text; `None` where it is not.
pub fn quoted(octets: &[u8]) -> Option<String> {
    let head = &octets[..octets.len().min(QUOTED_OCTETS_MAX)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A cut within a character is ours.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let more = if octets.len() > head.len() { "\n[…]" } else { "" };
    Some(inert(text) + more)
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
