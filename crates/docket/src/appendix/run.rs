//! The appendix's door to the disk: actor by actor into one folder, a manifest last.
//!
//! ```text
//! DIR/manifest                       every file with octets and SHA-256, signed by the ledger's key
//! DIR/checklist.json                 what the paper says and leaves open, by actor
//! DIR/ORDER/ACTOR/sheet.html         for people
//! DIR/ORDER/ACTOR/names.csv, .json   for machines: the same names
//! DIR/ORDER/ACTOR/plans.json         the different plans, by the number that stands beside each name
//! DIR/ORDER/ACTOR/epp/TLD-forward.jsonl, TLD-reverse.jsonl   where we sponsor the names: one login per registry
//! DIR/difference/ORDER/ACTOR/came/   the same files for what came in since the actor was sent their share
//! DIR/difference/ORDER/ACTOR/left/   and for what left: the plans and commands are those that undo it
//! ```
//!
//! A folder without a manifest is no appendix: it is written when all else is on the disk. What is kept in memory while a
//! million names go by is a pointer to each and the plans that differ.

use std::collections::{BTreeMap, HashMap};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::case::CaseTerms;
use model::digest::Hasher;
use model::id::{CaseId, OrderId};
use model::order::{NameOutcome, OrderTerms};
use model::time::Date;
use model::{Digest, DomainName, Timestamp};
use serde::{Deserialize, Serialize};

use super::actors::{Actor, Actors, slug};
use super::checklist::{self, Checklist};
use super::epp::{self, Frame, Labels};
use super::list::{self, Row};
use super::plan::{Plan, frames, plan};
use super::sheet::{NAMES_MAX, PLANS_MAX, Sheet};
use super::{Difference, News, Outcomes, Part, Wanted};

/// The manifest's first line.
const TITLE: &str = "bailiwick appendix v1";
/// The most different plans of one actor; more means that a state was stated for every name, and then each has its own.
const PLANS_KNOWN_MAX: usize = 100_000;

/// What is compiled, from what, to where.
pub struct Wish<'a> {
    pub case: &'a CaseTerms,
    pub parts: &'a [Part<'a>],
    /// What is written beside the whole.
    pub differences: &'a [Difference<'a>],
    /// The day until which an order is sealed.
    pub sealed: &'a BTreeMap<OrderId, Date>,
    pub actors: &'a Actors,
    pub into: &'a Path,
    pub made: Timestamp,
    /// Signs a text that ends with a newline; `None` where there is no key.
    pub sign: &'a dyn Fn(&str) -> Option<String>,
}

/// What was written.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Compiled {
    pub case: CaseId,
    /// Of the manifest as it is written.
    pub digest: Digest,
    pub signed: bool,
    pub names: u64,
    pub files: u64,
    pub octets: u64,
    pub actors: Vec<Handed>,
    /// The folders of what came in and of what left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub difference: Vec<Handed>,
}

/// One actor's share.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Handed {
    pub order: OrderId,
    pub actor: String,
    pub called: String,
    pub folder: String,
    pub names: u64,
    /// EPP commands, forward.
    pub frames: u64,
    /// Items of the checklist that nobody stated.
    pub open: Vec<String>,
}

/// Writes the appendix.
///
/// # Errors
/// If the folder holds something already, or the disk fails.
pub fn compile(wish: &Wish<'_>) -> io::Result<Compiled> {
    let mut out = Folder::open(wish.into)?;
    let (mut handed, mut checklists) = (Vec::new(), Vec::new());
    for part in wish.parts {
        for (actor, names) in by_actor(part, wish.actors) {
            let folder = format!("{}/{}", slug(part.order().as_str()), actor.id);
            let of = Share { terms: part.terms, actor, names: &names, folder, news: None };
            let (done, list) = share(wish, &of, &mut out)?;
            checklists.push(serde_json::json!({ "order": done.order, "actor": done.actor, "items": list }));
            handed.push(done);
        }
    }
    let mut difference = Vec::new();
    for one in wish.differences {
        difference.extend(news(wish, one, &mut out)?);
    }
    let mut file = out.create("checklist.json".to_owned())?;
    serde_json::to_writer_pretty(&mut file, &checklists).map_err(io::Error::other)?;
    file.write_all(b"\n")?;
    out.close(file)?;
    let names = handed.iter().map(|one| one.names).sum();
    let (files, octets) = (out.entries.len() as u64, out.entries.iter().map(|entry| entry.octets).sum());
    let head = serde_json::json!({ "case": wish.case.id, "made": wish.made, "program": env!("CARGO_PKG_VERSION"), "names": names, "files": files, "octets": octets });
    let (digest, signed) = out.finish(&head.to_string(), wish.sign)?;
    Ok(Compiled { case: wish.case.id.clone(), digest, signed, names, files, octets, actors: handed, difference })
}

/// The names of a part by actor, and of one who writes EPP by registry, each in order of name.
fn by_actor<'a>(part: &'a Part<'a>, actors: &'a Actors) -> Vec<(&'a Actor, Vec<Wanted<'a>>)> {
    let mut groups: BTreeMap<usize, Vec<Wanted<'a>>> = BTreeMap::new();
    for wanted in &part.names {
        // Every TLD of the case file has an actor by now; a name of none would be a bug of ours.
        if let Some(index) = actors.index_for(wanted.name) {
            groups.entry(index).or_default().push(*wanted);
        }
    }
    let sorted =
        groups.into_iter().map(|(index, names)| (actors.actor(index), by_registry(actors.actor(index), names)));
    let mut sorted: Vec<_> = sorted.collect();
    sorted.sort_by(|(a, _), (b, _)| a.id.cmp(&b.id));
    sorted
}

/// Commands go to one registry after the other.
fn by_registry<'a>(actor: &Actor, mut names: Vec<Wanted<'a>>) -> Vec<Wanted<'a>> {
    if actor.sponsors {
        names.sort_by_key(|wanted| wanted.name.tld());
    }
    names
}

/// What came in for an actor, and what left, a folder for each.
fn news(wish: &Wish<'_>, of: &Difference<'_>, out: &mut Folder) -> io::Result<Vec<Handed>> {
    let Difference { terms, actor, since, came, left } = of;
    let (since, mut handed) = (*since, Vec::new());
    for (news, names, folder) in [(News::Came { since }, came, "came"), (News::Left { since }, left, "left")] {
        if names.is_empty() {
            continue;
        }
        let names = by_registry(actor, names.clone());
        let folder = format!("difference/{}/{}/{folder}", slug(terms.id.as_str()), actor.id);
        let of = Share { terms, actor, names: &names, folder, news: Some(news) };
        handed.push(share(wish, &of, out)?.0);
    }
    Ok(handed)
}

//----------- One actor --------------------------------------------------------------------------------------------

/// Names of one order for one actor, and the folder that they get.
struct Share<'a> {
    terms: &'a OrderTerms,
    actor: &'a Actor,
    names: &'a [Wanted<'a>],
    folder: String,
    news: Option<News>,
}

impl Share<'_> {
    fn is_back(&self) -> bool {
        matches!(self.news, Some(News::Left { .. }))
    }

    fn plan(&self, wanted: Wanted<'_>, actors: &Actors) -> Plan {
        let plan = plan(wanted, self.actor, actors, self.terms);
        if self.is_back() { plan.taken_back() } else { plan }
    }
}

fn share(wish: &Wish<'_>, of: &Share<'_>, out: &mut Folder) -> io::Result<(Handed, Checklist)> {
    let Share { terms, actor, names, folder, news } = of;
    let mut outcomes = Outcomes::default();
    names.iter().for_each(|wanted| outcomes.count(wanted.listed.outcome));
    let written = lists(wish, of, out)?;
    let frames = match (actor.sponsors, of.is_back()) {
        (false, _) => 0,
        (true, false) => commands(wish, of, out)?,
        (true, true) => commands_back(wish, of, out)?,
    };
    let checklist = checklist::of(wish.case, terms, wish.actors, actor, &outcomes);
    let sheet = Sheet {
        case: wish.case,
        order: terms,
        sealed: wish.sealed.get(&terms.id).copied(),
        actor,
        news: *news,
        outcomes: &outcomes,
        checklist: &checklist,
        plans: &written.plans,
        plans_all: written.plans_all,
        names: &written.first,
        names_all: names.len() as u64,
        list: written.list,
        frames,
    };
    let mut file = out.create(format!("{folder}/sheet.html"))?;
    file.write_all(sheet.to_html().as_bytes())?;
    out.close(file)?;
    let handed = Handed {
        order: terms.id.clone(),
        actor: actor.id.clone(),
        called: actor.called().to_owned(),
        folder: folder.clone(),
        names: names.len() as u64,
        frames,
        open: checklist.open().map(str::to_owned).collect(),
    };
    Ok((handed, checklist))
}

/// What the sheet shows of the lists.
struct Written {
    plans: Vec<(u32, Plan, u64)>,
    plans_all: u32,
    first: Vec<(DomainName, NameOutcome, u32)>,
    list: Digest,
}

/// `names.csv`, `names.json` and `plans.json`.
fn lists(wish: &Wish<'_>, of: &Share<'_>, out: &mut Folder) -> io::Result<Written> {
    let Share { terms, actor, names, folder, .. } = of;
    let (mut csv, mut json) = (out.create(format!("{folder}/names.csv"))?, out.create(format!("{folder}/names.json"))?);
    let mut plans_file = out.create(format!("{folder}/plans.json"))?;
    let mut known: HashMap<Digest, u32> = HashMap::new();
    let mut written = Written { plans: Vec::new(), plans_all: 0, first: Vec::new(), list: Digest::of_bytes(b"") };
    // Nobody shall delegate to us what left.
    let servers: &[DomainName] = if of.is_back() { &[] } else { &terms.name_servers };
    let servers: Vec<&str> = servers.iter().map(DomainName::as_str).collect();
    let servers = servers.join(" ");
    // What is the same for names of which nothing is known is made once.
    let mut usual: HashMap<(NameOutcome, bool), u32> = HashMap::new();
    list::header(&mut csv)?;
    for (at, wanted) in names.iter().enumerate() {
        let holds_server = terms.name_servers.iter().any(|server| server.is_at_or_below(wanted.name));
        let is_usual = wish.actors.before(wanted.name).is_none() && !holds_server;
        let key = (wanted.listed.outcome, is_usual);
        let number = match usual.get(&key).filter(|_| is_usual) {
            Some(number) => *number,
            None => {
                let plan = of.plan(*wanted, wish.actors);
                number_of(plan, &mut known, &mut written, &mut plans_file)?
            }
        };
        if is_usual {
            usual.insert(key, number);
        }
        if let Some(shown) = written.plans.iter_mut().find(|(shown, ..)| *shown == number) {
            shown.2 += 1;
        }
        let row =
            Row { name: wanted.name, outcome: wanted.listed.outcome, order: &terms.id, actor: &actor.id, plan: number };
        list::csv(&mut csv, &row, actor, &servers)?;
        list::json(&mut json, &row, at == 0)?;
        if at < NAMES_MAX {
            written.first.push((wanted.name.clone(), wanted.listed.outcome, number));
        }
    }
    list::json_end(&mut json, names.is_empty())?;
    list::json_end(&mut plans_file, written.plans_all == 0)?;
    written.list = out.close(csv)?;
    out.close(json)?;
    out.close(plans_file)?;
    Ok(written)
}

/// The number of a plan; a new one is written.
fn number_of(plan: Plan, known: &mut HashMap<Digest, u32>, written: &mut Written, file: &mut Out) -> io::Result<u32> {
    let digest = plan.digest();
    if let Some(number) = known.get(&digest) {
        return Ok(*number);
    }
    written.plans_all += 1;
    let number = written.plans_all;
    list::json(file, &serde_json::json!({ "plan": number, "what": plan }), number == 1)?;
    if known.len() < PLANS_KNOWN_MAX {
        known.insert(digest, number);
    }
    if written.plans.len() < PLANS_MAX {
        written.plans.push((number, plan, 0));
    }
    Ok(number)
}

/// EPP commands by registry; how many go forward.
fn commands(wish: &Wish<'_>, of: &Share<'_>, out: &mut Folder) -> io::Result<u64> {
    let Share { terms, actor, names, folder, news } = of;
    let mut count = 0;
    for of_registry in names.chunk_by(|a, b| a.name.tld() == b.name.tld()) {
        let tld = of_registry[0].name.tld();
        let mut forward = out.create(format!("{folder}/epp/{tld}-forward.jsonl"))?;
        let mut reverse = out.create(format!("{folder}/epp/{tld}-reverse.jsonl"))?;
        let redirects = of_registry.iter().any(|wanted| wanted.listed.outcome == NameOutcome::Redirect);
        let hosts = if redirects { &terms.name_servers[..] } else { &[] };
        let order = terms.id.as_str();
        for name in hosts {
            // Only hosts below names of this registry have addresses in it (RFC 5732, 3.2.1).
            let addresses = if name.tld() == tld { wish.actors.host(name) } else { &[] };
            count += put(&mut forward, &epp::host(name, addresses, Labels { order, direction: "f" }))?;
        }
        for wanted in of_registry {
            let (to, back) = frames(*wanted, actor, wish.actors, terms);
            count += put(&mut forward, &to)?;
            put(&mut reverse, &back)?;
        }
        // Names that came in earlier are delegated to the same hosts.
        let gone = if news.is_none() { hosts } else { &[] };
        for name in gone {
            put(&mut reverse, &epp::host_gone(name, Labels { order, direction: "r" }))?;
        }
        out.close(forward)?;
        out.close(reverse)?;
    }
    Ok(count)
}

/// The commands that undo what was done for names that left, by registry. The hosts stay: other names are delegated to them.
fn commands_back(wish: &Wish<'_>, of: &Share<'_>, out: &mut Folder) -> io::Result<u64> {
    let mut count = 0;
    for of_registry in of.names.chunk_by(|a, b| a.name.tld() == b.name.tld()) {
        let tld = of_registry[0].name.tld();
        let mut reverse = out.create(format!("{}/epp/{tld}-reverse.jsonl", of.folder))?;
        for wanted in of_registry {
            let (_, back) = frames(*wanted, of.actor, wish.actors, of.terms);
            count += put(&mut reverse, &back)?;
        }
        out.close(reverse)?;
    }
    Ok(count)
}

fn put(out: &mut Out, frames: &[Frame]) -> io::Result<u64> {
    for frame in frames {
        serde_json::to_writer(&mut *out, frame).map_err(io::Error::other)?;
        out.write_all(b"\n")?;
    }
    Ok(frames.len() as u64)
}

//----------- Manifest ---------------------------------------------------------------------------------------------

/// The files that a manifest lists, by path.
pub fn listed(manifest: &str) -> BTreeMap<&str, Digest> {
    manifest.lines().skip(2).map_while(file_of).collect()
}

fn file_of(line: &str) -> Option<(&str, Digest)> {
    let (digest, rest) = line.split_once("  ")?;
    let (_, path) = rest.split_once("  ")?;
    Some((path, digest.parse().ok()?))
}

//----------- Folder -----------------------------------------------------------------------------------------------

/// What others may not read: an order under seal lies here.
const OURS: u32 = 0o600;
const OUR_FOLDER: u32 = 0o700;

struct Entry {
    path: String,
    octets: u64,
    digest: Digest,
}

struct Folder {
    root: PathBuf,
    entries: Vec<Entry>,
}

/// A file that is measured while it is written.
struct Out {
    path: String,
    file: BufWriter<File>,
    hasher: Hasher,
    octets: u64,
}

impl Write for Out {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.file.write_all(octets)?;
        self.hasher.update(octets);
        self.octets += octets.len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Folder {
    fn open(root: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(OUR_FOLDER).create(root)?;
        if std::fs::read_dir(root)?.next().is_some() {
            let what = format!("{} holds something already; name a new folder", root.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        Ok(Self { root: root.to_owned(), entries: Vec::new() })
    }

    fn create(&self, path: String) -> io::Result<Out> {
        let place = self.root.join(&path);
        if let Some(folder) = place.parent() {
            DirBuilder::new().recursive(true).mode(OUR_FOLDER).create(folder)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(OURS).open(place)?;
        Ok(Out { path, file: BufWriter::with_capacity(1 << 16, file), hasher: Hasher::default(), octets: 0 })
    }

    fn close(&mut self, mut out: Out) -> io::Result<Digest> {
        out.file.flush()?;
        out.file.get_ref().sync_all()?;
        let digest = out.hasher.digest();
        self.entries.push(Entry { path: out.path, octets: out.octets, digest });
        Ok(digest)
    }

    /// Writes the manifest: the digest of it, and whether it is signed.
    fn finish(mut self, head: &str, sign: &dyn Fn(&str) -> Option<String>) -> io::Result<(Digest, bool)> {
        self.entries.sort_by(|a, b| a.path.cmp(&b.path));
        let mut text = format!("{TITLE}\n{head}\n");
        for Entry { path, octets, digest } in &self.entries {
            text.push_str(&format!("{digest}  {octets}  {path}\n"));
        }
        let whole = Digest::of_bytes(text.as_bytes());
        text.push_str(&format!("whole {whole}\n"));
        let signed = sign(&text);
        let is_signed = signed.is_some();
        let text = signed.unwrap_or(text);
        let mut file = self.create("manifest".to_owned())?;
        file.write_all(text.as_bytes())?;
        file.file.flush()?;
        file.file.get_ref().sync_all()?;
        File::open(&self.root)?.sync_all()?;
        Ok((file.hasher.digest(), is_signed))
    }
}
