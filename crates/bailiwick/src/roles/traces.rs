//! `bailiwick audit purge`: whether what facts say is gone is gone, place by place, and where it is that we cannot reach.

use desk::api::{TraceTold, TracesTold};

use crate::cli::{JsonArgs, Place};
use crate::door::Door;
use crate::failure::{Done, Failure, code};
use crate::terminal::{self, count};

pub(crate) fn run(place: &Place, out: &JsonArgs) -> Done {
    let told: TracesTold = Door::open(place, "audit purge")?.get("/retention/traces")?;
    if out.json {
        terminal::json(&told)?;
    } else {
        terminal::line(&text(&told))?;
    }
    let wrong = told.archive.iter().map(|trace| trace.rows).sum::<u64>() + told.journal_segments_late;
    if wrong == 0 {
        return Ok(());
    }
    Err(Failure::new("something is left of what facts say is gone")
        .hint("`bailiwick retention run` purges what is due again; if it stays, restored or foreign files are among yours")
        .code(code::NOT_VERIFIED))
}

fn text(told: &TracesTold) -> String {
    let mut lines = vec![format!("{} facts say that something was purged", count(told.purges))];
    lines.push(format!(
        "archive: {} files, {} rows of those days were looked through; {}",
        count(told.archive_files),
        count(told.archive_rows),
        if told.archive.is_empty() { "nothing is left" } else { "this is left:" }
    ));
    lines.extend(told.archive.iter().map(trace));
    lines.extend(
        told.days_unmatched
            .iter()
            .map(|day| format!("  {day}: rows without their contact were not looked for: too many contacts")),
    );
    lines.push(match (told.journal_segments_late, told.journal_segments_of_purged_days) {
        (0, 0) => "journal: no segment of those days is left".to_owned(),
        (0, some) => format!("journal: {} segments still hold those days, until no case keeps them", count(some)),
        (late, _) => format!("journal: WRONG  {} segments are left of days that it should not have", count(late)),
    });
    if told.outbox_segments + told.clickhouse_rows > 0 {
        lines.push(format!(
            "ClickHouse: not looked into; {} rows went there, which its tables' own TTL ends (`clickhouse.keep_days`), and {} \
             segments wait as they were",
            count(told.clickhouse_rows),
            count(told.outbox_segments)
        ));
    }
    lines.push(match told.quarantine_files {
        0 => "quarantine: empty".to_owned(),
        some => format!("quarantine: {} files, not looked into: a person does, and removes them", count(some)),
    });
    lines.push("vault and ledger: hold papers, and facts without a caller's data".to_owned());
    match told.backups_before.len() {
        0 => lines.push("backups: none that we took is older than the last purge".to_owned()),
        _ => lines
            .push("backups that still hold it; destroy them, or restore them only with `--purges-from`:".to_owned()),
    }
    lines.extend(told.backups_before.iter().map(|(taken, digest)| format!("  taken {taken}, manifest {digest}")));
    lines.push(match told.exports_before {
        0 => "feeds: none had left the house".to_owned(),
        some => format!("feeds: {} files had left the house before; they are out of our reach", count(some)),
    });
    lines.join("\n")
}

fn trace(told: &TraceTold) -> String {
    let case = told.case.as_ref().map(|case| format!(" of {case}")).unwrap_or_default();
    format!("  WRONG  {} {}: {} in {} rows{case}", told.table, told.day, told.what, count(told.rows))
}
