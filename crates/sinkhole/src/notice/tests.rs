//! Both faces in every language, as a person has read them, and what no page may ever have in it.

use std::fmt::Write;

use model::case::{NoticeStatus, NoticeTerms};
use model::order::Instrument;
use proptest::prelude::*;

use super::*;
use crate::rehearsal::noticed;

const APEX: &str = "outlook-verify.test";
const SEAL_ENDS: &str = "2026-06-01";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A court's order, under seal until June.
fn court() -> Zone {
    let notice = NoticeTerms {
        status: NoticeStatus::Ok,
        holder: Some("Harbour Takedown Desk".into()),
        sealed_contact: Some("abuse@post.example".into()),
    };
    noticed(APEX, notice, Instrument::CivilTro, Some(day(SEAL_ENDS)))
}

fn sealed(zone: &Zone, language: Language) -> Page {
    Notices::default().answer(zone, language.tag().as_bytes(), day("2026-05-31"))
}

fn open(zone: &Zone, language: Language) -> Page {
    Notices::default().answer(zone, language.tag().as_bytes(), day(SEAL_ENDS))
}

/// Fields and body as they are sent, the style left out.
fn sent(page: &Page) -> String {
    let mut text = format!("{}\n", page.status);
    for (name, value) in page.fields() {
        writeln!(text, "{name}: {value}").unwrap();
    }
    text + "\n" + &page.body.text().replace(page::STYLE, "…")
}

//----------- What is read -----------------------------------------------------------------------------------------

#[test]
fn every_language_says_everything_on_both_faces() {
    for language in Language::ALL {
        for (face, page) in [("open", open(&court(), language)), ("sealed", sealed(&court(), language))] {
            let broken = sent(&page).replace("><", ">\n<");
            insta::assert_snapshot!(format!("{}_{face}", language.tag()), broken);
        }
    }
}

#[test]
fn an_exercise_is_marked_on_both_faces() {
    let exercise = noticed(APEX, NoticeTerms::default(), Instrument::Exercise, Some(day(SEAL_ENDS)));
    for language in Language::ALL {
        for page in [open(&exercise, language), sealed(&exercise, language)] {
            assert!(page.body.text().contains("EXERCISE") && page.body.text().contains(language.words().exercise));
        }
        assert!(!open(&court(), language).body.text().contains("EXERCISE"));
    }
}

#[test]
fn each_language_is_written_its_own_way_round() {
    for language in Language::ALL {
        let page = open(&court(), language);
        let (tag, dir) = (language.tag(), language.direction());
        assert!(page.body.text().contains(&format!("<html lang=\"{tag}\" dir=\"{dir}\">")));
        assert!(page.body.text().contains("<p class=\"name\"><bdi dir=\"ltr\">outlook-verify[.]test</bdi></p>"));
        assert!(page.body.text().contains("<bdi>1:26-cv-00042</bdi>"));
        for other in Language::ALL.into_iter().filter(|other| *other != language) {
            let line = format!("<p lang=\"{}\" dir=\"{}\">", other.tag(), other.direction());
            assert_eq!(page.body.text().matches(&line).count(), 1, "{line}");
        }
    }
    let rtl = Language::ALL.into_iter().filter(|language| language.direction() == "rtl");
    assert_eq!(rtl.map(Language::tag).collect::<Vec<_>>(), ["ar", "fa", "he"]);
}

#[test]
fn headings_are_in_order_and_there_is_one_main() {
    for page in [open(&court(), Language::De), sealed(&court(), Language::Fa)] {
        let count = |tag: &str| page.body.text().matches(tag).count();
        assert_eq!([count("<h1>"), count("<main>"), count("<h3>"), count("<title>")], [1, 1, 0, 1]);
        assert!(count("<h2>") >= 3 && page.body.text().find("<h1>") < page.body.text().find("<h2>"));
    }
}

/// WCAG 2.2: contrast is (lighter + 0.05) / (darker + 0.05) of relative luminances.
#[test]
fn every_colour_can_be_read_on_its_paper() {
    let luminance = |hex: &str| -> f64 {
        let part = |at: usize| {
            let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(0) + 0.7152 * part(2) + 0.0722 * part(4)
    };
    let schemes: Vec<_> = page::STYLE.split("--paper:#").skip(1).collect();
    assert_eq!(schemes.len(), 3, "light, dark, print");
    for scheme in schemes {
        let colour = |name: &str| luminance(&scheme[scheme.find(name).unwrap() + name.len()..][..6]);
        let paper = luminance(&scheme[..6]);
        for ink in ["--ink:#", "--dim:#", "--mark:#"] {
            let (one, two) = (paper.max(colour(ink)), paper.min(colour(ink)));
            assert!((one + 0.05) / (two + 0.05) >= 4.5, "{ink} of {}", &scheme[..6]);
        }
    }
    for physical in ["left", "right", "-top", "-bottom"] {
        assert!(!page::STYLE.contains(physical), "{physical}");
    }
}

//----------- What is never there ----------------------------------------------------------------------------------

#[test]
fn no_page_fetches_or_runs_anything() {
    let faces = Language::ALL.into_iter().flat_map(|language| [open(&court(), language), sealed(&court(), language)]);
    for page in faces.chain([stranger()]) {
        for forbidden in ["<script", "<a ", "<form", "<img", "<link", "src=", "href=", "url(", "@import", "http"] {
            assert!(!page.body.text().contains(forbidden), "{forbidden}");
        }
        let text = page.body.text();
        let mut in_tags = text.split('<').filter_map(|tag| tag.split('>').next());
        assert!(!in_tags.any(|tag| tag.contains(" on") || tag.contains(" style=")));
    }
}

#[test]
fn a_sealed_page_has_no_word_of_the_case() {
    for language in Language::ALL {
        let text = sent(&sealed(&court(), language)).to_lowercase();
        for word in
            ["harbour", "district", "court", "00042", "v. does", "bailiwick", "sinkhole", "<dl>", "seal", "seiz"]
        {
            assert!(!text.contains(word), "{word} in {text}");
        }
        let words = language.words();
        for sentence in [words.taken, words.deceived, words.purpose, words.holder_heading, words.authority] {
            assert!(!text.contains(&format!(">{}", sentence.to_lowercase())), "{sentence}");
        }
        assert!(text.contains("abuse@post.example") && !text.contains(words.registrar));
        let silent = noticed(APEX, NoticeTerms::default(), Instrument::CivilTro, Some(day(SEAL_ENDS)));
        let page = sealed(&silent, language);
        assert!(page.body.text().contains(words.registrar) && !sent(&page).contains('@'));
    }
}

/// The patterns are those by which Maltrail knows a sinkhole: `^X-Sinkhole:` and `\bSinkholed? by `, in the first 2,000
/// characters of an answer.
#[test]
fn others_know_an_open_page_for_a_sinkhole_and_a_sealed_one_for_nothing() {
    let knows = |page: &Page| {
        let text = sent(page).to_lowercase();
        let first: String = text.chars().take(2000).collect();
        [first.lines().any(|line| line.starts_with("x-sinkhole:")), first.contains("\"sinkholed by ")]
    };
    for language in Language::ALL {
        assert_eq!(knows(&open(&court(), language)), [true; 2]);
        assert_eq!(knows(&sealed(&court(), language)), [false; 2]);
    }
    assert_eq!(knows(&stranger()), [false; 2]);
}

#[test]
fn what_a_case_says_is_escaped_and_stays_in_its_field() {
    let page = open(&court(), Language::En);
    assert!(
        page.body.text().contains("District Court of &lt;Harbour&gt;")
            && page.body.text().contains("Harbour &amp; Sons v. Does")
    );
    for (holder, field) in [
        (None, "bailiwick"),
        (Some("Harbour Desk"), "Harbour Desk"),
        (Some("Hafen\r\nSet-Cookie: a=b"), "Hafen??Set-Cookie: a=b"),
        (Some("Čučoriedka"), "?u?oriedka"),
        (Some("میزبان"), "bailiwick"),
    ] {
        assert_eq!(mark(holder), field);
    }
    assert_eq!(mark(Some(&"a".repeat(999))).len(), MARK_OCTETS_MAX);
    let forger = NoticeTerms { holder: Some("<!--name-->".into()), ..NoticeTerms::default() };
    let page = open(&noticed(APEX, forger, Instrument::CivilTro, None), Language::En);
    assert_eq!(page.body.text().matches("outlook-verify[.]test").count(), 1);
}

//----------- What is kept ready -----------------------------------------------------------------------------------

#[test]
fn names_of_one_order_share_a_page_and_the_seal_goes_by_the_day() {
    let notices = Notices::default();
    let other = noticed("mail-verify.test", court().notice().clone(), Instrument::CivilTro, Some(day(SEAL_ENDS)));
    let first = notices.answer(&court(), b"de", day(SEAL_ENDS));
    let second = notices.answer(&other, b"de", day(SEAL_ENDS));
    assert_eq!(notices.kept.load().len(), 1);
    assert_eq!(second.body.text(), first.body.text().replace("outlook-verify[.]test", "mail-verify[.]test"));
    assert_eq!(notices.answer(&court(), b"de", day("2026-05-31")), sealed(&court(), Language::De));
    assert_eq!(notices.answer(&court(), b"de", day(SEAL_ENDS)), first);
}

#[test]
fn what_a_case_says_anew_is_said_at_once_and_what_is_kept_has_an_end() {
    let notices = Notices::default();
    for number in 0..=2 * KEPT_MAX {
        let notice = NoticeTerms { holder: Some(format!("Desk {number}")), ..NoticeTerms::default() };
        let page = notices.answer(&noticed(APEX, notice, Instrument::CivilTro, None), b"", day(SEAL_ENDS));
        assert!(page.body.text().contains(&format!("<bdi>Desk {number}</bdi>")));
        assert!(notices.kept.load().len() <= KEPT_MAX);
    }
}

#[test]
fn a_real_order_and_an_exercise_never_share_a_page() {
    let notices = Notices::default();
    let real = noticed(APEX, NoticeTerms::default(), Instrument::CivilTro, None);
    let exercise = noticed(APEX, NoticeTerms::default(), Instrument::Exercise, None);
    for (zone, is_marked) in [(&real, false), (&exercise, true), (&real, false)] {
        assert_eq!(notices.answer(zone, b"", day(SEAL_ENDS)).body.text().contains("EXERCISE"), is_marked);
    }
}

#[test]
fn the_policy_allows_our_style_and_nothing_else() {
    assert_eq!(base64(b"f"), "Zg==");
    assert_eq!(base64(b"foobar"), "Zm9vYmFy");
    assert!(policy().starts_with("default-src 'none'; style-src 'sha256-"));
}

//----------- Accept-Language --------------------------------------------------------------------------------------

#[test]
fn the_language_is_the_one_that_is_asked_for() {
    for (asked, tag) in [
        ("", "en"),
        ("de", "de"),
        ("DE", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fa-IR", "fa"),
        ("prs-AF, ps;q=0.9", "fa"),
        ("iw", "he"),
        ("ar-EG , fr ; q=0.5", "ar"),
        ("zh-CN, zh;q=0.9, es;q=0.2, en;q=0.1", "es"),
        ("fr;q=0.5, he;q=0.8", "he"),
        ("fr;q=0.8, he;q=0.8", "fr"),
        ("he;Q=1.000, fr", "he"),
        ("ru, *", "en"),
        ("ru, *;q=0.5, fr;q=0.4", "en"),
        ("*;q=0.1, fr;q=0.4", "fr"),
        ("en;q=0, *", "ar"),
        ("de;q=0", "en"),
        ("*;q=0", "en"),
        (",, ,es,", "es"),
        ("zh-Hant-TW", "en"),
        ("den", "en"),
        // Malformed: English, whatever else stands there.
        ("de, fr;q=2", "en"),
        ("de;q=0.1234", "en"),
        ("de;q=1.001", "en"),
        ("de;q=", "en"),
        ("de;level=1", "en"),
        ("de;q=1;q=1", "en"),
        ("de fr", "en"),
        ("de_AT", "en"),
        ("de-", "en"),
        ("abcdefghi, de", "en"),
        ("de\u{e9}", "en"),
    ] {
        assert_eq!(Language::choose(asked.as_bytes()).tag(), tag, "{asked}");
    }
}

#[test]
fn what_follows_the_last_range_that_is_read_changes_nothing() {
    let many = "xx,".repeat(language::RANGES_MAX - 1);
    assert_eq!(Language::choose(format!("{many}de,fr").as_bytes()), Language::De);
    assert_eq!(Language::choose(format!("{many}xx,de").as_bytes()), Language::En);
    assert_eq!(Language::choose(",".repeat(100_000).as_bytes()), Language::En);
}

proptest! {
    #[test]
    fn any_octets_choose_a_language(value in prop::collection::vec(any::<u8>(), 0..300)) {
        Language::choose(&value);
    }

    #[test]
    fn the_heaviest_of_ours_is_chosen(weights in prop::collection::vec(1u16..=1000, Language::ALL.len())) {
        let ranges = Language::ALL.iter().zip(&weights).map(|(language, weight)| {
            format!("{}-ZZ;q={}.{:03}", language.tag(), weight / 1000, weight % 1000)
        });
        let chosen = Language::choose(ranges.collect::<Vec<_>>().join(" ,\t").as_bytes());
        prop_assert_eq!(weights[chosen as usize], *weights.iter().max().unwrap());
    }
}
