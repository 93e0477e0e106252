//! `bailiwick case gate`, `case decide` and `case related`: what is looked at before an order is filed.

use std::path::{Path, PathBuf};

use desk::api::{DecideRequest, Decided, DecisionTold, GateTold, RelatedTold};
use docket::gate::{Bundle, TABLES_OCTETS_MAX, specs};
use docket::related::{Kind, Related};
use model::gate::{WarningChoice, WarningKind};
use model::id::Position;
use model::name::DomainName;

use crate::cli::{DecideArgs, GateArgs, GateCommand, Place, RelatedArgs};
use crate::config::Config;
use crate::door::{Door, token};
use crate::failure::{Done, Failure, Tried, code};
use crate::terminal;

/// What a folder of tables says of itself.
const MANIFEST: &str = "gate.toml";

pub(crate) fn run(place: &Place, command: GateCommand) -> Done {
    match command {
        GateCommand::Gate(args) => gate(place, &args),
        GateCommand::Decide(args) => decide(place, &args),
        GateCommand::Related(args) => related(place, &args),
    }
}

//----------- gate -------------------------------------------------------------------------------------------------

fn gate(place: &Place, args: &GateArgs) -> Done {
    let config = Config::load(place)?;
    let path = format!("/cases/{}/gate", args.case);
    let told: GateTold = if args.show {
        Door::into(&config, "case gate")?.get(&path)?
    } else {
        let folder = args.tables.as_ref().or(config.gate.tables.as_ref());
        let bundle = folder.map(|folder| bundle(folder)).transpose()?.unwrap_or_default();
        Door::into(&config, "case gate")?.post_file(&path, bundle.to_bytes(), "application/octet-stream")?
    };
    if args.out.json {
        terminal::json(&told)?;
    } else {
        terminal::line(shown(&told, args.all).trim_end())?;
    }
    if told.in_the_way.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("case {} is held: {}", told.case, told.in_the_way.join("; ")))
        .hint(format!("counsel decides with `bailiwick case decide {} NAME… WARNING`", told.case))
        .code(code::NOT_VERIFIED))
}

/// The folder's files, as its `gate.toml` names them.
fn bundle(folder: &Path) -> Result<Bundle, Failure> {
    let manifest = folder.join(MANIFEST);
    let text =
        std::fs::read_to_string(&manifest).tried(format_args!("reading the list of tables {}", manifest.display()))?;
    let specs = specs(&text).tried(format_args!("reading {}", folder.display()))?;
    let mut files = vec![(MANIFEST.to_owned(), text.into_bytes())];
    let mut names: Vec<String> = specs.into_iter().map(|spec| spec.file).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        files.push((name.clone(), bounded(&folder.join(&name))?));
    }
    Ok(Bundle(files))
}

fn bounded(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let size = std::fs::metadata(path).tried(format_args!("reading {shown}"))?.len();
    if size > TABLES_OCTETS_MAX as u64 {
        return Err(Failure::new(format!("{shown} has {size} octets; at most {TABLES_OCTETS_MAX} are taken")));
    }
    std::fs::read(path).tried(format_args!("reading {shown}"))
}

fn shown(told: &GateTold, all: bool) -> String {
    let mut text = told.report.to_text(all);
    if !told.decisions.is_empty() {
        text.push_str("\ndecided\n");
        told.decisions.iter().for_each(|one| text.push_str(&decision(one)));
    }
    let stands = if told.in_the_way.is_empty() {
        "clean: nothing is in the way of filing".to_owned()
    } else {
        format!("in the way: {}", told.in_the_way.join("; "))
    };
    format!("{text}\nreport {}, run at position {}\n{stands}", told.report_digest.short(), told.run)
}

fn decision(one: &DecisionTold) -> String {
    let names: Vec<String> = one.names.iter().map(|name| name.defanged().to_string()).collect();
    let whose = if names.is_empty() { "all that were open".to_owned() } else { names.join(" ") };
    let word = if one.choice == WarningChoice::Accept { "accepted" } else { "dropped" };
    let by = one.by.as_ref().map_or("nobody", |by| by.as_str());
    format!("  {} {word} by {by}, {}: {}\n    {whose}\n", one.kind, one.at, one.reason)
}

//----------- decide -----------------------------------------------------------------------------------------------

fn decide(place: &Place, args: &DecideArgs) -> Done {
    let (kind, names) = what(args)?;
    let choice = if args.accept { WarningChoice::Accept } else { WarningChoice::Drop };
    let token = token(&args.who)?;
    let door = Door::open(place, "case decide")?;
    let standing: GateTold = door.get_as(&format!("/cases/{}/gate", args.case), Some(&token))?;
    let run = standing.run.parse::<u64>().map(Position).tried("reading the position of the gate's run")?;
    let wish = DecideRequest { run, kind, names, choice, reason: args.reason.clone() };
    let done: Decided = door.post(&format!("/cases/{}/gate/decisions", args.case), &wish, Some(&token))?;
    if args.out.json {
        return terminal::json(&done);
    }
    terminal::line(&format!("{} (run at position {run}, report {})", done.said, standing.report_digest.short()))?;
    let left = if done.in_the_way.is_empty() {
        "nothing is in the way of filing".to_owned()
    } else {
        format!("in the way still: {}", done.in_the_way.join("; "))
    };
    terminal::say(&left);
    Ok(())
}

fn what(args: &DecideArgs) -> Result<(WarningKind, std::collections::BTreeSet<DomainName>), Failure> {
    let usage = |what: String, hint: String| Failure::new(what).hint(hint).code(code::USAGE);
    let (last, names) = args.what.split_last().expect("clap wants one at least");
    let words = || WarningKind::ALL.map(WarningKind::as_str).join(", ");
    let kind = WarningKind::parse(last).ok_or_else(|| {
        usage(format!("`{last}` is no warning of the gate"), format!("the last word is one of {}", words()))
    })?;
    if names.is_empty() != args.all {
        let hint = "name the names before the warning, or say `--all` without names".to_owned();
        return Err(usage("it is not clear which names are meant".into(), hint));
    }
    let parse = |text: &String| {
        DomainName::parse(text)
            .map_err(|error| usage(format!("`{text}`: {error}"), "plain dots, as files have them".into()))
    };
    Ok((kind, names.iter().map(parse).collect::<Result<_, _>>()?))
}

//----------- related ----------------------------------------------------------------------------------------------

fn related(place: &Place, args: &RelatedArgs) -> Done {
    let files = [(Kind::PassiveDns, &args.pdns), (Kind::Certificates, &args.ct), (Kind::Rdap, &args.rdap)];
    let mut bundle = Vec::new();
    for (kind, path) in files.into_iter().flat_map(|(kind, paths)| paths.iter().map(move |path: &PathBuf| (kind, path)))
    {
        bundle.push((format!("{}:{}", kind.as_str(), path.display()), bounded(path)?));
    }
    let path = format!("/cases/{}/related", args.case);
    let door = Door::open(place, "case related")?;
    let told: RelatedTold = door.post_file(&path, Bundle(bundle).to_bytes(), "application/octet-stream")?;
    match (&args.draft, &told.draft) {
        (Some(file), Some(draft)) => {
            let made = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
            let mut made = made.tried(format_args!("making the draft {}", file.display()))?;
            std::io::Write::write_all(&mut made, draft.as_bytes()).tried(format_args!("writing {}", file.display()))?;
        }
        (Some(_), None) => {
            terminal::say("no draft was written: no related name is strong enough, or none can be listed");
        }
        (None, _) => {}
    }
    if args.out.json { terminal::json(&told) } else { terminal::line(told_text(&told.related).trim_end()) }
}

fn told_text(related: &Related) -> String {
    related.to_text()
}
