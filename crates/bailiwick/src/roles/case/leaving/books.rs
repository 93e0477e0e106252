//! What the ledger says of one case at one moment: the acts that are shown, those that are not, and the files they name.

use std::collections::{BTreeMap, BTreeSet};

use docket::dossier::{
    Contents, FORMAT, Filed, Missing, Withheld, act_line, named, other_in, other_in_fact, path_of, shown_for,
};
use docket::evidence::pack::Manifest;
use model::Digest;
use model::digest::canonical_json;
use model::fact::{Body, Fact};
use model::id::{CaseId, Position};
use serde_json::Value;
use share::{Profile, Showing, showing};
use store::audit::{Audit, AuditError, Disclosed, Entry, Export, names_of};
use store::log::{Tiles, VerifyingKey, to_proof_text};
use store::view::View;

use crate::roles::export::README;
use crate::supervise::now;

/// All that is known of the case, and how far the folder has come.
pub(super) struct Books {
    pub(super) contents: Contents,
    pub(super) evidence: Manifest,
    /// Files that are made of acts, by path.
    pub(super) made: BTreeMap<String, Vec<u8>>,
    /// Files of the vault that acts name.
    pub(super) wishes: Vec<Wish>,
    /// Older checkpoints that somebody kept, by path beside the acts.
    pub(super) anchors: Vec<(String, Vec<u8>)>,
    shown: Vec<Entry>,
    checkpoint: String,
    commitments: Vec<Digest>,
    /// Sets of names, which the acts' export brings.
    names: BTreeMap<Digest, Vec<u8>>,
    others: BTreeSet<CaseId>,
    laid: BTreeMap<Digest, String>,
}

/// A file of the vault that an act names.
pub(super) struct Wish {
    fact: Fact,
    word: String,
    pub(super) digest: Digest,
}

impl Wish {
    pub(super) fn path(&self, octets: &[u8]) -> String {
        match self.fact.body {
            Body::CaseOpened { .. } => "authority/case-file.toml".to_owned(),
            _ => path_of(&self.fact, &self.word, octets),
        }
    }

    /// Whether people of this case put it on file: what they wrote is theirs, whomever it names.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.fact.body, Body::CaseOpened { .. } | Body::PaperFiled { .. } | Body::EvidenceKept { .. })
    }
}

impl Books {
    /// `None` if there is no such case.
    pub(super) async fn read(audit: &mut Audit, id: &CaseId, key: &VerifyingKey) -> Result<Option<Self>, AuditError> {
        let entries = audit.entries().await?;
        let mut asked = BTreeMap::new();
        let view = audit
            .replay(&entries, |view, entry| {
                if let Body::ApprovalRequested { request } = &entry.fact.body
                    && request.case == *id
                {
                    asked.insert(entry.fact.position, view.cases.get(id).and_then(|case| shown_for(case, request)));
                }
            })
            .await?;
        let Some(case) = view.cases.get(id) else { return Ok(None) };
        let others: BTreeSet<CaseId> = view.cases.keys().filter(|other| *other != id).cloned().collect();
        let (shown, hidden) = sorted(&view, &entries, id, &others);
        let at = now();
        let mut evidence = Manifest::of(case, at, &program());
        let is_shown = |fact: &Position| shown.iter().any(|entry| entry.fact.position == *fact);
        evidence.exhibits.retain(|entry| is_shown(&entry.fact));
        let contents = Contents {
            format: FORMAT,
            case: id.to_string(),
            exercise: evidence.exercise,
            sealed_until: evidence.sealed_until,
            made: at,
            program: program(),
            key: key.to_string(),
            ledger: entries.len() as u64,
            shown: shown.iter().map(|entry| entry.fact.position).collect(),
            withheld: hidden,
            files: Vec::new(),
            missing: Vec::new(),
        };
        let mut names = BTreeMap::new();
        for digest in shown.iter().flat_map(|entry| names_of(&entry.fact)) {
            names.insert(*digest, audit.lines(digest).await?.unwrap_or_default());
        }
        let checkpoint = audit.checkpoint().await?.unwrap_or_default();
        let commitments = entries.iter().map(|entry| entry.commitment).collect();
        let mut books = Self {
            contents,
            evidence,
            made: BTreeMap::new(),
            wishes: Vec::new(),
            anchors: Vec::new(),
            shown,
            checkpoint,
            commitments,
            names,
            others,
            laid: BTreeMap::new(),
        };
        books.tell(asked);
        Ok(Some(books))
    }

    /// What is made of the acts, and what they name.
    fn tell(&mut self, mut asked: BTreeMap<Position, Option<docket::shown::Shown>>) {
        let (mut acts, mut alarms, mut sent) = (String::new(), Vec::new(), Vec::new());
        let shown = std::mem::take(&mut self.shown);
        for Entry { fact, text, .. } in &shown {
            let value: Value = serde_json::from_str(text).unwrap_or_default();
            acts.push_str(&act_line(fact, &value));
            self.order(fact);
            if let Body::ApprovalRequested { request } = &fact.body {
                self.request(fact, request.shown, asked.remove(&fact.position).flatten());
            }
            match &fact.body {
                Body::AlarmRaised { .. } | Body::AlarmAcknowledged { .. } | Body::AlarmCleared { .. } => {
                    alarms.push(value.clone());
                }
                Body::AppendixCompiled { appendix, .. } => {
                    self.appendix(fact.position, appendix.manifest);
                    sent.push(value.clone());
                }
                Body::Dispatched { .. } | Body::Acknowledged { .. } => {
                    sent.push(value.clone());
                }
                _ => {}
            }
            let wishes = named(&value).into_iter();
            self.wishes.extend(wishes.map(|one| Wish { fact: fact.clone(), word: one.word, digest: one.digest }));
        }
        self.shown = shown;
        self.made.insert("ACTS.txt".to_owned(), acts.into_bytes());
        for (path, facts) in [("custody/alarms.json", alarms), ("appendices/sent.json", sent)] {
            if !facts.is_empty() {
                self.made.insert(path.to_owned(), canonical_json(&facts));
            }
        }
    }

    /// An order as it was listed, and its names.
    fn order(&mut self, fact: &Fact) {
        let Body::OrderListed { order, names, .. } = &fact.body else { return };
        let path = format!("authority/orders/{:06}-{}", fact.position.0, order.id);
        self.made.insert(format!("{path}.json"), canonical_json(order));
        let lines = self.names.get(names).cloned().unwrap_or_default();
        self.file(fact.position, *names, format!("{path}.names.txt"));
        self.made.insert(format!("{path}.names.txt"), lines);
    }

    /// The house keeps its digest, and the table of actors from which it is compiled again.
    fn appendix(&mut self, fact: Position, sha256: Digest) {
        let (what, why) = ("the appendix as it was compiled".to_owned(), "it was not given with --appendix".to_owned());
        self.contents.missing.push(Missing { fact, sha256, what, why });
    }

    /// Exactly what two people were shown.
    fn request(&mut self, fact: &Fact, digest: Digest, shown: Option<docket::shown::Shown>) {
        let (at, path) = (fact.position, format!("authority/shown/{:06}", fact.position.0));
        let shown = shown.map(|shown| (shown.canonical(), shown.to_text()));
        match shown.filter(|(_, text)| !self.names_another(text.as_bytes())) {
            Some((value, text)) => {
                self.made.insert(format!("{path}.json"), value);
                self.made.insert(format!("{path}.txt"), text.into_bytes());
                self.file(at, digest, format!("{path}.json"));
            }
            None => {
                let what = "what two people were shown".to_owned();
                let why = "it cannot be made again by this release, or it names another case".to_owned();
                self.contents.missing.push(Missing { fact: at, sha256: digest, what, why });
            }
        }
    }

    pub(super) fn names_another(&self, octets: &[u8]) -> bool {
        let others: BTreeSet<&str> = self.others.iter().map(CaseId::as_str).collect();
        other_in(&String::from_utf8_lossy(octets), &others).is_some()
    }

    //------- How far the folder has come ------------------------------------------------------------------------------

    fn file(&mut self, fact: Position, sha256: Digest, path: String) {
        self.contents.files.push(Filed { path, sha256, fact });
    }

    /// The file of that digest lies there, for every act that names it.
    pub(super) fn laid(&mut self, digest: Digest, path: String) {
        self.laid.entry(digest).or_insert(path);
    }

    /// Whether it lies there already; then this act names it, too.
    pub(super) fn is_laid(&mut self, wish: &Wish) -> bool {
        let path = self.laid.get(&wish.digest).cloned();
        let is_laid = path.is_some();
        path.into_iter().for_each(|path| self.file(wish.fact.position, wish.digest, path));
        is_laid
    }

    pub(super) fn lay(&mut self, wish: &Wish, path: String) {
        self.laid(wish.digest, path.clone());
        self.file(wish.fact.position, wish.digest, path);
    }

    pub(super) fn miss(&mut self, wish: &Wish, why: &str) {
        let (what, why) = (wish.word.clone(), why.to_owned());
        self.contents.missing.push(Missing { fact: wish.fact.position, sha256: wish.digest, what, why });
    }

    /// Where the appendix with that manifest goes; from then on it is there.
    pub(super) fn appendix_of(&mut self, manifest: &Digest) -> Option<String> {
        let compiled = |entry: &&Entry| matches!(&entry.fact.body, Body::AppendixCompiled { appendix, .. } if appendix.manifest == *manifest);
        let at = self.shown.iter().find(compiled)?.fact.position;
        let place = format!("appendices/{:06}", at.0);
        self.contents.missing.retain(|one| one.sha256 != *manifest);
        self.file(at, *manifest, format!("{place}/manifest"));
        Some(place)
    }

    /// The acts as an export for a court, with a proof for each.
    pub(super) fn export(&mut self, key: &VerifyingKey) -> Export {
        let (commitments, checkpoint) = (std::mem::take(&mut self.commitments), self.checkpoint.clone());
        let tiles = Tiles::new(commitments.clone());
        let readme = README.replace("{profile}", "court").replace("{key}", &key.to_string());
        let mut files = vec![("README.md".to_owned(), readme.into_bytes())];
        files.append(&mut self.anchors);
        files.extend(self.names.iter().map(|(digest, lines)| (format!("names/{digest}"), lines.clone())));
        for Entry { fact, .. } in &self.shown {
            let at = fact.position.0;
            let proof = tiles.inclusion(at).unwrap_or_default();
            let text = to_proof_text(at, &proof, &checkpoint);
            files.push((format!("proofs/{at:06}.tlog-proof"), text.into_bytes()));
        }
        let facts = self.shown.iter().map(Disclosed::whole).collect();
        Export { profile: "court", checkpoint, commitments, facts, files }
    }
}

fn program() -> String {
    format!("bailiwick {}", env!("CARGO_PKG_VERSION"))
}

/// The acts of the case: those that are shown, and those that name another case.
fn sorted(view: &View, entries: &[Entry], id: &CaseId, others: &BTreeSet<CaseId>) -> (Vec<Entry>, Vec<Withheld>) {
    let (profile, at) = (Profile::Court(id.clone()), now());
    let others: BTreeSet<&str> = others.iter().map(CaseId::as_str).collect();
    let (mut shown, mut hidden) = (Vec::new(), Vec::new());
    for entry in entries.iter().filter(|entry| showing(view, &entry.fact, &profile, at) == Showing::Whole) {
        let value: Value = serde_json::from_str(&entry.text).unwrap_or_default();
        if other_in_fact(&value, &others) {
            let (fact, commitment) = (entry.fact.position, entry.commitment);
            hidden.push(Withheld { fact, commitment, why: "it names another case".to_owned() });
        } else {
            shown.push(entry.clone());
        }
    }
    (shown, hidden)
}
