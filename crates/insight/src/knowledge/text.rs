//! Other people's text, made fit to be shown.

use model::DomainName;
use model::name::defang;

/// The longest name, citation or notice that is kept, in characters.
pub(super) const TEXT_MAX: usize = 400;

/// Endings of file names that no one delegates: `net.exe` is a program, not a name.
const FILE_ENDINGS: [&str; 12] = ["exe", "dll", "ps1", "bat", "vbs", "js", "doc", "docx", "pdf", "xlsm", "hta", "aspx"];

/// One line without control characters and bidirectional overrides, cut to [`TEXT_MAX`]: a file cannot write to the
/// terminal of whoever looks at it.
pub(super) fn clean(text: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c));
    let cut: String = visible.take(TEXT_MAX).collect();
    cut.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes every name and URL in a sentence inert.
pub(super) fn inert(text: &str) -> String {
    text.split(' ').map(inert_word).collect::<Vec<_>>().join(" ")
}

fn inert_word(word: &str) -> String {
    if word.contains("://") {
        return defang(&word.replace("http", "hxxp")).to_string();
    }
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    if is_name(bare) { word.replace(bare, &defang(bare).to_string()) } else { word.to_owned() }
}

fn is_name(word: &str) -> bool {
    let ending = word.rsplit('.').next().unwrap_or_default();
    let is_tld = ending.len() >= 2 && ending.chars().all(char::is_lowercase) && !FILE_ENDINGS.contains(&ending);
    word.contains('.') && is_tld && DomainName::parse(word).is_ok()
}
