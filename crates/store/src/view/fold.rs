//! One fact, folded: each arm asks the law in `model` and changes the view only if the law says yes.

use std::sync::Arc;

use model::approval::{Approval, Approved, PutInForce, ReleaseHold, Request, Serve, Unseal, Widening};
use model::fact::{Actor, Body, Fact};
use model::id::{CaseId, OrderId, PersonId, Position, RequestId, SensorId};
use model::order::{Listed, NameOutcome, Names, Order, OrderStatus, OrderTerms, names_digest};
use model::seizure::{Seizure, ServiceMode};
use model::{Digest, DomainName, Refusal, Timestamp};

use super::{
    AnswerView, BackupView, CaseView, FirstToken, HoldView, Knowledge, NameView, PurgeView, SuspectView, View,
};

/// The names of an order that are to be served: what [`Serve`] and `NamesServed` are about. The digest there is
/// [`names_digest`] of this set, the count its length.
pub fn names_to_serve(order: &Order) -> impl Iterator<Item = (&DomainName, &Listed)> + Clone {
    order.names().iter().filter(|(_, listed)| listed.outcome == NameOutcome::Redirect)
}

impl View {
    pub(super) fn fold(&mut self, fact: &Fact, mut names: impl FnMut(&Digest) -> Option<Names>) -> Result<(), Refusal> {
        match &fact.body {
            Body::Started { .. }
            | Body::ConfigApplied { .. }
            | Body::HistoryReplayed { .. }
            | Body::VerdictsRetired { .. } => Ok(()),
            Body::BackupTaken { backup, facts, .. } => {
                let taken = BackupView { backup: *backup, facts: *facts, at: fact.position, taken: fact.time };
                self.backups.push(taken);
                Ok(())
            }
            Body::Restored { .. } => Ok(()),
            Body::PersonEnrolled { person } => {
                self.people.insert(person.id.clone(), person.clone());
                if actor_person(&fact.actor).is_some_and(|by| self.vouches(by)) {
                    self.vouched.insert(person.id.clone());
                }
                Ok(())
            }
            Body::CaseOpened { case, file } => self.open_case(CaseView {
                terms: (**case).clone(),
                file: *file,
                state: Default::default(),
                opened: fact.time,
                changed: fact.position,
                changed_at: fact.time,
                orders: Default::default(),
                unsealed: Default::default(),
                names: Default::default(),
                captured: Default::default(),
                returned: Default::default(),
                returning: Default::default(),
                holds: Default::default(),
                members: Default::default(),
                papers: Default::default(),
                named_papers: Default::default(),
                gate: None,
                verification: Default::default(),
                watch: Default::default(),
                execution: Default::default(),
                evidence: Default::default(),
                left: Default::default(),
                amendments: Default::default(),
            }),
            Body::CaseAdvanced { case, to, documents } => {
                let case = self.case(case)?;
                case.state = case.state.advance(*to)?;
                case.named_papers.extend(documents.iter().map(|paper| paper.file));
                Ok(())
            }
            Body::OrderListed { case, order, names: digest, count } => {
                let names = names(digest).filter(|names| names.len() as u64 == *count);
                let names = names.ok_or_else(|| Refusal::new(format!("the names {} are not here", digest.short())))?;
                self.case(case)?.list(order, names)
            }
            Body::ApprovalRequested { request } => self.ask(request, fact),
            Body::ApprovalGiven { approval } => self.give(approval, &fact.actor),
            Body::ApprovalVoided { request, .. } => {
                self.approvals.void(*request);
                Ok(())
            }
            Body::OrderPutInForce { case, order, request } => self.put_in_force(case, order, *request),
            Body::OrderUnsealed { case, order, request } => self.unseal(case, order, *request),
            Body::OrderVacated { case, order, .. } => self.order(case, order).map(Order::vacate),
            Body::OrderLapsed { case, order } => self.order(case, order).map(Order::lapse),
            Body::NamesServed { case, order, names, count, request } => {
                self.serve(case, order, (*names, *count), *request)
            }
            Body::ServiceNarrowed { case, names, mode, .. } => self.case(case)?.narrow(names, *mode, fact.time),
            Body::HoldPlaced { case, reason } => {
                let by = actor_person(&fact.actor).cloned();
                let hold = HoldView { reason: reason.clone(), by, placed: fact.time };
                self.case(case)?.holds.insert(fact.position, hold);
                Ok(())
            }
            Body::TokenIssued { token } => self.issue_token(token, fact.time),
            Body::TokenRevoked { person, token } => self.revoke_token(person, token, fact.time),
            Body::FirstTokenMade { token } => {
                self.tokens.first = Some(FirstToken { token: *token, made: fact.time });
                Ok(())
            }
            Body::FirstTokenSpent { person } => {
                self.spend_first_token()?;
                self.vouched.insert(person.clone());
                Ok(())
            }
            Body::PaperFiled { case, paper } => {
                self.case(case)?.papers.push(paper.clone());
                Ok(())
            }
            Body::MemberAdded { case, person } => {
                self.case(case)?.members.insert(person.clone());
                Ok(())
            }
            Body::MemberRemoved { case, person } => {
                self.case(case)?.members.remove(person);
                Ok(())
            }
            Body::HoldReleased { case, hold, request } => self.release(case, *hold, *request),
            Body::Purged { case, day, parts, .. } => {
                let (at, purged) = (fact.position, fact.time);
                self.purges.push(PurgeView { case: case.clone(), day: *day, parts: parts.clone(), at, purged });
                Ok(())
            }
            Body::JournalPurged { before, .. } => {
                self.journal_purged = self.journal_purged.max(Some(*before));
                Ok(())
            }
            Body::RecordsCaptured { case, name, source, file, count } => {
                self.case(case)?.capture(name, source, (*file, *count), fact)
            }
            Body::SeizureMoved { case, names, to } => self.case(case)?.move_seizures(names, *to),
            Body::KnowledgeImported { group, format, source, file, objects } => {
                let (group, source) = (group.clone(), source.clone());
                let (format, file, objects) = (*format, *file, *objects);
                self.knowledge.push(Knowledge { group, format, source, file, objects, imported: fact.time });
                Ok(())
            }
            Body::IndicatorLearned { case, group, indicator } => {
                self.case(case)?;
                self.indicators.push((case.clone(), group.clone(), indicator.clone()));
                Ok(())
            }
            Body::SuspectFound { name, score, reasons } => {
                let suspect = SuspectView { score: *score, reasons: reasons.clone(), found: fact.time };
                self.suspects.insert(name.clone(), suspect);
                Ok(())
            }
            Body::EnrolmentOffered { name, token, expires } => self.offer_enrolment(name, *token, *expires),
            Body::SensorEnrolled { sensor, name, token, certificate } => {
                self.enrol_sensor(SensorId(*sensor), (name, token), *certificate, fact.time)
            }
            Body::SensorRevoked { sensor, .. } => self.revoke_sensor(SensorId(*sensor), fact.time),
            Body::SensorContradicted { sensor, .. } => self.contradict_sensor(SensorId(*sensor)),
            Body::SegmentsLost { sensor, from, until, .. } => {
                self.lose_segments(SensorId(*sensor), until.saturating_sub(*from))
            }
            Body::GateRun { run } => self.case(&run.case)?.take_gate(run, fact),
            Body::GateDecided { decided } => {
                self.case(&decided.case)?.decide_gate(decided, actor_person(&fact.actor), fact)
            }
            Body::VerificationMade(made) => self.case(&made.case)?.verify(made, fact.time, names),
            Body::CheckAttested(attested) => self.case(&attested.case)?.attest(attested, fact),
            Body::NarrowingConfirmed { .. }
            | Body::DateProposed { .. }
            | Body::DateConfirmed { .. }
            | Body::AlarmRaised { .. }
            | Body::AlarmAcknowledged { .. }
            | Body::AlarmCleared { .. }
            | Body::ObservationsTaken { .. }
            | Body::CertificatesTaken { .. }
            | Body::PostMortemHeld { .. } => self.fold_watch(fact),
            Body::AppendixCompiled { case, .. } | Body::Dispatched { case, .. } | Body::Acknowledged { case, .. } => {
                self.case(case)?.execute(fact)
            }
            Body::EvidenceKept { case, exhibit } => self.case(case)?.keep_exhibit(exhibit, fact),
            Body::EvidenceStamped { case, exhibit, stamp } => self.case(case)?.stamp_exhibit(*exhibit, stamp),
            Body::ReportMade { case, report } => self.case(case)?.make_report(report, fact),
            Body::ReportSent { case, report, sending } => self.case(case)?.send_report(*report, sending),
            Body::ReportAcknowledged { case, report, to, note, exhibit } => {
                let answer = AnswerView { to: *to, note: note.clone(), exhibit: *exhibit, noted: fact.time };
                self.case(case)?.answer_report(*report, answer)
            }
            Body::ReportEscalated { case, report, by } => self.case(case)?.escalate_report(*report, *by),
            Body::FolderLeft { case, folder } => {
                self.case(case)?.leave(folder, fact);
                Ok(())
            }
            Body::NamesReturned { .. }
            | Body::ReversePlanSent { .. }
            | Body::ReversePlanAnswered { .. }
            | Body::CustodySeen { .. }
            | Body::FeedExported { .. } => self.fold_returning(fact),
            Body::AmendmentProposed { .. }
            | Body::OrderAmended { .. }
            | Body::AmendmentWithdrawn { .. }
            | Body::ObjectionNoted { .. } => self.fold_amendment(fact, names),
            Body::Refused { .. } => {
                self.refusals += 1;
                Ok(())
            }
        }
    }

    pub(super) fn case(&mut self, id: &CaseId) -> Result<&mut CaseView, Refusal> {
        self.cases.get_mut(id).ok_or_else(|| Refusal::new(format!("there is no case {id}")))
    }

    pub(super) fn order(&mut self, case: &CaseId, id: &OrderId) -> Result<&mut Order, Refusal> {
        self.case(case)?.order(id)
    }

    fn open_case(&mut self, case: CaseView) -> Result<(), Refusal> {
        let id = case.terms.id.clone();
        if self.cases.contains_key(&id) {
            return Err(Refusal::new(format!("case {id} is open already")));
        }
        self.cases.insert(id, case);
        Ok(())
    }
}

//----------- Approvals --------------------------------------------------------------------------------------------

impl View {
    /// A request is numbered by its fact, so none can take another's place; and only what is a rehearsal through and
    /// through may be approved by people whose tokens are public.
    fn ask(&mut self, request: &Request, fact: &Fact) -> Result<(), Refusal> {
        let id = request.id;
        if id.0 != fact.position.0 {
            return Err(Refusal::new(format!("request {id} stands at position {}", fact.position)));
        }
        let case = self.case(&request.case)?;
        let is_exercise = match ordered_in(&request.what) {
            Some(order) => case.order(order)?.terms().authority.is_exercise(),
            None => case.orders.values().all(|order| order.terms().authority.is_exercise()),
        };
        if request.exercise && !is_exercise {
            return Err(Refusal::new(format!("request {id} is no exercise: its order is real")));
        }
        self.approvals.ask(request.clone(), actor_person(&fact.actor).cloned(), fact.time);
        Ok(())
    }

    /// A yes is the person's own.
    fn give(&mut self, approval: &Approval, actor: &Actor) -> Result<(), Refusal> {
        if actor_person(actor) != Some(&approval.person) {
            return Err(Refusal::new(format!("an approval of {} was given by somebody else", approval.person)));
        }
        let unknown = || Refusal::new(format!("{} is not enrolled", approval.person));
        let person = self.people.get(&approval.person).ok_or_else(unknown)?;
        self.approvals.give(approval.clone(), person)
    }

    fn put_in_force(&mut self, case: &CaseId, order: &OrderId, request: RequestId) -> Result<(), Refusal> {
        let approved: Approved<PutInForce> = self.approved(case, request)?;
        let case = self.case(case)?;
        case.order(order)?.put_in_force(&approved)?;
        case.names.put_in_force(order);
        self.approvals.spend(request);
        Ok(())
    }

    /// A seal stays lifted: what was told once cannot be taken back.
    fn unseal(&mut self, case: &CaseId, order: &OrderId, request: RequestId) -> Result<(), Refusal> {
        let approved: Approved<Unseal> = self.approved(case, request)?;
        if approved.what().order != *order {
            return Err(Refusal::new(format!("the approval is not for the seal of order {order}")));
        }
        let case = self.case(case)?;
        case.order(order)?;
        case.unsealed.insert(order.clone());
        self.approvals.spend(request);
        Ok(())
    }

    /// A hold ends once.
    fn release(&mut self, case: &CaseId, hold: Position, request: RequestId) -> Result<(), Refusal> {
        let approved: Approved<ReleaseHold> = self.approved(case, request)?;
        if approved.what().hold != hold {
            return Err(Refusal::new(format!("the approval is not for the hold {hold}")));
        }
        let removed = self.case(case)?.holds.remove(&hold);
        removed.ok_or_else(|| Refusal::new(format!("case {case} has no hold {hold}")))?;
        self.approvals.spend(request);
        Ok(())
    }

    fn serve(
        &mut self,
        case: &CaseId,
        order: &OrderId,
        names: (Digest, u64),
        request: RequestId,
    ) -> Result<(), Refusal> {
        let approved: Approved<Serve> = self.approved(case, request)?;
        let Serve { order: asked, names: shown, count } = approved.what();
        let case = self.case(case)?;
        let in_force = case.ordered(order)?;
        let (digest, count_standing) = {
            let to_serve = case.to_serve(in_force);
            (names_digest(to_serve.clone()), to_serve.count() as u64)
        };
        let stands = (digest, count_standing);
        if asked != order || (*shown, *count) != names || names != stands {
            return Err(Refusal::new(format!("the approval is not for the names of order {order} as they stand")));
        }
        if in_force.status() != OrderStatus::InForce {
            return Err(Refusal::new(format!("order {order} is not in force")));
        }
        case.serve_unserved(order);
        self.approvals.spend(request);
        Ok(())
    }

    pub(super) fn approved<A: model::approval::Widens>(
        &self,
        case: &CaseId,
        id: RequestId,
    ) -> Result<Approved<A>, Refusal> {
        let standing = self.approvals.get(id).filter(|standing| standing.request.case == *case);
        standing.and_then(|_| self.approvals.approved(id)).ok_or_else(|| {
            Refusal::new(format!("request {id} does not carry two approvals for this"))
                .hint("two people in two roles approve it first; see `bailiwick approval list`")
        })
    }
}

fn ordered_in(what: &Widening) -> Option<&OrderId> {
    match what {
        Widening::PutInForce(PutInForce { order, .. }) => Some(order),
        Widening::Serve(serve) => Some(&serve.order),
        Widening::Unseal(unseal) => Some(&unseal.order),
        Widening::Amend(amend) => Some(&amend.order),
        Widening::SharePolicy(_)
        | Widening::ReleaseWithheld(_)
        | Widening::PurgeEvidence(_)
        | Widening::ReleaseHold(_) => None,
    }
}

pub(super) fn actor_person(actor: &Actor) -> Option<&PersonId> {
    match actor {
        Actor::Person { id } => Some(id),
        Actor::LocalUser { .. } | Actor::Room { .. } => None,
    }
}

/// Whether an order has no claim on a name any more.
pub(super) fn let_go(order: Option<&Order>, name: &DomainName) -> bool {
    order.is_none_or(|order| {
        matches!(order.status(), OrderStatus::Lapsed | OrderStatus::Vacated) || !order.names().contains_key(name)
    })
}

//----------- Orders and names of one case -------------------------------------------------------------------------

impl CaseView {
    pub(super) fn order(&mut self, id: &OrderId) -> Result<&mut Order, Refusal> {
        let missing = || Refusal::new(format!("case {} has no order {id}", self.terms.id));
        self.orders.get_mut(id).ok_or_else(missing)
    }

    pub(super) fn ordered(&self, id: &OrderId) -> Result<&Order, Refusal> {
        self.orders.get(id).ok_or_else(|| Refusal::new(format!("case {} has no order {id}", self.terms.id)))
    }

    /// A name belongs to the order that listed it first, until that one has lapsed, was vacated, or lists it no more.
    fn list(&mut self, terms: &OrderTerms, names: Names) -> Result<(), Refusal> {
        if self.orders.contains_key(&terms.id) {
            return Err(Refusal::new(format!("order {} is listed already", terms.id)));
        }
        let names = Arc::new(names);
        let orders = &self.orders;
        self.names.list(&terms.id, Arc::clone(&names), |name, order| let_go(orders.get(order), name));
        self.orders.insert(terms.id.clone(), Order::draft(self.terms.id.clone(), terms.clone(), names));
        Ok(())
    }

    /// All names or none.
    pub(super) fn narrow(&mut self, names: &[DomainName], to: ServiceMode, at: Timestamp) -> Result<(), Refusal> {
        for name in names {
            let mode = self.known(name)?.mode;
            if !mode.is_some_and(|mode| mode.narrows_to(to)) {
                let what = format!("{} would not be served less as {}", name.defanged(), to.as_str());
                return Err(Refusal::new(what).hint("doing more needs two people"));
            }
        }
        for name in names {
            let was_served = self.known(name)?.mode.is_some_and(|mode| mode < ServiceMode::Handback);
            self.names.change(name, |view| view.mode = Some(to));
            // One that was served again since it went back goes back anew; one that goes off is back already.
            if to >= ServiceMode::Handback && was_served {
                self.returned.insert(name.clone(), at);
            }
        }
        Ok(())
    }

    /// All names or none.
    fn move_seizures(&mut self, names: &[DomainName], to: Seizure) -> Result<(), Refusal> {
        for name in names {
            self.known(name)?.seizure.apply(to)?;
        }
        for name in names {
            self.names.change(name, |view| view.seizure = to);
        }
        Ok(())
    }

    fn known(&self, name: &DomainName) -> Result<NameView, Refusal> {
        self.names.get(name).ok_or_else(|| self.no_name(name))
    }

    pub(super) fn no_name(&self, name: &DomainName) -> Refusal {
        Refusal::new(format!("{} is no name of case {}", name.defanged(), self.terms.id))
    }
}
