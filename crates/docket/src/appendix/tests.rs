//! From a case file and a table of actors to a folder: what each actor gets, and that forward and back are each other's.

use std::collections::BTreeMap;

use model::order::NameOutcome;
use proptest::prelude::*;

use super::actors::Actors;
use super::epp::{self, Labels};
use super::list::quoted;
use super::plan::{ordered, plan};
use super::run::{Compiled, Wish, compile, listed};
use super::state::{Ds, LOCKS, State, Status};
use super::{Difference, Part, Wanted};
use crate::casefile::{self, CaseFile};
use crate::decide::book::{now, text};

const ACTORS: &str = r#"
[instructions]
renewal = "the registrar renews until the order ends"
who_pays = "the requester"
whois = "unchanged"

[[actor]]
for = ["example"]
registrar = "=Us & <Sons>"
iana_id = 9999
contact = "epp@us.example"
channel = "our own login"
sponsors = true

[[registered]]
name = "login-harbour.example"
statuses = ["client update prohibited", "clientTransferProhibited"]
name_servers = ["ns1.login-harbour.example", "ns.old.example"]
ds = ["12345 13 2 49fd46e6c4b45c55d4ac69cbd3cd34ac1afe51de0000000000000000000000ff"]
"#;

fn file() -> CaseFile {
    casefile::parse(&text("harbour", "civil-tro")).unwrap()
}

fn parts(file: &CaseFile) -> Vec<Part<'_>> {
    file.orders
        .iter()
        .map(|order| Part {
            terms: &order.terms,
            names: order.names().iter().map(|(name, listed)| Wanted { name, listed: *listed }).collect(),
        })
        .collect()
}

fn compiled(actors: &str, into: &std::path::Path) -> (Compiled, CaseFile) {
    let file = file();
    let actors = Actors::parse(actors).unwrap().with_registries(&file.lists);
    let sealed = BTreeMap::from([(file.orders[0].terms.id.clone(), "2026-04-01".parse().unwrap())]);
    let key = store::log::SigningKey::from_seed(Some("log.example.org/a"), [7; 32]).unwrap();
    let sign = |text: &str| Some(key.sign(text));
    let parts = parts(&file);
    let wish = Wish {
        case: &file.terms,
        parts: &parts,
        differences: &[],
        sealed: &sealed,
        actors: &actors,
        into,
        made: now(),
        sign: &sign,
    };
    let done = compile(&wish).unwrap();
    let note = std::fs::read_to_string(into.join("manifest")).unwrap();
    let opened = key.verifying().open(&note).unwrap();
    check_manifest(opened, into);
    assert_eq!(listed(&note), listed(opened), "no line of the signature is a file");
    assert_eq!(listed(&note).len() as u64, done.files);
    (done, file)
}

/// Every line of the manifest is true of the file that it names, and no other file lies there.
fn check_manifest(manifest: &str, root: &std::path::Path) {
    let (lines, whole) = manifest.trim_end().rsplit_once('\n').unwrap();
    let lines = format!("{lines}\n");
    assert_eq!(whole, format!("whole {}", model::Digest::of_bytes(lines.as_bytes())));
    for line in lines.lines().skip(2) {
        let parts: Vec<&str> = line.split("  ").collect();
        let octets = std::fs::read(root.join(parts[2])).unwrap();
        assert_eq!(parts[0], model::Digest::of_bytes(&octets).to_string());
        assert_eq!(parts[1], octets.len().to_string());
    }
}

#[test]
fn an_actor_who_sponsors_gets_a_sheet_a_list_plans_and_commands() {
    let place = tempfile::tempdir().unwrap();
    let (done, _) = compiled(ACTORS, place.path());
    assert_eq!((done.names, done.actors.len(), done.signed), (3, 1, true));
    let folder = place.path().join(&done.actors[0].folder);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let sheet = read("sheet.html");
    assert!(sheet.contains("=Us &amp; &lt;Sons&gt;") && !sheet.contains("<Sons>"), "{sheet}");
    assert!(sheet.contains("UNDER SEAL until 2026-04-01") && !sheet.contains("EXERCISE"));
    assert!(!sheet.contains("<script") && !sheet.contains("http://") && !sheet.contains("src="));
    let csv = read("names.csv");
    assert!(csv.contains("\"'=Us & <Sons>\"") && csv.ends_with("\r\n") && csv.lines().count() == 4, "{csv}");
    let names: serde_json::Value = serde_json::from_str(&read("names.json")).unwrap();
    assert_eq!(names.as_array().unwrap().len(), 3);
    let plans: serde_json::Value = serde_json::from_str(&read("plans.json")).unwrap();
    assert_eq!(plans.as_array().unwrap().len(), 3, "one known state, two outcomes of which nothing is known");
    let forward = read("epp/example-forward.jsonl");
    let does: Vec<String> = forward
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["does"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        does,
        [
            "ask whether the host object is there",
            "make the host object",
            "look at the registration as it stands",
            "remove the lock on updates, in a command of its own",
            "remove every DS record",
            "change the delegation",
            "set statuses and locks",
            "look at the registration as it stands",
        ]
    );
    assert_eq!(done.actors[0].open, ["docket number", "addresses (A, AAAA) that the names resolve to"]);
}

#[test]
fn a_difference_stands_beside_the_whole_and_what_left_is_undone() {
    let place = tempfile::tempdir().unwrap();
    let file = file();
    let (actors, mut parts) = (Actors::parse(ACTORS).unwrap().with_registries(&file.lists), parts(&file));
    let left = parts[0].names.iter().position(|wanted| wanted.name.as_str() == "login-harbour.example").unwrap();
    let left = vec![parts[0].names.remove(left)];
    let came = parts[0].names.iter().filter(|wanted| wanted.listed.outcome == NameOutcome::Redirect);
    let came: Vec<Wanted<'_>> = came.copied().collect();
    let differences = [Difference { terms: parts[0].terms, actor: actors.actor(0), since: 1, came, left }];
    let (sealed, sign, into) = (BTreeMap::new(), |_: &str| None, place.path());
    let wish = Wish {
        case: &file.terms,
        parts: &parts,
        differences: &differences,
        sealed: &sealed,
        actors: &actors,
        into,
        made: now(),
        sign: &sign,
    };
    let done = compile(&wish).unwrap();
    check_manifest(&std::fs::read_to_string(into.join("manifest")).unwrap(), into);
    assert_eq!((done.names, done.actors.len()), (2, 1), "the whole is as without a difference");
    let [came, left] = &done.difference[..] else { panic!("{done:?}") };
    assert!(came.folder.starts_with("difference/") && came.folder.ends_with("/came"), "{came:?}");
    let read = |folder: &str, name: &str| std::fs::read_to_string(into.join(folder).join(name)).unwrap();
    let csv = read(&came.folder, "names.csv");
    assert!(csv.contains("mail-harbour.example") && csv.lines().count() == 2, "{csv}");
    assert!(read(&came.folder, "sheet.html").contains("since version 1"));
    let csv = read(&left.folder, "names.csv");
    assert!(csv.contains("login-harbour.example") && !csv.contains("ns1.harbour.example"), "{csv}");
    let sheet = read(&left.folder, "sheet.html");
    assert!(sheet.contains("These names LEFT the order") && !sheet.contains("To undo it"), "{sheet}");
    assert!(
        sheet.contains("again, and removes ns1.harbour.example") && !sheet.contains("delegated to exactly"),
        "{sheet}"
    );
    let back = read(&left.folder, "epp/example-reverse.jsonl");
    assert!(back.contains("add the DS records") && back.contains("ns.old.example"), "{back}");
    assert_eq!(back.lines().count() as u64, left.frames);
    assert!(!into.join(&left.folder).join("epp/example-forward.jsonl").exists());
}

#[test]
fn without_a_table_the_registry_of_each_tld_acts_and_nothing_is_written_in_epp() {
    let place = tempfile::tempdir().unwrap();
    let (done, _) = compiled("", place.path());
    let [only] = &done.actors[..] else { panic!("{done:?}") };
    assert_eq!((only.actor.as_str(), only.frames), ("registry-example", 0));
    assert!(only.open.contains(&"how the actor is reached".to_owned()));
    assert!(!place.path().join(&only.folder).join("epp").exists());
    let sheet = std::fs::read_to_string(place.path().join(&only.folder).join("sheet.html")).unwrap();
    assert!(sheet.contains("serverUpdateProhibited") && sheet.contains("not stated"));
}

#[test]
fn what_a_provider_has_to_remove_never_goes_to_a_registry() {
    let mut file = file();
    let name = |text: &str| model::DomainName::parse(text).unwrap();
    file.lists[0].outcome = NameOutcome::ProviderRemoval;
    file.lists[0].names =
        ["a.duckdns.org", "b.duckdns.org", "x.shop.example", "alone.example", "known.host.example"].map(name).to_vec();
    let table =
        "[[actor]]\nfor = [\"org\"]\nregistrar = \"Them\"\n[[actor]]\nfor = [\"host.example\"]\nid = \"host\"\n";
    let actors = Actors::parse(table).unwrap().with_registries(&file.lists);
    for (text, id) in [
        ("a.duckdns.org", "provider-duckdns-org"),
        ("b.duckdns.org", "provider-duckdns-org"),
        ("x.shop.example", "provider-shop-example"),
        ("alone.example", "provider-alone-example"),
        ("known.host.example", "host"),
        ("other.example", "registry-example"),
        ("other.org", "them"),
    ] {
        let actor = actors.actor(actors.index_for(&name(text)).unwrap());
        assert_eq!(actor.id, id, "{text}");
        assert!(!id.starts_with("provider-") || (actor.contact.is_none() && actor.registry.is_none()));
    }
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("x"), "y").unwrap();
    let file = file();
    let (actors, parts) = (Actors::default().with_registries(&file.lists), parts(&file));
    let sealed = BTreeMap::new();
    let sign = |_: &str| None;
    let into = place.path();
    let wish = Wish {
        case: &file.terms,
        parts: &parts,
        differences: &[],
        sealed: &sealed,
        actors: &actors,
        into,
        made: now(),
        sign: &sign,
    };
    assert_eq!(compile(&wish).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn a_table_that_contradicts_itself_is_refused() {
    for (table, why) in [
        ("for,id,sponsors\nexample,a,false\nexample,b,false\n", "two actors"),
        ("for,id,contact\nexample,a,x\norg,a,y\n", "not alike"),
        ("for,id,statuses\nx.example,a,clientSomething\n", "no status"),
        ("for,id,ds\nx.example,a,1 2 3 zz\n", "no DS record"),
        ("for,id,sponsors\nexample,a,true\n", "is no registrar"),
        ("[[actor]]\nfor = [\"example\"]\n", "an actor has"),
        ("[[actor]]\nfor = [\"example\"]\nid = \"a\"\ncolour = \"red\"\n", "colour"),
        ("[[registered]]\nname = \"x.example\"\n[[registered]]\nname = \"x.example\"\n", "twice"),
    ] {
        let told = Actors::parse(table).unwrap_err();
        assert!(told.contains(why), "{table}: {told}");
    }
}

#[test]
fn a_csv_table_says_the_same_as_toml() {
    let csv = "for,registrar,iana_id,contact,channel,sponsors,statuses,name_servers,ds\n\
               example,Us,9999,epp@us.example,login,true,,,\n\
               x.example,Us,9999,epp@us.example,login,true,client hold clientHold,ns.old.example,1 13 2 AA;2 13 2 BB\n";
    // RDAP's words hold blanks, so that a cell of several statuses takes EPP's.
    assert!(Actors::parse(csv).is_err());
    let actors = Actors::parse(&csv.replace("client hold clientHold", "clientHold")).unwrap();
    let name = model::DomainName::parse("x.example").unwrap();
    let state = actors.before(&name).unwrap();
    assert!(state.has("clientHold") && state.ds.len() == 2 && state.name_servers.len() == 1);
    let below = model::DomainName::parse("y.example").unwrap();
    assert_eq!(actors.actor(actors.index_for(&below).unwrap()).iana_id, Some(9999));
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_inert() {
    for (cell, written) in [
        ("plain", "plain"),
        ("=1+1", "\"'=1+1\""),
        ("@SUM(A1)", "\"'@SUM(A1)\""),
        ("-2", "\"'-2\""),
        ("a,\"b\"", "\"a,\"\"b\"\"\""),
    ] {
        assert_eq!(quoted(cell), written);
    }
}

#[test]
fn every_outcome_has_a_plan_that_ends_with_an_answer_and_can_be_undone() {
    let file = file();
    let actors = Actors::parse(ACTORS).unwrap();
    let name = model::DomainName::parse("login-harbour.example").unwrap();
    for outcome in NameOutcome::ALL {
        let listed = model::order::Listed { outcome, ..Default::default() };
        let actor = actors.actor(0);
        let plan = plan(Wanted { name: &name, listed }, actor, &actors, &file.orders[0].terms);
        assert!(plan.steps.len() > 2 && plan.reverse.len() > 1, "{plan:?}");
        assert_eq!(plan.steps.last().unwrap().who, "requester");
    }
}

#[test]
fn a_registrys_hold_ends_only_behind_a_delegation_to_us_and_its_statuses_come_back() {
    let file = file();
    let table = ACTORS.replace("\"client update prohibited\"", "\"serverHold\", \"serverUpdateProhibited\"");
    let actors = Actors::parse(&table).unwrap();
    let name = model::DomainName::parse("login-harbour.example").unwrap();
    for outcome in [NameOutcome::Redirect, NameOutcome::Hold, NameOutcome::LockOnly, NameOutcome::Delete] {
        let listed = model::order::Listed { outcome, ..Default::default() };
        let plan = plan(Wanted { name: &name, listed }, actors.actor(0), &actors, &file.orders[0].terms);
        let at = |what: &str| plan.steps.iter().position(|step| step.does.starts_with(what));
        assert_eq!(at("lifts serverHold").is_some(), outcome == NameOutcome::Redirect, "{plan:?}");
        assert!(at("lifts serverHold") >= at("delegates to"), "{plan:?}");
        assert!(at("lifts serverUpdateProhibited:").is_some(), "{plan:?}");
        let back = |what: &str| plan.reverse.iter().any(|step| step.who == "registry" && step.does.starts_with(what));
        assert!(back("sets again: serverUpdateProhibited"), "{plan:?}");
        assert_eq!(back("sets again: serverHold"), outcome == NameOutcome::Redirect, "{plan:?}");
    }
}

//----------- Forward and back -------------------------------------------------------------------------------------

fn states() -> impl Strategy<Value = State> {
    let statuses = ["clientHold", "clientRenewProhibited", LOCKS[0], LOCKS[1], LOCKS[2]];
    let statuses = prop::sample::subsequence(statuses.to_vec(), 0..=5);
    let servers = prop::sample::subsequence(vec!["a.example", "b.example", "ns1.harbour.example"], 0..=3);
    let ds = prop::sample::subsequence(vec!["1 13 2 AA", "2 8 2 BB"], 0..=2);
    (statuses, servers, ds).prop_map(|(statuses, servers, ds)| State {
        statuses: statuses.into_iter().map(|status| status.parse::<Status>().unwrap()).collect(),
        name_servers: servers.into_iter().map(|server| model::DomainName::parse(server).unwrap()).collect(),
        ds: ds.into_iter().map(|ds| ds.parse::<Ds>().unwrap()).collect(),
    })
}

/// Whether the commands are all about one state after the other, by their words alone: while a lock on updates stands,
/// nothing but its removal is asked.
fn unlocked_first(frames: &[epp::Frame], from: &State) -> bool {
    let mut locked = from.has(LOCKS[2]);
    frames.iter().all(|frame| {
        let unlocks = frame
            .xml
            .contains("<domain:rem><domain:status s=\"clientUpdateProhibited\"/></domain:rem></domain:update>");
        let allowed = !locked || unlocks;
        locked = (locked && !unlocks)
            || frame.xml.contains("<domain:add><domain:status") && frame.xml.contains("UpdateProhibited");
        allowed
    })
}

proptest! {
    #[test]
    fn no_command_meets_a_lock_on_updates(from in states(), to in states()) {
        let name = model::DomainName::parse("x.example").unwrap();
        let frames = epp::between(&name, &from, &to, Labels { order: "o", direction: "f" });
        prop_assert!(unlocked_first(&frames, &from));
        prop_assert_eq!(frames.is_empty(), from == to);
        let ids: std::collections::BTreeSet<_> = frames.iter().map(|frame| &frame.cl_trid).collect();
        prop_assert_eq!(ids.len(), frames.len());
        prop_assert!(frames.iter().all(|frame| frame.cl_trid.len() <= epp::TR_ID_OCTETS_MAX && !frame.xml.contains("s=\"server")));
    }

    #[test]
    fn no_hold_is_off_while_the_old_name_servers_stand(before in states()) {
        let file = file();
        let name = model::DomainName::parse("x.example").unwrap();
        let then = ordered(NameOutcome::Redirect, &before, &file.orders[0].terms).unwrap();
        let place = |frames: &[epp::Frame], what: &str| frames.iter().position(|frame| frame.xml.contains(what));
        let forward = epp::between(&name, &before, &then, Labels { order: "o", direction: "f" });
        let reverse = epp::between(&name, &then, &before, Labels { order: "o", direction: "r" });
        let held = before.has("clientHold") && before.name_servers != then.name_servers;
        prop_assert!(!held || place(&forward, "s=\"clientHold\"") > place(&forward, "<domain:ns>"));
        prop_assert!(!held || place(&reverse, "s=\"clientHold\"") < place(&reverse, "<domain:ns>"));
    }

    #[test]
    fn what_is_redirected_is_locked_and_has_no_ds(before in states()) {
        let file = file();
        let then = ordered(NameOutcome::Redirect, &before, &file.orders[0].terms).unwrap();
        prop_assert!(then.ds.is_empty() && LOCKS.iter().all(|lock| then.has(lock)) && !then.has("clientHold"));
    }
}
