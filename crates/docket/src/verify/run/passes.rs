//! Passes of verification: looks are kept beside the ledger until the pass is recorded, and custody hears of all of them.
//!
//! A person's command and the clock come through here alike. What a pass has seen lies in `DATA/verify/CASE.jsonl`, so that
//! one that was broken off goes on; what is known of a case is read once and kept for the next portion of names, so that ten
//! thousand names cost ten thousand readings and not their square. Recording is two facts: what was verified, order by
//! order, and what custody observed. A pass whose second fact was not written is recorded again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::fact::Actor;
use model::id::{CaseId, OrderId};
use model::observation::Observation;
use model::person::Role;
use model::{Digest, DomainName, Refusal, Timestamp};
use store::Ledger;
use store::vault::Vault;
use store::verification::Pass;
use store::view::CaseView;
use tokio::sync::{Mutex, watch};

use super::{Verifier, now};
use crate::command::Command;
use crate::custody::{self, Shelf, Sinkholes, Taking};
use crate::decide::Done;
use crate::due::is_going_on;
use crate::run::{ExecuteError, Executed, execute_as};
use crate::verify::report::{Base, LookedAt, NAMES_MAX, NameReport, kept, looked_line, read_looked, written};
use crate::verify::schedule::{self, Last, Lasts};
use crate::verify::{NAMES_PER_LOOK_MAX, batches};

/// Cases whose reports are kept in memory.
const BOOKS_MAX: usize = 2;
/// A pass that goes on for longer is recorded in between: only looks of the last hour move a name.
const RECORDED_AFTER: jiff::SignedDuration = jiff::SignedDuration::from_mins(40);
/// How often observations are taken again because somebody else took some in between.
const TAKINGS_MAX: usize = 4;

type Reports = BTreeMap<DomainName, NameReport>;
type Recorded = (Reports, BTreeMap<OrderId, Arc<Base>>);

/// Who asks, and with which of their roles.
pub type Who = (Actor, Option<BTreeSet<Role>>);

/// Why a pass did not go on.
#[derive(Debug, thiserror::Error)]
pub enum PassError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("{what} is not in the vault under {digest}")]
    Lost { what: String, digest: Digest },
    #[error("nobody has said where the verifier begins, so nobody was asked")]
    NoHints,
    #[error("a pass looks at {NAMES_MAX} names at most")]
    TooMany,
    #[error("no name of case {0} was looked at")]
    NothingSeen(CaseId),
    #[error("the program is stopping: nobody is asked any more")]
    Stopping,
}

//----------- Passes -----------------------------------------------------------------------------------------------

/// All passes of a data folder.
pub struct Passes {
    data: PathBuf,
    ledger: Ledger,
    vault: Arc<Vault>,
    verifier: Option<Arc<Verifier>>,
    sinkholes: Sinkholes,
    books: Mutex<Vec<Book>>,
    /// Held by the pass that the clock has begun: there is one at a time.
    turn: Mutex<()>,
    closed: watch::Sender<bool>,
}

/// What is known of one case.
struct Book {
    case: CaseId,
    /// The reports that were recorded last, order by order.
    digests: Vec<(OrderId, Digest)>,
    recorded: Reports,
    /// The whole reports that those say what is different from.
    bases: BTreeMap<OrderId, Arc<Base>>,
    /// What the pass that goes on has seen.
    open: Reports,
    seen: BTreeMap<DomainName, Observation>,
}

/// What looks came to.
#[derive(Debug, Default)]
pub struct Looks {
    pub reports: Vec<NameReport>,
    /// Names whose order is a draft: nobody was asked about them.
    pub drafts: Vec<DomainName>,
}

/// What is known of all names of a case.
#[derive(Debug)]
pub struct Known {
    pub names: Vec<NameReport>,
    /// Names that the pass that goes on has looked at.
    pub looked: Vec<DomainName>,
}

/// What custody made of a pass.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Watched {
    pub seen: u64,
    pub raised: u64,
    pub cleared: u64,
    pub left: u64,
}

impl Passes {
    pub fn new(
        data: PathBuf,
        (ledger, vault): (Ledger, Arc<Vault>),
        verifier: Option<Arc<Verifier>>,
        sinkholes: Sinkholes,
    ) -> Self {
        let (books, turn, closed) = (Mutex::default(), Mutex::default(), watch::Sender::new(false));
        Self { data, ledger, vault, verifier, sinkholes, books, turn, closed }
    }

    /// From now on nobody is asked; whoever looks breaks off.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub async fn until_closed(&self) {
        let mut closed = self.closed.subscribe();
        drop(closed.wait_for(|closed| *closed).await);
    }

    pub fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn file(&self, case: &CaseId) -> Pass {
        Pass::of(&self.data, case)
    }

    /// Everything that is known of the names of a case.
    pub async fn known(&self, case: &CaseView) -> Result<Known, PassError> {
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        let looked = book.open.keys().cloned().collect();
        let names = book.all().map(|report| attested(case, report.clone())).collect();
        Ok(Known { names, looked })
    }

    /// What was recorded last of one name.
    pub async fn last(&self, case: &CaseView, name: &DomainName) -> Result<Option<NameReport>, PassError> {
        let mut books = self.books.lock().await;
        Ok(self.book(&mut books, case)?.recorded.get(name).cloned())
    }

    /// When each name was looked at last.
    pub async fn lasts(&self, case: &CaseView) -> Result<Lasts, PassError> {
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        let last = |report: &NameReport| Last { at: report.at, undelegated: report.undelegated };
        Ok(book.recorded.values().map(|report| (report.name.clone(), last(report))).collect())
    }

    /// The case's book, read anew only if somebody recorded a pass since.
    fn book<'b>(&self, books: &'b mut Vec<Book>, case: &CaseView) -> Result<&'b mut Book, PassError> {
        let id = &case.terms.id;
        let digests: Vec<(OrderId, Digest)> =
            case.verification.passes.values().map(|pass| (pass.made.order.clone(), pass.made.report)).collect();
        let known = books.iter().position(|book| book.case == *id).map(|at| books.remove(at));
        let book = match known {
            Some(book) if book.digests == digests => book,
            Some(book) => {
                let (recorded, bases) = self.recorded(&digests)?;
                Book { recorded, bases, digests, ..book }
            }
            None => {
                let mut book = Book::new(id.clone(), self.recorded(&digests)?, digests);
                read_looked(&self.file(id).lines()?).for_each(|looked| book.note(looked));
                book
            }
        };
        books.truncate(BOOKS_MAX - 1);
        books.insert(0, book);
        Ok(&mut books[0])
    }

    fn recorded(&self, digests: &[(OrderId, Digest)]) -> Result<Recorded, PassError> {
        let (mut reports, mut bases) = Recorded::default();
        for (order, digest) in digests {
            let what = || format!("the verification of order {order}");
            let get = |digest: &Digest| {
                let lost = || PassError::Lost { what: what(), digest: *digest };
                self.vault.get(digest)?.ok_or_else(lost)
            };
            let (of_order, base) = kept(*digest, get)?;
            reports.extend(of_order);
            bases.insert(order.clone(), Arc::new(base));
        }
        Ok((reports, bases))
    }

    //----- Looking

    /// Looks at names of a case, and keeps what is seen for the pass; with `own` also at those of our own name servers that
    /// the pass has not looked at.
    pub async fn look(&self, case: &CaseView, names: &[DomainName], own: bool) -> Result<Looks, PassError> {
        let mut closed = self.closed.subscribe();
        tokio::select! {
            biased;
            _ = closed.wait_for(|closed| *closed) => Err(PassError::Stopping),
            looked = self.look_at(case, names, own) => looked,
        }
    }

    async fn look_at(&self, case: &CaseView, names: &[DomainName], own: bool) -> Result<Looks, PassError> {
        let verifier = self.verifier.as_ref().ok_or(PassError::NoHints)?;
        let (batches, drafts) = batches(case, names, verifier.ours())?;
        let (before, own_names) = {
            let mut books = self.books.lock().await;
            let book = self.book(&mut books, case)?;
            if book.open.len() + names.len() > NAMES_MAX {
                return Err(PassError::TooMany);
            }
            let own_names = if own { custody::own_names(case) } else { BTreeSet::new() };
            (book.of(names), own_names.into_iter().filter(|name| !book.seen.contains_key(name)).collect::<Vec<_>>())
        };
        let mut reports = Vec::new();
        for batch in batches {
            let mut looking = verifier.look(batch.targets, &before, batch.exercise);
            while let Some(looked) = looking.next().await {
                reports.extend(self.keep(case, looked).await?);
            }
        }
        let exercise = case.orders.values().all(|order| order.terms().authority.is_exercise());
        for name in own_names.iter().filter(|name| case.names.get(name).is_none()) {
            self.keep(case, verifier.watch(name, exercise).await).await?;
        }
        self.file(&case.terms.id).sync()?;
        reports.sort_by(|one: &NameReport, other| one.name.cmp(&other.name));
        Ok(Looks { reports, drafts })
    }

    /// Keeps one look for the pass, as soon as it is over: whatever ends the program, nobody is asked for it again.
    async fn keep(&self, case: &CaseView, looked: LookedAt) -> Result<Option<NameReport>, PassError> {
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        self.file(&case.terms.id).add(&looked_line(&looked))?;
        let report = looked.report.clone().map(|report| attested(case, report));
        book.note(looked);
        Ok(report)
    }

    //----- Recording

    /// Ends the pass: one report and one fact for each order, names move as far as was seen, and custody takes what was
    /// observed.
    pub async fn record(&self, id: &CaseId, who: &Who) -> Result<Watched, PassError> {
        let view = self.ledger.view().await?;
        let Some(case) = view.cases.get(id) else { return Err(PassError::NothingSeen(id.clone())) };
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        if book.open.is_empty() {
            return Err(PassError::NothingSeen(id.clone()));
        }
        let looked: BTreeSet<DomainName> = book.open.keys().cloned().collect();
        let orders = book.open.values().map(|report| report.order.clone()).collect();
        self.settle(case, book, orders, (&looked, None), who).await?;
        let seen: Vec<Observation> = book.seen.values().cloned().collect();
        let watched = self.hand_over(id, &seen, who).await?;
        self.file(id).end()?;
        books.retain(|book| book.case != *id);
        Ok(watched)
    }

    /// Records one name anew, because a person has attested one of its checks: nobody looks.
    pub async fn settle_attested(&self, id: &CaseId, name: &DomainName, who: &Who) -> Result<(), PassError> {
        let view = self.ledger.view().await?;
        let Some(case) = view.cases.get(id) else { return Ok(()) };
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        let orders = book.recorded.get(name).map(|report| report.order.clone()).into_iter().collect();
        let recorded = Book::new(id.clone(), (book.recorded.clone(), book.bases.clone()), Vec::new());
        self.settle(case, &recorded, orders, (&BTreeSet::new(), Some(name)), who).await
    }

    /// Records what is known of these orders. One that refuses keeps no other from it; its refusal is told where none was
    /// recorded.
    async fn settle(
        &self,
        case: &CaseView,
        book: &Book,
        orders: BTreeSet<OrderId>,
        (looked, answered): (&BTreeSet<DomainName>, Option<&DomainName>),
        who: &Who,
    ) -> Result<(), PassError> {
        let (mut recorded, mut refused) = (0, None);
        for order in orders {
            let of_order = book.all().filter(|report| report.order == order).cloned();
            let reports: Vec<NameReport> = of_order.map(|report| attested(case, report)).collect();
            let (looked, attested) = (looked.clone(), answered.cloned());
            let (octets, id) = (written(&reports, book.bases.get(&order).map(Arc::as_ref)), case.terms.id.clone());
            let command =
                Command::RecordVerification { case: id, order: order.clone(), reports, looked, attested, octets };
            match self.execute(command, who).await {
                Ok(_) => recorded += 1,
                Err(ExecuteError::Refused(refusal)) => {
                    let (case, why) = (&case.terms.id, &refusal.what);
                    tracing::warn!(%case, %order, %why, "what was seen of an order was not recorded");
                    refused = Some(refusal);
                }
                Err(other) => return Err(other.into()),
            }
        }
        match refused {
            Some(refusal) if recorded == 0 => Err(ExecuteError::Refused(refusal).into()),
            _ => Ok(()),
        }
    }

    /// What was seen becomes custody's, with alarms where it is not as it should be; what is of before neither raises one
    /// nor ends one.
    async fn hand_over(&self, id: &CaseId, seen: &[Observation], who: &Who) -> Result<Watched, PassError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let view = self.ledger.view().await?;
            let Some(case) = view.cases.get(id) else { return Ok(Watched::default()) };
            let before = case.watch.observed.map(|observed| observed.file);
            let shelf = before.map(|file| self.shelf(&file)).transpose()?.unwrap_or_default();
            let sinkholes = self.sinkholes.clone();
            let seen = custody::fresh(seen, &shelf, now());
            let count = seen.len() as u64;
            let octets = custody::written(&custody::pass(case, &shelf, &seen, &sinkholes, now()).shelf);
            let taking = Taking { case: id.clone(), before, shelf, seen, sinkholes };
            let command = Command::TakeObservations { taking: Box::new(taking), octets };
            match self.execute(command, who).await {
                Ok(executed) => return Ok(Watched::of(count, &executed.done)),
                Err(ExecuteError::Refused(_)) if tries < TAKINGS_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn shelf(&self, file: &Digest) -> Result<Shelf, PassError> {
        let lost = || PassError::Lost { what: "what was seen of names before".into(), digest: *file };
        let octets = self.vault.get(file)?.ok_or_else(lost)?;
        custody::read(&octets).map_err(|_| lost())
    }

    async fn execute(&self, command: Command, (actor, roles): &Who) -> Result<Executed, ExecuteError> {
        execute_as(&self.ledger, &self.vault, command, (actor.clone(), roles.clone()), now()).await
    }

    //----- By the clock

    /// The names of a case whose pass is due; none if it is not.
    pub async fn due(&self, case: &CaseView, every: Duration) -> Result<Vec<DomainName>, PassError> {
        if !is_going_on(case) || case.names.len() > NAMES_MAX || case.orders.is_empty() {
            return Ok(Vec::new());
        }
        let lasts = self.lasts(case).await?;
        let names = schedule::names(case, &lasts);
        let is_due = schedule::due_at(&case.terms.id, &names, &lasts, every) <= now();
        Ok(if is_due { names } else { Vec::new() })
    }

    /// Looks at all of these names, goes on where a pass was broken off, and records it. `None`: the program is stopping,
    /// and the next start goes on.
    pub async fn pass(&self, id: &CaseId, names: &[DomainName], who: &Who) -> Result<Option<Watched>, PassError> {
        let _turn = self.turn.lock().await;
        let (mut watched, mut is_first, mut last) = (Watched::default(), true, None);
        for portion in names.chunks(NAMES_PER_LOOK_MAX) {
            let view = self.ledger.view().await?;
            let Some(case) = view.cases.get(id) else { break };
            let (open, oldest) = self.still_open(case, portion).await?;
            if oldest.is_some_and(|at| now().duration_since(at) > RECORDED_AFTER) {
                watched = watched.and(self.record(id, who).await?);
            }
            if open.is_empty() && !is_first {
                continue;
            }
            match self.look(case, &open, is_first).await {
                Ok(looks) => last = looks.reports.last().map(|report| report.at).or(last),
                Err(PassError::Stopping) => return Ok(None),
                Err(other) => return Err(other),
            }
            is_first = false;
        }
        match self.record(id, who).await {
            Ok(more) => Ok(Some(watched.and(more))),
            // Somebody's command has recorded it in between.
            Err(PassError::NothingSeen(_)) => Ok(Some(watched)),
            Err(other) => Err(other),
        }
    }

    /// Those of the names that the pass has still to look at, and when its oldest look was.
    async fn still_open(
        &self,
        case: &CaseView,
        names: &[DomainName],
    ) -> Result<(Vec<DomainName>, Option<Timestamp>), PassError> {
        let mut books = self.books.lock().await;
        let book = self.book(&mut books, case)?;
        let oldest = book.open.values().map(|report| report.at).min();
        let is_seen = |name: &DomainName| {
            let seen = book.open.get(name);
            seen.is_some_and(|report| now().duration_since(report.at) <= RECORDED_AFTER)
        };
        let is_listed = |name: &DomainName| case.names.get(name).is_some();
        Ok((names.iter().filter(|name| is_listed(name) && !is_seen(name)).cloned().collect(), oldest))
    }
}

impl std::fmt::Debug for Passes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passes").field("data", &self.data).finish_non_exhaustive()
    }
}

impl Book {
    fn new(case: CaseId, (recorded, bases): Recorded, digests: Vec<(OrderId, Digest)>) -> Self {
        Self { case, digests, recorded, bases, open: Reports::new(), seen: BTreeMap::new() }
    }

    fn note(&mut self, LookedAt { report, seen }: LookedAt) {
        if let Some(report) = report {
            self.open.insert(report.name.clone(), report);
        }
        self.seen.insert(seen.name.clone(), seen);
    }

    /// Each name as it was seen last, in order of name.
    fn all(&self) -> impl Iterator<Item = &NameReport> {
        let of_before = self.recorded.values().filter(|report| !self.open.contains_key(&report.name));
        let mut all: Vec<&NameReport> = of_before.chain(self.open.values()).collect();
        all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        all.into_iter()
    }

    /// What is known of these names.
    fn of(&self, names: &[DomainName]) -> Reports {
        let known = |name: &DomainName| self.open.get(name).or_else(|| self.recorded.get(name)).cloned();
        names.iter().filter_map(|name| Some((name.clone(), known(name)?))).collect()
    }
}

impl Watched {
    fn of(seen: u64, done: &Done) -> Self {
        match done {
            Done::Watched { raised, cleared, left } => {
                Self { seen, raised: *raised as u64, cleared: *cleared as u64, left: *left as u64 }
            }
            _ => Self { seen, ..Self::default() },
        }
    }

    fn and(self, more: Self) -> Self {
        let (seen, raised) = (self.seen + more.seen, self.raised + more.raised);
        Self { seen, raised, cleared: self.cleared + more.cleared, left: more.left }
    }
}

/// A report with what people attest.
pub fn attested(case: &CaseView, report: NameReport) -> NameReport {
    let name = report.name.clone();
    report.attested(|finding| case.verification.attested.get(&(name.clone(), finding.check)).cloned())
}
