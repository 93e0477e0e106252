//! The board: who was sent what, who answered, what is delegated, who called first.

use std::sync::{Mutex, PoisonError};

use super::*;

pub(crate) async fn board(State(desk): State<Desk>, Named(id): Named<CaseId>) -> Result<Json<Board>, Told> {
    let view = desk.view().await?;
    let count = desk.count(&view, &id).await?;
    let case = &view.cases[&id];
    let first = desk.first_contacts(case).await;
    let (mut rows, now) = (count.rows.clone(), now());
    called(&mut rows, case, &count.table, &first);
    for (key, row) in &mut rows {
        row.late = case.execution.dispatches.get(key).is_some_and(|sent| sent.is_late(now));
    }
    let is_back = |name: &&DomainName| case.names.get(name).is_some_and(|known| known.is_back());
    let back = case.returned.keys().filter(is_back);
    let (returned_in_all, days) = (back.clone().count() as u64, desk.returned_days(&view, case));
    let returned = back.take(RETURNED_SHOWN_MAX).map(|name| docket::returning::progress(&view, case, name, days));
    let (rows, returned) = (rows.into_values().collect(), returned.collect());
    let (compiled, open) = (count.compiled, count.appendix.open);
    Ok(Json(Board { case: id, now, compiled, rows, open, returned, returned_in_all }))
}

/// The most names on their way back that a board shows.
const RETURNED_SHOWN_MAX: usize = 100;

/// By order and actor.
pub(super) type Rows = BTreeMap<(OrderId, String), BoardRow>;

/// What was counted for the board that was looked at last. A board is looked at every other second: the names, of which there
/// may be a million, are walked anew only if the ledger has moved since.
#[derive(Default)]
pub struct LastCount(Mutex<Option<Arc<Count>>>);

/// A case's rows at one position of the ledger, without what the clock and the archive say.
pub(super) struct Count {
    pub(super) case: CaseId,
    pub(super) at: Position,
    pub(super) appendix: Compilation,
    pub(super) compiled: Timestamp,
    pub(super) table: Actors,
    pub(super) rows: Rows,
}

impl LastCount {
    fn at(&self, case: &CaseId, at: Position) -> Option<Arc<Count>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|count| count.case == *case && count.at == at).cloned()
    }

    fn keep(&self, count: &Arc<Count>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(count));
    }
}

impl Desk {
    pub(super) async fn count(&self, view: &View, id: &CaseId) -> Result<Arc<Count>, Told> {
        if let Some(count) = self.last_count.at(id, view.next) {
            return Ok(count);
        }
        let (appendix, compiled, table) = self.table_that_stands(view, id).await?;
        let rows = rows(&view.cases[id], &table);
        let count = Arc::new(Count { case: id.clone(), at: view.next, appendix, compiled, table, rows });
        self.last_count.keep(&count);
        Ok(count)
    }
}

fn rows(case: &CaseView, table: &Actors) -> Rows {
    let mut rows = Rows::new();
    let lost = case.lost_names();
    for part in parts(case) {
        for wanted in &part.names {
            let Some(index) = table.index_for(wanted.name) else { continue };
            let doer = table.actor(index);
            let key = (part.order().clone(), doer.id.clone());
            let row = rows.entry(key).or_insert_with(|| empty_row(case, part.order(), doer));
            take(row, case, wanted, lost.contains(wanted.name.as_str()));
        }
    }
    rows
}

fn empty_row(case: &CaseView, order: &OrderId, doer: &Doer) -> BoardRow {
    let sent = case.execution.dispatches.get(&(order.clone(), doer.id.clone()));
    let answer = sent.and_then(|sent| sent.acknowledged.clone());
    BoardRow {
        order: order.clone(),
        actor: doer.id.clone(),
        called: doer.called().to_owned(),
        contact: doer.contact.clone(),
        names: 0,
        redirected: 0,
        sent: sent.map(|sent| sent.sent),
        by: sent.and_then(|sent| sent.by.clone()),
        due: sent.and_then(|sent| sent.due),
        acknowledged: answer.as_ref().map(|(at, _)| *at),
        said: answer.map(|(_, said)| said),
        partial: 0,
        delegated: 0,
        first_contact: None,
        late: false,
    }
}

/// One name more. Only what is redirected is delegated to us.
fn take(row: &mut BoardRow, case: &CaseView, wanted: &Wanted<'_>, is_lost: bool) {
    row.names += 1;
    if wanted.listed.outcome != NameOutcome::Redirect {
        return;
    }
    row.redirected += 1;
    match case.names.get(wanted.name).map(|known| known.seizure) {
        Some(Seizure::Partial) => row.partial += 1,
        Some(seizure) if !is_lost && (Seizure::Verified..=Seizure::Transferred).contains(&seizure) => {
            row.delegated += 1;
        }
        _ => {}
    }
}

/// Who called first for a name of each row. A row that was never sent has no first contact: whoever called before called
/// somebody else's servers.
fn called(rows: &mut Rows, case: &CaseView, table: &Actors, first: &HashMap<String, Timestamp>) {
    for (apex, at) in first {
        let Some(key) = DomainName::parse(apex).ok().and_then(|name| row_of(case, table, &name)) else { continue };
        let Some(row) = rows.get_mut(&key) else { continue };
        if row.sent.is_some_and(|sent| *at >= sent) {
            row.first_contact = row.first_contact.into_iter().chain([*at]).min();
        }
    }
}

/// The row in which a redirected name is counted.
fn row_of(case: &CaseView, table: &Actors, name: &DomainName) -> Option<(OrderId, String)> {
    let order = case.orders.get(&case.names.get(name)?.order).filter(|order| stands(order))?;
    let is_redirected = order.names().get(name)?.outcome == NameOutcome::Redirect;
    let index = table.index_for(name).filter(|_| is_redirected && is_ours(case, order, name))?;
    Some((order.terms().id.clone(), table.actor(index).id.clone()))
}

impl Desk {
    /// When each name of the case was first asked for after the first sending, by anybody but our own verifier. The board
    /// lives without it.
    async fn first_contacts(&self, case: &CaseView) -> HashMap<String, Timestamp> {
        let Some(since) = case.execution.dispatches.values().map(|sent| sent.sent).min() else { return HashMap::new() };
        let sql = format!(
            "SELECT apex, min(received) AS first FROM sightings WHERE case_id = '{}' AND (label IS NULL OR label <> 'self') AND received >= TIMESTAMP '{}' GROUP BY apex ORDER BY first",
            case.terms.id,
            since.strftime("%Y-%m-%d %H:%M:%S")
        );
        match self.archive.query_within(&sql, &Sight::default()).await {
            Ok(answer) => answer.rows.iter().filter_map(|row| first_of(row)).collect(),
            Err(error) => {
                tracing::warn!(%error, case = %case.terms.id, "the board has no first contacts: the archive could not be asked");
                HashMap::new()
            }
        }
    }
}

fn first_of(row: &[serde_json::Value]) -> Option<(String, Timestamp)> {
    let [apex, first] = row else { return None };
    let first = first.as_str()?.replace(' ', "T");
    let first = if first.ends_with('Z') { first } else { format!("{first}Z") };
    Some((apex.as_str()?.to_owned(), first.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_good_for_one_case_at_one_position_of_the_ledger() {
        let (harbour, other) = (CaseId::parse("harbour").unwrap(), CaseId::parse("other").unwrap());
        let (manifest, actors) = (Digest([1; 32]), Digest([2; 32]));
        let count = Count {
            case: harbour.clone(),
            at: Position(7),
            appendix: Compilation { manifest, actors, names: 3, files: 5, octets: 9, open: 0 },
            compiled: Timestamp::UNIX_EPOCH,
            table: Actors::default(),
            rows: Rows::new(),
        };
        let last = LastCount::default();
        assert!(last.at(&harbour, Position(7)).is_none());
        last.keep(&Arc::new(count));
        let is_known = |case, at| last.at(case, Position(at)).is_some();
        assert!(is_known(&harbour, 7) && !is_known(&harbour, 8) && !is_known(&other, 7));
    }
}
