use super::*;

#[test]
fn a_story_is_read_step_by_step() {
    let story = parse("# A title\n\ngiven  a.test is seized\nwhen   127.0.7.1 asks MX a.test\nthen   the answer is NOERROR\nand    the answer holds MX 0 .\n").unwrap();
    assert_eq!(story.title, "A title");
    let lines: Vec<usize> = story.steps.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6]);
    assert_eq!(story.steps[3].1, Step::Then(Then::Holds { rtype: "MX".into(), rdata: "0 .".into() }));
}

#[test]
fn whatever_is_not_understood_is_a_fault_with_its_line() {
    for (text, line) in [
        ("given a.test is seized", 1),
        ("# T\ngiven a.test is stolen\nthen the answer is NOERROR", 2),
        ("# T\nand a.test is seized", 2),
        ("# T\nthen the page says \"half", 2),
        ("# T\nwhen 300.0.0.1 asks A a.test\nthen the answer is NOERROR", 2),
        ("# T\ngiven a.test is seized", 1),
        ("# T\nwhen 127.0.0.1 sends the octets 0g\nthen there is no answer", 2),
    ] {
        assert_eq!(parse(text).unwrap_err().line, line, "{text}");
    }
}

#[test]
fn quotes_hold_a_word_together() {
    assert_eq!(
        words(r#"127.0.0.1 says "GET / \"x\"\r\n" now"#).unwrap(),
        ["127.0.0.1", "says", "GET / \"x\"\r\n", "now"]
    );
    assert_eq!(words("\"open"), None);
}

#[test]
fn what_an_owner_had_and_how_long_an_authority_lasts_is_given() {
    let story = parse("# T\ngiven a.test had \"www A 192.0.2.1\"\nand a.test is a kill switch\nand the authority ends after 20 seconds\nand the case answers with 127.0.0.9\nwhen the authority has ended\nthen the answer is NOERROR").unwrap();
    let steps: Vec<Step> = story.steps.into_iter().map(|(_, step)| step).collect();
    assert_eq!(steps[0], Step::Given(Given::Had { name: "a.test".into(), record: "www A 192.0.2.1".into() }));
    assert_eq!(steps[1], Step::Given(Given::KillSwitch("a.test".into())));
    assert_eq!(steps[2], Step::Given(Given::Ends { secs: 20 }));
    assert_eq!(steps[3], Step::Given(Given::AnswersWith([127, 0, 0, 9].into())));
    assert_eq!(steps[4], Step::When(When::AuthorityEnded));
}

#[test]
fn a_visit_may_end_in_any_order() {
    let story = parse("# T\nwhen 127.0.7.1 opens /a at b.test as \"M 5\" over TLS following \"http://c.test/\"\nthen the status is 200").unwrap();
    let Step::When(When::Opens(visit)) = &story.steps[0].1 else { panic!("a visit") };
    assert!(visit.over_tls);
    assert_eq!((visit.agent.as_deref(), visit.referer.as_deref()), (Some("M 5"), Some("http://c.test/")));
}
