//! An innocent name back at three in the morning, by one person: what is written, what is told, what remains.

use model::execution::{Compilation, Dispatch};
use model::fact::Body;
use model::id::OrderId;
use model::marking::Audience;
use model::returning::PlanStep;
use model::seizure::{Seizure, ServiceMode};

use super::*;
use crate::custody::tests::served;
use crate::decide::book::{Book, as_person, case, now, someone};
use crate::{Command, Done};

const NAME: &str = "login-harbour.example";
const HELD: &str = "held-harbour.example";
const REASON: &str = "its owner called; the shop was never the group's";

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn night() -> Timestamp {
    "2026-03-21T03:00:00Z".parse().unwrap()
}

fn hand_back(book: &mut Book, disarm: bool) -> Result<Done, Refusal> {
    let (mode, reason) = (ServiceMode::Handback, REASON.to_owned());
    let command = Command::NarrowService { case: case("c-1"), names: vec![name(NAME)], mode, reason, disarm };
    book.execute_at(&command, &as_person("ada"), night())
}

/// We sponsor one of the names, and know how it stood before.
const TABLE: &str = r#"
[[actor]]
id = "us"
for = ["login-harbour.example"]
registrar = "Us"
contact = "noc@harbour.example"
sponsors = true
[[actor]]
id = "registry-example"
for = ["example"]
registry = "Example Registry"
[[registered]]
name = "login-harbour.example"
statuses = ["clientTransferProhibited"]
name_servers = ["ns1.owner.example", "ns2.owner.example"]
"#;

fn written(book: &Book, names: &[&str], now: Timestamp) -> Papers {
    let (known, table) = (&book.view.cases[&case("c-1")], Actors::parse(TABLE).unwrap());
    let names: Vec<DomainName> = names.iter().map(|text| name(text)).collect();
    papers(&Wish { case: known, table: &table, names: &names, reason: REASON, returned_days: Some(30), now }).unwrap()
}

fn on_file(book: &mut Book, names: &[&str]) -> Result<Papers, Refusal> {
    let papers = written(book, names, night());
    let Papers { made, files } = papers.clone();
    let command = Command::RecordReturn { case: case("c-1"), returned: Box::new(made), files };
    book.execute_at(&command, &as_person("ada"), night()).map(|_| papers)
}

fn stages(book: &Book, of: &str) -> Vec<(String, bool)> {
    let progress = progress(&book.view, &book.view.cases[&case("c-1")], &name(of), Some(30));
    progress.stages.into_iter().map(|stage| (stage.stage, stage.done)).collect()
}

fn text_of(papers: &Papers, starts: &str) -> String {
    let texts = papers.files.iter().map(|file| String::from_utf8(file.clone()).unwrap());
    texts.into_iter().find(|text| text.starts_with(starts)).unwrap_or_else(|| panic!("no file begins with {starts}"))
}

#[test]
fn one_person_gives_a_name_back_at_three_in_the_morning_and_what_remains_is_told() {
    let mut book = served();
    assert_eq!(stages(&book, NAME), [], "it has not gone back");
    hand_back(&mut book, false).unwrap();
    let known = &book.view.cases[&case("c-1")];
    assert_eq!(known.names.get(&name(NAME)).unwrap().mode, Some(ServiceMode::Handback));
    assert_eq!(known.names.get(&name(NAME)).unwrap().seizure, Seizure::Returned);
    assert!(stages(&book, NAME).contains(&("papers".to_owned(), false)), "whoever is broken off says it again");
    let papers = on_file(&mut book, &[NAME]).unwrap();
    assert_eq!(
        stages(&book, NAME),
        [
            ("handback", true),
            ("papers", true),
            ("confirmed", false),
            ("plan-sent", false),
            ("plan-answered", false),
            ("feeds", true),
            ("delegation", false),
            ("purged", false),
        ]
        .map(|(stage, done)| (stage.to_owned(), done))
    );
    let again = on_file(&mut book, &[NAME]).unwrap_err();
    assert!(again.what.contains("is back already, since 2026-03-21T03:00:00Z"), "{again}");
    let confirm = Command::ConfirmNarrowing { case: case("c-1"), narrowing: None, note: None };
    assert!(book.execute(&confirm, &as_person("ada")).is_err(), "nobody confirms their own");
    book.execute(&confirm, &as_person("bea")).unwrap();
    assert!(stages(&book, NAME).contains(&("confirmed".to_owned(), true)));
    assert_eq!(papers.made.plans.iter().map(|plan| plan.actor.as_str()).collect::<Vec<_>>(), ["us"]);
}

#[test]
fn the_letter_says_what_was_done_and_names_neither_group_nor_case() {
    let mut book = served();
    hand_back(&mut book, false).unwrap();
    let papers = on_file(&mut book, &[NAME]).unwrap();
    let letter = text_of(&papers, "From: desk@harbour.example");
    for said in [
        "login-harbour.example is yours again",
        "handed back at 2026-03-21T03:00:00Z",
        "civil-tro of A court, issued 2026-03-15",
        REASON,
        "nothing but SOA and NS",
        "erased on 2026-04-21",
        "From 2026-03-21T03:00:00Z (UTC) on nothing is recorded",
    ] {
        let plain = letter.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(said), "{said} is not in\n{letter}");
    }
    assert!(letter.lines().all(|line| line.chars().count() <= 120), "{letter}");
    assert!(!letter.contains("Harbour Crew") && !letter.contains("c-1"), "{letter}");
}

#[test]
fn under_seal_a_letter_names_no_court_and_no_docket_even_if_the_reason_does() {
    let sealed = crate::decide::book::text("c-1", "civil-tro").replace(
        "issued = ",
        "docket_number = { value = \"1:26-cv-7\", source = \"the paper\" }\nsealed_until = { value = 2027-01-01, source = \"the paper\" }\nissued = ",
    );
    let called = "name = \"Harbour Crew\"\naliases = [{ name = \"APT 99\", source = \"a report\" }]\n";
    let sealed = sealed.replace("name = \"Harbour Crew\"\n", called);
    let mut book = Book::default();
    book.execute(&crate::decide::book::import(&sealed), &someone()).unwrap();
    let known = &book.view.cases[&case("c-1")];
    assert!(known.is_sealed(night()));
    let table = Actors::parse(TABLE).unwrap();
    for (reason, is_told) in [
        (REASON, true),
        ("A Court took it by 1:26-cv-7", false),
        ("see o-c-1", false),
        ("the list of apt-99 was wrong", false),
        ("not harbour-crew's", false),
        ("our flat, apt. 990, had the same name", true),
    ] {
        let names = [name(NAME)];
        let wish = Wish { case: known, table: &table, names: &names, reason, returned_days: None, now: night() };
        let papers = papers(&wish).unwrap();
        let all = papers.files.iter().map(|file| String::from_utf8_lossy(file).into_owned()).collect::<String>();
        let all = all.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(all.contains(reason), is_told, "{all}");
        for secret in ["1:26-cv-7", "A court", "A Court", "o-c-1", "Harbour Crew"] {
            assert!(!all.contains(secret), "{secret} stands in\n{all}");
        }
    }
}

#[test]
fn a_plan_is_the_reverse_of_what_was_ordered_and_in_epp_where_we_sponsor() {
    let mut book = served();
    let (manifest, actors) = (Digest([1; 32]), Digest([2; 32]));
    let appendix = Compilation { manifest, actors, names: 3, files: 5, octets: 9, open: 0 };
    book.execute(&Command::RecordAppendix { case: case("c-1"), appendix }, &someone()).unwrap();
    let (order, sent) = (OrderId::parse("o-c-1").unwrap(), now());
    let dispatch = Dispatch { order, actor: "us".into(), sent, due: None, manifest, names: 1 };
    let dispatch = Command::Dispatch { case: case("c-1"), dispatch, names: vec![name(NAME)] };
    book.execute(&dispatch, &as_person("ada")).unwrap();
    hand_back(&mut book, false).unwrap();
    let papers = on_file(&mut book, &[NAME, HELD]).unwrap();
    let vault = |digest: &Digest| papers.files.iter().find(|file| Digest::of_bytes(file) == *digest).cloned();
    let folder = folder(&papers.made, &[name(NAME)], vault);
    let paths: Vec<&str> = folder.iter().map(|paper| paper.path.as_str()).collect();
    assert_eq!(
        paths,
        ["letters/login-harbour.example.txt", "us/plan.txt", "us/plan.json", "us/epp/example-reverse.jsonl"]
    );
    let text = |at: usize| String::from_utf8(folder[at].octets.clone()).unwrap();
    assert!(text(1).contains("you were asked for it at 2026-03-20T12:00:00Z"), "{}", text(1));
    assert!(text(1).contains("delegates to ns1.owner.example, ns2.owner.example again"), "{}", text(1));
    let epp = text(3);
    assert!(epp.contains("<domain:add><domain:ns><domain:hostObj>ns1.owner.example"), "{epp}");
    assert!(epp.find("clientUpdateProhibited").unwrap() < epp.find("ns1.owner.example").unwrap(), "{epp}");
    // The registry was never asked, and is told so; it has no login of ours, so that there is no command.
    let all = super::folder(&papers.made, &[name(HELD)], vault);
    let registry = String::from_utf8(all[1].octets.clone()).unwrap();
    assert!(all.len() == 3 && registry.contains("not on record that you were asked"), "{registry}");
}

#[test]
fn a_plan_is_sent_before_it_is_answered_and_both_once() {
    let mut book = served();
    hand_back(&mut book, false).unwrap();
    on_file(&mut book, &[NAME]).unwrap();
    let (returned, _) = book.view.cases[&case("c-1")].returning.of(&name(NAME)).unwrap();
    let step = |at: &str, said: Option<&str>| {
        let (at, said) = (at.parse().unwrap(), said.map(str::to_owned));
        let step = PlanStep { returned, actor: "us".into(), at, said };
        Command::StepReversePlan { case: case("c-1"), step }
    };
    let later = "2026-03-22T00:00:00Z".parse().unwrap();
    let mut say = |command: &Command| book.execute_at(command, &as_person("bea"), later);
    assert!(say(&step("2026-03-21T05:00:00Z", Some("done"))).unwrap_err().what.contains("was not sent"));
    assert!(say(&step("2026-03-21T02:00:00Z", None)).is_err(), "before the return");
    assert!(say(&step("2026-03-23T02:00:00Z", None)).is_err(), "not yet");
    say(&step("2026-03-21T04:00:00Z", None)).unwrap();
    assert!(say(&step("2026-03-21T04:30:00Z", None)).is_err(), "once");
    assert!(say(&step("2026-03-21T03:30:00Z", Some("done"))).is_err(), "before it was sent");
    say(&step("2026-03-21T05:00:00Z", Some("ticket 7"))).unwrap();
    let stages = stages(&book, NAME);
    assert!(stages.contains(&("plan-sent".to_owned(), true)) && stages.contains(&("plan-answered".to_owned(), true)));
}

/// A hold has no service to narrow; a second person looks at its return all the same.
#[test]
fn a_name_that_was_only_held_goes_back_too() {
    let mut book = served();
    on_file(&mut book, &[HELD]).unwrap();
    let known = &book.view.cases[&case("c-1")];
    assert_eq!(known.names.get(&name(HELD)).unwrap().seizure, Seizure::Returned);
    assert_eq!(crate::due::unconfirmed(known).count(), 1);
    let stages = stages(&book, HELD);
    assert!(!stages.iter().any(|(stage, _)| stage == "delegation"), "nobody delegated it to us: {stages:?}");
    let why = on_file(&mut book, &[NAME]).unwrap_err();
    assert!(why.what.contains("is served still"), "{why}");
}

#[test]
fn what_left_the_house_is_remembered_and_a_hold_stops_the_purge() {
    let mut book = served();
    let order = Some(OrderId::parse("o-c-1").unwrap());
    let (digest, audience, octets) = (Digest([3; 32]), Audience::Partners, 7);
    let export = Command::RecordExport { case: case("c-1"), order, format: "rpz".into(), audience, digest, octets };
    book.execute(&export, &someone()).unwrap();
    hand_back(&mut book, false).unwrap();
    let papers = on_file(&mut book, &[NAME]).unwrap();
    assert_eq!(papers.made.feeds, ["rpz for partners"]);
    let hold = Command::PlaceHold { case: case("c-1"), reason: "letter of counsel".into() };
    book.execute(&hold, &as_person("bea")).unwrap();
    let progress = progress(&book.view, &book.view.cases[&case("c-1")], &name(NAME), Some(30));
    let purged = progress.stages.iter().find(|stage| stage.stage == "purged").unwrap();
    assert!(purged.what.contains("letter of counsel") && purged.left.as_ref().unwrap().contains("two people"));
    let due = crate::retention::plan(&book.view, &model::marking::Retention::default(), night()).due;
    assert!(due.iter().all(|due| due.case.is_none()), "a hold stops everything of the case: {due:?}");
}

#[test]
fn the_purge_falls_due_on_the_day_that_is_told() {
    let mut book = served();
    hand_back(&mut book, false).unwrap();
    let defaults = model::marking::Retention { returned_days: Some(30), ..Default::default() };
    let day = purge_day(30, night()).unwrap();
    let of_name = |at: &str| {
        let due = crate::retention::plan(&book.view, &defaults, at.parse().unwrap()).due;
        due.iter().any(|due| due.apex == Some(name(NAME)))
    };
    assert_eq!(day.to_string(), "2026-04-21");
    assert!(!of_name("2026-04-20T23:59:59Z") && of_name("2026-04-21T00:00:01Z"));
}

#[test]
fn a_name_that_is_put_off_is_back_since_it_was_handed_back() {
    let mut book = served();
    hand_back(&mut book, false).unwrap();
    let first = book.view.cases[&case("c-1")].returned[&name(NAME)];
    let off = Body::ServiceNarrowed {
        case: case("c-1"),
        names: vec![name(NAME)],
        mode: ServiceMode::Off,
        reason: "the registry has undone it".into(),
    };
    book.append(off, &as_person("ada")).unwrap();
    assert_eq!(book.view.cases[&case("c-1")].returned[&name(NAME)], first, "not since it is off");
}
