//! The appendix and execution day at the command line.

use std::time::Duration;

use desk::api::{AckedRequest, AppendixRequest, Board, BoardRow, CaseDetail, Compiled, Said, SentRequest};
use model::Timestamp;
use model::case::CaseState;

use crate::cli::{AckedArgs, AppendixArgs, ExecuteArgs, ExecutionCommand, Place, SentArgs, WhoArgs};
use crate::config::Config;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::supervise::now;
use crate::terminal::{self, count, table};

mod ready;
mod sheets;

use sheets::Sheets;

/// How often the board is asked again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub(crate) fn run(place: &Place, command: ExecutionCommand) -> Done {
    let open = |role: &str| Door::open(place, role);
    match command {
        ExecutionCommand::Appendix(args) => appendix(place, &args),
        ExecutionCommand::Ready(args) => ready::run(&open("case ready")?, &args),
        ExecutionCommand::Sent(args) => sent(&open("case sent")?, args),
        ExecutionCommand::Acked(args) => acked(&open("case acked")?, args),
        ExecutionCommand::Board { case, out } => {
            let board: Board = open("case board")?.get(&format!("/cases/{case}/board"))?;
            if out.json { terminal::json(&board) } else { terminal::line(&drawn(&board)) }
        }
        ExecutionCommand::Execute(args) => execute(place, &args),
    }
}

fn appendix(place: &Place, args: &AppendixArgs) -> Done {
    let shown = args.out.display();
    let actors = match &args.actors {
        Some(file) => {
            let text = std::fs::read_to_string(file);
            text.tried(format_args!("reading the table of actors {}", file.display()))?
        }
        None => String::new(),
    };
    let into = std::path::absolute(&args.out).tried(format_args!("finding {shown}"))?;
    let sheets = if args.pdf { Some(Sheets::beside(&into, &Config::load(place)?)?) } else { None };
    let path = format!("/cases/{}/appendix", args.case);
    let wish = AppendixRequest { into: into.clone(), actors, difference: args.difference };
    let compiled: Compiled = Door::open(place, "case appendix")?.post(&path, &wish, None)?;
    let open: usize = compiled.actors.iter().map(|handed| handed.open.len()).sum();
    if args.json {
        terminal::json(&compiled)?;
    } else {
        told(&compiled, &shown.to_string())?;
    }
    if let Some(sheets) = &sheets {
        sheets.print(&into, &compiled)?;
    }
    if args.strict && open > 0 {
        let what = format!("{open} items of the checklist are not stated; {shown} holds the appendix as it is");
        let hint = "state them in the case file or under `[instructions]` and `[[actor]]` of the table of actors";
        return Err(Failure::new(what).hint(hint).code(code::NOT_VERIFIED));
    }
    Ok(())
}

fn told(compiled: &Compiled, shown: &str) -> Done {
    let Compiled { digest, signed, names, files, octets, actors, difference, .. } = compiled;
    let mut rows = vec![["actor", "names", "EPP commands", "folder", "not stated"].map(str::to_owned).to_vec()];
    for handed in actors.iter().chain(difference) {
        let open = handed.open.join("; ");
        rows.push(vec![handed.called.clone(), count(handed.names), count(handed.frames), handed.folder.clone(), open]);
    }
    terminal::line(&table(&rows))?;
    terminal::line(&format!(
        "\n{shown}: {} names, {} files, {} octets\nmanifest {digest}",
        count(*names),
        count(*files),
        count(*octets)
    ))?;
    if !signed {
        terminal::say("the ledger has no key: the manifest is not signed, and proves only that nothing changed since");
    }
    Ok(())
}

fn sent(door: &Door, args: SentArgs) -> Done {
    let SentArgs { case, actor, order, at: sent, due, who, out } = args;
    let wish = SentRequest { actor, order, sent, due };
    let done: Said = door.post(&format!("/cases/{case}/dispatches"), &wish, Some(&token(&who)?))?;
    if out.json { terminal::json(&done) } else { terminal::line(&done.said) }
}

fn acked(door: &Door, args: AckedArgs) -> Done {
    let AckedArgs { case, actor, said, refused, order, at: answered, who, out } = args;
    let wish = AckedRequest { actor, order, answered, said, refused };
    let done: Said = door.post(&format!("/cases/{case}/acknowledgements"), &wish, Some(&token(&who)?))?;
    if out.json { terminal::json(&done) } else { terminal::line(&done.said) }
}

//----------- The live board ---------------------------------------------------------------------------------------

/// The door is opened for each look: where no daemon runs, others need the folder meanwhile to say what was sent.
fn execute(place: &Place, args: &ExecuteArgs) -> Done {
    begin(&Door::open(place, "case execute")?, args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().tried("starting a runtime")?;
    let mut last: Option<Vec<BoardRow>> = None;
    loop {
        let board: Board = Door::open(place, "case execute")?.get(&format!("/cases/{}/board", args.case))?;
        let done = board.rows.iter().all(is_done);
        if last.as_ref() != Some(&board.rows) {
            show(&board, args)?;
        }
        if args.once || done {
            return Ok(());
        }
        last = Some(board.rows);
        let ended = runtime.block_on(async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            }
        });
        if ended {
            return Ok(());
        }
    }
}

fn begin(door: &Door, args: &ExecuteArgs) -> Done {
    let (Some(person), Some(token_file)) = (&args.person, &args.token_file) else { return Ok(()) };
    let case: CaseDetail = door.get(&format!("/cases/{}", args.case))?;
    if case.summary.state >= CaseState::Executing {
        return Ok(());
    }
    let who = WhoArgs { person: person.clone(), token_file: token_file.clone() };
    let wish = serde_json::json!({ "to": CaseState::Executing });
    let done: Said = door.post(&format!("/cases/{}/state", args.case), &wish, Some(&token(&who)?))?;
    terminal::say(&done.said);
    Ok(())
}

/// Nothing is awaited of this actor any more.
fn is_done(row: &BoardRow) -> bool {
    row.acknowledged.is_some() && row.delegated >= row.redirected
}

fn show(board: &Board, args: &ExecuteArgs) -> Done {
    if args.json {
        let line = serde_json::json!({ "t0": args.at, "board": board });
        return terminal::line(&line.to_string());
    }
    terminal::line(&format!("{}\n\n{}\n", since(args.at, now()), drawn(board)))
}

/// `T+00:12:05`, or what is left.
fn since(t0: Timestamp, now: Timestamp) -> String {
    let secs = now.as_second() - t0.as_second();
    let (sign, secs) = if secs < 0 { ('-', -secs) } else { ('+', secs) };
    format!("T{sign}{:02}:{:02}:{:02}  (T0 {t0})", secs / 3_600, secs / 60 % 60, secs % 60)
}

fn drawn(board: &Board) -> String {
    let head = ["actor", "order", "names", "sent", "due", "acknowledged", "delegated", "first contact", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for row in &board.rows {
        let delegated = match (row.partial, row.redirected) {
            (_, 0) => "none is redirected".to_owned(),
            (0, all) => format!("{} of {}", count(row.delegated), count(all)),
            (partial, all) => format!("{} of {}, {} in part", count(row.delegated), count(all), count(partial)),
        };
        let word = if row.late {
            "LATE"
        } else if is_done(row) {
            "done"
        } else {
            ""
        };
        rows.push(vec![
            row.actor.clone(),
            row.order.to_string(),
            count(row.names),
            at(row.sent),
            at(row.due),
            at(row.acknowledged),
            delegated,
            at(row.first_contact),
            word.to_owned(),
        ]);
    }
    format!("{}{}", table(&rows), on_their_way_back(board))
}

fn at(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".to_owned(), |at| at.strftime("%m-%d %H:%M:%SZ").to_string())
}

/// Names that went back, each with what is not done yet.
fn on_their_way_back(board: &Board) -> String {
    if board.returned_in_all == 0 {
        return String::new();
    }
    let mut text = format!("\n\non their way back: {}", count(board.returned_in_all));
    for one in &board.returned {
        let open: Vec<&str> = one.stages.iter().filter(|stage| !stage.done).map(|stage| stage.stage.as_str()).collect();
        let left = if open.is_empty() { "all is done".to_owned() } else { format!("open: {}", open.join(", ")) };
        text.push_str(&format!("\n  {}  {}; {left}", one.name.defanged(), at(one.returned)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(acknowledged: bool, delegated: u64) -> BoardRow {
        let value = serde_json::json!({
            "order": "o-1", "actor": "us", "called": "Us", "contact": null, "names": 3, "redirected": 2,
            "sent": "2026-03-20T12:00:00Z", "by": null, "due": null,
            "acknowledged": acknowledged.then_some("2026-03-20T13:00:00Z"), "said": null, "partial": 1,
            "delegated": delegated, "first_contact": null, "late": !acknowledged,
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_actor_is_done_when_they_answered_and_all_redirected_names_are_delegated() {
        for (acknowledged, delegated, done) in [(false, 2, false), (true, 1, false), (true, 2, true)] {
            assert_eq!(is_done(&row(acknowledged, delegated)), done);
        }
    }

    #[test]
    fn the_board_says_who_is_late_and_what_is_there_in_part() {
        let board = Board {
            case: "harbour".parse().unwrap(),
            now: "2026-03-20T12:00:00Z".parse().unwrap(),
            compiled: "2026-03-20T11:00:00Z".parse().unwrap(),
            rows: vec![row(false, 1)],
            open: 0,
            returned: Vec::new(),
            returned_in_all: 0,
        };
        let shown = drawn(&board);
        assert!(
            shown.contains("1 of 2, 1 in part") && shown.contains("LATE") && shown.contains("03-20 12:00:00Z"),
            "{shown}"
        );
    }

    #[test]
    fn time_is_told_from_t0() {
        let t0: Timestamp = "2026-03-20T12:00:00Z".parse().unwrap();
        for (now, told) in [("2026-03-20T12:12:05Z", "T+00:12:05"), ("2026-03-20T10:59:59Z", "T-01:00:01")] {
            assert!(since(t0, now.parse().unwrap()).starts_with(told));
        }
    }
}
