use proptest::prelude::*;

use super::*;
use crate::casefile::tests::GOOD;
use crate::casefile::{parse_as_tree, parse_lifted};

#[test]
fn plain_lists_are_lifted_and_others_are_not() {
    let lifted = |list: &str| {
        let text = format!("a = 1\n names = [{list}]\nb = 2\n");
        let (lists, rest) = Lists::lift(&text);
        assert_eq!(rest == text, lists.texts.is_empty());
        let texts = lists.opened_at(15)?;
        Some(format!("{:?}", texts.map(|(text, place)| (text, place.start)).collect::<Vec<_>>()))
    };
    assert_eq!(lifted("'a.test',\"b.test\"").unwrap(), r#"[("a.test", 16), ("b.test", 25)]"#);
    assert_eq!(lifted("\"b.test\" ,'a.test', # both\n\r\n").unwrap(), r#"[("a.test", 26), ("b.test", 16)]"#);
    for list in [
        "",
        ",",
        "1",
        "[]",
        "\"a.test",
        "\"a.test\" \"b.test\"",
        "\"a.test\",,",
        r#""a\u002etest""#,
        r#""""a.test""""#,
        "'''a.test'''",
    ] {
        assert_eq!(lifted(list), None, "{list}");
    }
}

#[test]
fn what_stands_within_a_text_is_no_list() {
    let text = "a = \"\"\"\nnames = ['a.test']\n\"\"\"\n# names = ['b.test']\n";
    let (lists, rest) = Lists::lift(text);
    assert!(lists.texts.is_empty());
    assert_eq!(rest, text);
}

/// A list as people write it, and now and then as they should not.
fn list() -> impl Strategy<Value = String> {
    let between =
        prop::sample::select(vec!["", " ", "\n", "\r\n", "\n  ", "\t", " # \"a note\", 'too'\n", "# \\ \r\n"]);
    let odd = vec![
        "\"B\u{fc}cher.example\"",
        r#""a\u002eexample""#,
        r#""""#,
        "''",
        r#""""a.example""""#,
        "'''a.example'''",
        r#""co.uk""#,
        r#""a_b.example""#,
        "'a\"b'",
        "\"a\tb\"",
        "\"open",
        "1",
        r#"["a.example"]"#,
        r#"{ names = ["a.example"] }"#,
        "{\nnames = ['a.example'] }",
        "names = [",
        "]",
        ",",
    ];
    let text = prop_oneof![
        8 => "[a-f]{1,2}-harbour".prop_map(|label| format!("\"{label}.example\"")),
        3 => "[a-f]{1,2}".prop_map(|label| format!("'{label}.example'")),
        1 => prop::sample::select(odd).prop_map(str::to_owned),
    ];
    let comma = prop_oneof![20 => Just(","), 1 => Just(""), 1 => Just(",,")];
    let item = (between.clone(), text, between, comma);
    let item = item.prop_map(|(before, text, after, comma)| format!("{before}{text}{after}{comma}"));
    prop::collection::vec(item, 0..12).prop_map(|items| items.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is wrong is said of the tree, so it only has to be seen.
    #[test]
    fn a_lifted_list_is_read_as_if_it_stood_in_the_tree(
        list in list(),
        before in prop::sample::select(vec!["", "x = \"\"\"\nnames = [ 'a' ]\"\"\"\n", "y = [\nnames = ['a']]\n", "names =\n"]),
    ) {
        let text = GOOD.replace("\n  \"login-harbour.example\",\n  \"mail-harbour.example\",\n", &list);
        let text = text.replacen("names = [", &format!("{before}names = ["), 1);
        prop_assert_eq!(parse_lifted(&text), parse_as_tree(&text).ok(), "{}", text);
    }

    #[test]
    fn a_spoiled_file_is_refused_either_way(
        at in 0..GOOD.len(),
        len in 0..40usize,
        put in "[\"'\\\\\\[\\],#{}=\na. ]{0,6}",
    ) {
        let text = format!("{}{put}{}", &GOOD[..at], &GOOD[(at + len).min(GOOD.len())..]);
        prop_assert_eq!(parse_lifted(&text), parse_as_tree(&text).ok(), "{}", text);
    }
}
