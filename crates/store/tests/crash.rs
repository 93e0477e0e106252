//! kill -9 in the middle of writing, and two processes on one folder: real processes, real files.
//!
//! The test binary starts itself again with [`CHILD`] set; that child does the writing and prints what it has
//! acknowledged, and is killed.

use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bailiwick_store::journal::read_all;
use bailiwick_store::{Cursor, DataFolder, Error, Frame, Journal, JournalLimits, LaneWriter};
use model::Timestamp;
use model::contact::{Contact, Limits, Query, Transport, Via, What};
use model::id::ContactId;

/// The variable that makes a child of this binary; its value is the data folder.
const CHILD: &str = "BAILIWICK_TEST_CHILD";

/// How many commits are acknowledged before the child is killed.
const COMMITS: usize = 300;

fn now() -> Timestamp {
    "2019-03-27T12:00:00Z".parse().unwrap()
}

fn contact(id: ContactId) -> Contact<'static> {
    Contact {
        id,
        received: now(),
        source: "203.0.113.7:4711".parse().unwrap(),
        local: "192.0.2.53:53".parse().unwrap(),
        transport: Transport::Udp,
        via: Via::Direct,
        over: None,
        subject: None,
        oddities: Vec::new(),
        limits: Limits::default(),
        what: What::Query(Query { name: vec![7; 200].into(), ..Query::default() }),
    }
}

/// Commits one to three contacts; returns their ids once they are acknowledged.
fn append(lane: &mut LaneWriter, round: usize) -> Result<Vec<ContactId>, Error> {
    let mut ids = Vec::new();
    for _ in 0..=round % 3 {
        ids.push(lane.next_id());
        lane.stage(&Frame::Contact(contact(lane.next_id())));
    }
    lane.commit(now()).map(|()| ids)
}

/// Starts this binary again, to run one of its tests as the child.
fn child(test: &str, home: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--ignored"]).env(CHILD, home);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

//----------- kill -9 ----------------------------------------------------------------------------------------------

/// Two threads append for ever and print each id after its commit.
#[test]
#[ignore = "the child of the next test"]
fn child_that_appends_until_it_is_killed() {
    let Some(home) = env::var_os(CHILD) else { return };
    let folder = DataFolder::open(Path::new(&home), "child", now()).unwrap();
    let journal = Journal::open(&folder, JournalLimits { segment_bytes: 20_000, ..JournalLimits::default() }).unwrap();
    let _syncing = journal.start_syncing();
    let write = |mut lane: LaneWriter| {
        for round in 0.. {
            let ids = append(&mut lane, round).unwrap();
            let lines: String = ids.iter().map(|id| format!("acknowledged {id}\n")).collect();
            std::io::stdout().write_all(lines.as_bytes()).unwrap();
        }
    };
    let lanes = [journal.lane(now()).unwrap(), journal.lane(now()).unwrap()];
    std::thread::scope(|scope| {
        for lane in lanes {
            scope.spawn(move || write(lane));
        }
    });
}

fn acknowledged_before_the_kill(home: &Path) -> BTreeSet<ContactId> {
    let mut child = child("child_that_appends_until_it_is_killed", home);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut ids = BTreeSet::new();
    let mut take =
        |line: String| ids.extend(line.strip_prefix("acknowledged ").and_then(|id| id.parse::<ContactId>().ok()));
    lines.by_ref().take(COMMITS).for_each(|line| take(line.unwrap()));
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had printed before it died counts as well; the last line may be half an id.
    lines.map_while(Result::ok).for_each(take);
    ids
}

#[test]
fn kill_9_loses_nothing_that_was_acknowledged_and_doubles_nothing() {
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for _ in 0..3 {
        acknowledged.extend(acknowledged_before_the_kill(home.path()));
    }
    assert!(acknowledged.len() > 3 * COMMITS / 2, "{}", acknowledged.len());
    let mut ids = Vec::new();
    let journal_folder = home.path().join("journal");
    let take = &mut |frame: Frame<'_>| {
        if let Frame::Contact(contact) = frame {
            ids.push(contact.id);
        }
    };
    let report = read_all(&journal_folder, take).unwrap();
    let read: BTreeSet<ContactId> = ids.iter().copied().collect();
    assert_eq!(acknowledged.difference(&read).count(), 0, "all acknowledged ids are there");
    assert_eq!((read.len(), report.doubles, report.missing, report.damaged.len()), (ids.len(), 0, 0, 0));
    let folder = DataFolder::open(home.path(), "test", now()).unwrap();
    assert_eq!(folder.boot().0, 4);
    let journal = Journal::open(&folder, JournalLimits::default()).unwrap();
    let more = append(&mut journal.lane(now()).unwrap(), 0).unwrap();
    assert!(more.iter().all(|id| !read.contains(id)), "a new boot uses no id again");
    let mut cursor = Cursor::default();
    let again = journal.read(&mut cursor, usize::MAX, &mut |_| ()).unwrap();
    assert_eq!(again.frames, report.frames + 2);
}

//----------- A disk that is full ----------------------------------------------------------------------------------

/// Appends until the file size limit cuts a write short, and prints how it went on.
#[test]
#[ignore = "the child of the next test"]
fn child_with_a_small_disk() {
    let Some(home) = env::var_os(CHILD) else { return };
    let folder = DataFolder::open(Path::new(&home), "child", now()).unwrap();
    let journal = Journal::open(&folder, JournalLimits::default()).unwrap();
    let mut lane = journal.lane(now()).unwrap();
    let refused = (0..200).filter(|round| append(&mut lane, *round).is_err()).count();
    println!("refused {refused} next {}", lane.next_id().seq());
}

#[test]
fn a_write_cut_short_is_taken_back_and_its_ids_are_used_again() {
    let home = tempfile::tempdir().unwrap();
    let binary = env::current_exe().unwrap();
    // A limit of 16 blocks of 512 bytes; with SIGXFSZ ignored, write(2) is short, then fails, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" child_with_a_small_disk --exact --nocapture --ignored";
    let run = Command::new("sh").args(["-c", script]).arg(&binary).env(CHILD, home.path()).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let numbers = said.lines().find_map(|line| line.split_once("refused ")).unwrap_or_else(|| panic!("{said}")).1;
    let (refused, next) = numbers.split_once(" next ").unwrap();
    assert!(refused.parse::<usize>().unwrap() > 100, "{said}");
    let report = read_all(&home.path().join("journal"), &mut |_| ()).unwrap();
    assert_eq!(report.frames, next.trim().parse::<u64>().unwrap(), "what was acknowledged, and nothing else");
    assert_eq!((report.torn, report.missing, report.doubles, report.damaged.len()), (0, 0, 0, 0));
}

//----------- Two processes ----------------------------------------------------------------------------------------

/// Holds the folder until its input ends.
#[test]
#[ignore = "the child of the next test"]
fn child_that_holds_the_folder() {
    let Some(home) = env::var_os(CHILD) else { return };
    let _folder = DataFolder::open(Path::new(&home), "serve", now()).unwrap();
    println!("held");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn the_second_process_is_told_who_holds_the_folder_until_the_first_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let mut child = child("child_that_holds_the_folder", home.path());
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("held")));
    let error = DataFolder::open(home.path(), "query", now()).unwrap_err();
    let Error::InUse { pid, role, .. } = &error else { panic!("{error}") };
    assert_eq!((*pid, role.as_str()), (child.id(), "serve"));
    assert!(error.to_string().contains(&format!("in use by pid {pid} (serve) since 2019-03-27T12:00:00Z")));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(DataFolder::open(home.path(), "query", now()).unwrap().boot().0, 2, "a dead pid holds nothing");
}
