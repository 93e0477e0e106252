//! Exhibits for people: one page that prints, with nothing in it that runs, loads or can be clicked.
//!
//! What was captured is hostile by nature. Names and URLs are defanged, text is escaped by type, pictures are the octets
//! as captured within the page itself. A certificate is a draft for a named person to read and to sign; the program does
//! not declare anything.

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use model::evidence::ExhibitKind;

use super::inert::{inert, quoted};
use super::pack::{Entry, Manifest};

/// The largest picture that is put into a page; a larger one lies beside it.
const PICTURE_OCTETS_MAX: usize = 8 << 20;
const STYLE: &str = include_str!("page/style.css");

/// Which words a qualified person signs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// Federal Rules of Evidence 902(13) and 902(14), with 28 U.S.C. § 1746.
    Fre902,
    /// The same facts, without the law of any place.
    Statement,
}

/// `index.html`. `files` gives an exhibit's octets by its number.
pub fn exhibits(manifest: &Manifest, files: impl Fn(u32) -> Option<Vec<u8>>) -> String {
    let body = html! {
        h1 { "Exhibits of case " (manifest.case) }
        (head(manifest))
        (overview(manifest))
        @for entry in &manifest.exhibits {
            (exhibit(entry, files(entry.exhibit.number).as_deref()))
        }
        footer { "SHA-256 values say: unchanged since it was kept. They do not say that what was captured is authentic." }
    };
    document(&format!("Exhibits of case {}", manifest.case), &body)
}

fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    page.into_string()
}

fn head(manifest: &Manifest) -> Markup {
    html! {
        @if manifest.exercise { p.mark { "EXERCISE: no real case, no real evidence." } }
        @if let Some(until) = manifest.sealed_until { p.mark { "UNDER SEAL until " (until) "." } }
        p { (inert(&manifest.title)) }
        p { "Made " (manifest.made) " by " (manifest.program) ", from " (manifest.exhibits.len()) " exhibits." }
    }
}

fn overview(manifest: &Manifest) -> Markup {
    html! {
        table {
            thead { tr { th { "No." } th { "What" } th { "About" } th { "Captured (UTC)" } th { "SHA-256" } } }
            tbody {
                @for Entry { exhibit, .. } in &manifest.exhibits {
                    tr {
                        td { (exhibit.number) }
                        td { (exhibit.kind.as_str()) @if exhibit.failed { " (failed)" } }
                        td { (exhibit.name.as_ref().map(|name| name.defanged().to_string()).unwrap_or_default()) }
                        td { (exhibit.captured) }
                        td.hash { (exhibit.file) }
                    }
                }
            }
        }
    }
}

fn exhibit(entry: &Entry, octets: Option<&[u8]>) -> Markup {
    let number = entry.exhibit.number;
    html! {
        section {
            h2 { "Exhibit " (number) ": " (entry.exhibit.kind.as_str()) @if entry.exhibit.failed { ", an attempt that failed" } }
            dl { @for (label, value) in fields(entry) { dt { (label) } dd { (value) } } }
            @match octets {
                Some(octets) => (shown(entry, octets)),
                None => p.mark { "The file is not here." },
            }
        }
    }
}

fn fields(entry: &Entry) -> Vec<(&'static str, String)> {
    let exhibit = &entry.exhibit;
    let mut fields = vec![("SHA-256", exhibit.file.to_string()), ("Octets", exhibit.octets.to_string())];
    let mut field = |label, value: Option<String>| fields.extend(value.map(|value| (label, value)));
    field("File", Some(entry.path.clone()));
    field("About", exhibit.name.as_ref().map(|name| name.defanged().to_string()));
    field("Looked at", exhibit.source.as_deref().map(inert));
    field("Captured", Some(format!("{}, as stated by whoever kept it", exhibit.captured)));
    field("Kept", Some(format!("{} by {} (fact {})", entry.added, entry.kept_by(), entry.fact)));
    field("Tool", exhibit.tool.as_ref().map(|tool| inert(&format!("{} {}", tool.name, tool.version))));
    field("Mark abused", exhibit.mark.as_deref().map(inert));
    field("Note", exhibit.note.as_deref().map(inert));
    field("Time-stamp", entry.stamp.as_ref().map(stated));
    fields
}

fn stated(stamp: &super::pack::StampEntry) -> String {
    let (at, authority, path) = (stamp.at, inert(&stamp.authority), &stamp.path);
    format!("the token states {at}; its signature was not checked here ({authority}; {path})")
}

/// A picture as it is, text as a quotation, anything else by name.
fn shown(entry: &Entry, octets: &[u8]) -> Markup {
    let is_png = entry.exhibit.kind == ExhibitKind::Screenshot && octets.starts_with(b"\x89PNG\r\n\x1a\n");
    if is_png && octets.len() <= PICTURE_OCTETS_MAX {
        let data = base64::engine::general_purpose::STANDARD.encode(octets);
        return html! { img alt=(format!("Exhibit {}", entry.exhibit.number)) src=(format!("data:image/png;base64,{data}")); };
    }
    match quoted(octets) {
        Some(text) => {
            html! { p.note { "Quoted and made inert; the file itself is as it was captured." } pre { (text) } }
        }
        None => html! { p.note { "No text: see the file." } },
    }
}

//----------- Certificates -----------------------------------------------------------------------------------------

/// `certificate.html`: what a qualified person may sign, once they have checked it.
pub fn certificate(manifest: &Manifest, person: &str, form: Form) -> String {
    let title = match form {
        Form::Fre902 => "Certification of electronic records under Fed. R. Evid. 902(13) and 902(14)",
        Form::Statement => "Statement on electronic records",
    };
    let body = html! {
        p.mark { "DRAFT, unsigned. It is for the person named to verify each sentence, and for counsel to approve." }
        (head(manifest))
        h1 { (title) }
        ol { @for sentence in sentences(manifest, person, form) { li { (sentence) } } }
        (overview(manifest))
        div.sign {
            @match form {
                Form::Fre902 => p { "I declare under penalty of perjury under the laws of the United States of America that the foregoing is true and correct (28 U.S.C. § 1746)." },
                Form::Statement => p { "I have read this statement, and it is true to the best of my knowledge." },
            }
            p.line { "Place, date" }
            p.line { "Signature of " (inert(person)) }
        }
    };
    document(title, &body)
}

fn sentences(manifest: &Manifest, person: &str, form: Form) -> Vec<String> {
    let person = inert(person);
    let law = |text: &str| if form == Form::Fre902 { format!(" {text}") } else { String::new() };
    let mut sentences = vec![
        format!("I, {person}, am [position] at [organisation], and I am qualified to make this certification by [training and experience with the systems described here]."),
        format!("The records listed below, {} in number, belong to case {}. Each was kept by the system bailiwick on receipt, together with the time, the person who kept it, and, as stated by whoever kept it, the time of capture, and the tool and its version where a tool made it.", manifest.exhibits.len(), manifest.case),
        format!("Records that name a tool were generated by that electronic process. I have examined the process and [state how]; it produces an accurate result.{}", law("(Fed. R. Evid. 902(13))")),
        format!("On receipt the system computed the SHA-256 value of each record, a process of digital identification by which two different records do not have the same value in practice. I have computed the values of the copies that go with this certification again, on [date], and they are those listed below.{}", law("(Fed. R. Evid. 902(14))")),
        "That a value is the same shows that the record is unchanged since it was kept. It does not show that what was captured was what it appeared to be.".to_owned(),
        "Times are those of the clock of the machine that captured or kept the record, as stated by whoever kept it. Where an exhibit has a time-stamp, its time is what the token states; the system did not check the token's signature.".to_owned(),
    ];
    if form == Form::Fre902 {
        sentences.push("The records were made at or near the time by, or from information transmitted by, the system in the course of a regularly conducted activity, and making them was a regular practice of that activity (Fed. R. Evid. 902(11), 803(6)(A)-(C)).".to_owned());
    }
    sentences
}

/// A letter's text as a page that prints.
pub(crate) fn letter(title: &str, text: &str) -> String {
    document(title, &html! { pre.letter { (text) } })
}
