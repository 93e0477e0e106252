//! The command line, as clap reads it. Text only: nothing here touches the world.
//!
//! Commands are `noun verb`. Results go to stdout, talk to stderr; `--json` stands wherever a script might read.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use desk::api::WindowLength;
use model::DomainName;
use model::id::{CaseId, ContactId, GroupId, PersonId};
use model::marking::Audience;
use model::verdict::Label;

mod amend;
mod audit;
mod clickhouse;
mod evidence;
mod execution;
mod gate;
mod keep;
mod leaving;
mod people;
mod quick;
mod report;
mod returning;
mod sensor;
mod verify;
mod watch;

pub(crate) use amend::{AmendCommand, MonitorSaid};
pub(crate) use audit::{AuditCommand, ExportArgs, ExportProfile, VerifyArgs};
pub(crate) use clickhouse::{ClickHouseCommand, EngineWord};
pub(crate) use evidence::*;
pub(crate) use execution::{AckedArgs, AppendixArgs, ExecuteArgs, ExecutionCommand, ReadyArgs, SentArgs};
pub(crate) use gate::{DecideArgs, GateArgs, GateCommand, RelatedArgs};
pub(crate) use keep::{BackupArgs, RestoreArgs, RetentionCommand};
pub(crate) use leaving::{CaseExportArgs, LeavingCommand};
pub(crate) use people::{AdvanceArgs, AuthorityCommand, ByArgs, FileArgs, MachineCommand, MembersArgs, TokenCommand};
pub(crate) use quick::{QuickArgs, QuickAuthority};
pub(crate) use report::{AskerArgs, By, Format as ReportFormat, QueryArgs, ReportArgs};
pub(crate) use returning::ReturnArgs;
pub(crate) use sensor::SensorCommand;
pub(crate) use verify::{VerifyCaseArgs, VerifyCommand};
pub(crate) use watch::{AlarmCommand, CaseWatchCommand, CustodyCommand, DateCommand, TakeArgs};

/// Turn an order into protection: take over a threat group's names, answer for them safely, learn from whoever
/// still calls, and hand what was learned to those who can act on it.
#[derive(Parser)]
#[command(name = "bailiwick", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which installation a command is about.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Place {
    /// The configuration; `bailiwick.toml` here, if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The data folder, instead of the configuration's.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Read as the person whose token this file holds: what they may not see is not there.
    #[arg(long, global = true, value_name = "TOKEN-FILE")]
    pub(crate) reader: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the sinkhole: answer, record, learn, until SIGTERM.
    Serve(ServeArgs),
    /// See the whole loop on this machine: an exercise on loopback, with simulated callers.
    Demo(DemoArgs),
    /// What runs, what came in, what was lost.
    Status(JsonArgs),
    /// The DNS plane: listeners, rates, limits, amplification.
    #[command(subcommand)]
    Dns(DnsCommand),
    /// Whether this installation can keep its promises, and what to ask parents about DS records.
    Doctor(JsonArgs),
    /// Cases: import, make, show, ask for approval, narrow.
    #[command(subcommand)]
    Case(CaseCommand),
    /// By what right: what each kind of instrument gives, and which papers it takes.
    #[command(subcommand)]
    Authority(AuthorityCommand),
    /// Whether the seizures of a case took effect: every parent server, our own, resolvers, RDAP, the trap; name by name.
    Verify(VerifyCaseArgs),
    /// What a person has to look at: list, ack.
    #[command(subcommand)]
    Alarm(AlarmCommand),
    /// Whether what was taken over stays taken over: take, certificates.
    #[command(subcommand)]
    Custody(CustodyCommand),
    /// Evidence: keep, capture, time-stamp, export for a stranger.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// People who act.
    #[command(subcommand)]
    Person(PersonCommand),
    /// Machines that record for this one: enroll, join, list, revoke.
    #[command(subcommand)]
    Sensor(SensorCommand),
    /// What waits for two people.
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// What is known of a threat group.
    #[command(subcommand)]
    Group(GroupCommand),
    /// What we share.
    #[command(subcommand)]
    Feed(FeedCommand),
    /// Ask the archive in SQL: views contacts, outcomes, verdicts, raw, sightings, daily_names and daily_sources.
    Query(QueryArgs),
    /// The archive's files.
    #[command(subcommand)]
    Archive(ArchiveCommand),
    /// Label what was received since then anew, by today's rules and tables; until all of it is done nothing changes.
    Replay(ReplayArgs),
    /// The archive on many machines.
    #[command(subcommand, name = "clickhouse")]
    ClickHouse(ClickHouseCommand),
    /// Copy the memory into a folder, while the program runs: ledger, archive, journal, vault, configuration, and a manifest
    /// that proves them. Keys are copied apart.
    Backup(BackupArgs),
    /// Put a data folder, or keys, together from a backup, once all of it verifies.
    Restore(RestoreArgs),
    /// For how long what is kept, what goes when, and what a legal hold keeps.
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// The questions that are asked again and again: top-names, unique-sources, timeline, by-network, source-history,
    /// victims.
    Report(ReportArgs),
    /// Find the group's next names.
    #[command(subcommand)]
    Hunt(HuntCommand),
    /// The journal, as it lies on disk.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Whether the ledger is what it was: verify, anchor, prove, publish.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write the ledger into a folder for others, who verify it with a key alone; what they may not see is withheld with its
    /// proof intact.
    Export(ExportArgs),
    /// Account names that victims typed: a key to seal them, and the names for whoever holds its private half.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Check and show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// The simulated callers of the demo and the tests.
    #[command(hide = true)]
    Callers(CallersArgs),
}

#[derive(Args)]
pub(crate) struct JsonArgs {
    /// One JSON object instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// Contacts received then or later: `2019-03-27`, `2019-03-27T09:00:00Z`, or ago: `90m`, `24h`, `7d`, `4w`.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: String,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// `all`, or `sensor`: answer and record, and leave everything else to the core that this machine has joined.
    #[arg(long, default_value = "all")]
    pub(crate) role: ServeRole,
    /// Write one line of JSON to stdout once everything listens: the addresses, for a supervisor or a test.
    #[arg(long)]
    pub(crate) announce: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum ServeRole {
    All,
    Sensor,
}

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Stop after the callers are done instead of staying up until Ctrl-C.
    #[arg(long)]
    pub(crate) headless: bool,
    /// One JSON object on stdout instead of the picture.
    #[arg(long)]
    pub(crate) json: bool,
    /// Keep the data folder here; it must be empty. Otherwise a fresh temporary one, removed at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// How many times the usual population calls.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) scale: u32,
}

#[derive(Subcommand)]
pub(crate) enum DnsCommand {
    /// By listener: what came, what became of it, how fast lately, and the limits.
    Status(JsonArgs),
    /// How many octets leave for one that comes, by type: what a forged source could make of this configuration.
    Amplification(AmplificationArgs),
    /// Have `_acme-challenge` below a seized name say an ACME client's tokens (RFC 8555, DNS-01), for an hour at most.
    /// The order must permit public certificates.
    Challenge {
        /// The seized name, or the name at which the authority looks.
        name: String,
        /// Digests in base64url, as the client has them; without one nothing is said any more.
        #[arg(value_name = "TOKEN")]
        tokens: Vec<String>,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Args)]
pub(crate) struct AmplificationArgs {
    /// The name servers of an order: NS answers grow with them.
    #[arg(long = "name-server", value_name = "NAME", value_parser = DomainName::parse, default_values = ["ns1.sinkhole.example", "ns2.sinkhole.example"])]
    pub(crate) name_servers: Vec<DomainName>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Subcommand)]
pub(crate) enum CaseCommand {
    /// Read a case file and record it as a draft. A bad file is refused whole. Whoever imports it is on the case.
    Import {
        file: PathBuf,
        #[command(flatten)]
        by: ByArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Make a case for a few names that are already ours, with the least acts.
    Quick(QuickArgs),
    /// All cases that you may see.
    List(JsonArgs),
    /// One case: group, authority, names, where it stands.
    Show {
        case: CaseId,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// How many called, per hour or day: contacts and distinct addresses.
    Counts {
        case: CaseId,
        #[arg(long, default_value = "day", value_parser = window)]
        window: WindowLength,
        /// Only contacts of this label, such as `victim`.
        #[arg(long, value_parser = label)]
        label: Option<Label>,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Ask two people to put the case's order in force and to serve its names.
    Request {
        case: CaseId,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Ask two people to lift the seal of the case's orders before the day that the papers name. For good: pages, feeds
    /// and marks name court and case from then on.
    Unseal {
        case: CaseId,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Do less with names, at once: hold, handback or off. One person.
    Narrow(NarrowArgs),
    /// Give names back to their owners, at once, with letter, plans and feeds; or say what remains. One person.
    Return(ReturnArgs),
    /// Keep the owner's records of a name, which answer while it is handed back; or show them.
    Records(RecordsArgs),
    #[command(flatten)]
    Amend(AmendCommand),
    #[command(flatten)]
    Machine(MachineCommand),
    #[command(flatten)]
    Gate(GateCommand),
    #[command(flatten)]
    Watch(CaseWatchCommand),
    #[command(flatten)]
    Execution(ExecutionCommand),
    #[command(flatten)]
    Provider(ProviderCommand),
    #[command(flatten)]
    Leaving(LeavingCommand),
}

#[derive(Args)]
pub(crate) struct NarrowArgs {
    pub(crate) case: CaseId,
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
    #[arg(long)]
    pub(crate) mode: NarrowMode,
    #[arg(long)]
    pub(crate) reason: String,
    /// Let kill switches among the names fall silent: what they stop may run again.
    #[arg(long)]
    pub(crate) disarm_kill_switch: bool,
    #[command(flatten)]
    pub(crate) who: WhoArgs,
}

#[derive(Args)]
pub(crate) struct RecordsArgs {
    pub(crate) case: CaseId,
    pub(crate) name: String,
    /// The owner's zone in master file format, at most 4 MiB; relative names are below NAME.
    #[arg(long, value_name = "FILE", required_unless_present = "show", requires = "source")]
    pub(crate) zone_file: Option<PathBuf>,
    /// Who captured it, from where, for the record: `the owner's export of 2026-03-01`.
    #[arg(long, value_name = "TEXT")]
    pub(crate) source: Option<String>,
    /// Show the file that is kept.
    #[arg(long, conflicts_with_all = ["zone_file", "source"])]
    pub(crate) show: bool,
    /// The person who keeps it.
    #[arg(long = "as", value_name = "PERSON", required_unless_present = "show", requires = "token_file")]
    pub(crate) person: Option<PersonId>,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE", required_unless_present = "show", requires = "person")]
    pub(crate) token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum NarrowMode {
    Hold,
    Handback,
    Off,
}

/// Who acts: a person, proven by a token.
#[derive(Args)]
pub(crate) struct WhoArgs {
    /// The person's id.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: PersonId,
    /// The file that holds the person's token; never the token itself.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum PersonCommand {
    /// Enrol a person and write their token to a new file, once.
    Add {
        person: PersonId,
        /// One or more of admin, analyst, auditor, investigator, legal, operator, partner.
        #[arg(long = "role", required = true)]
        roles: Vec<String>,
        /// Where to write the token (mode 0600); the file must not exist.
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// A demo's person: an approval counts for exercises only.
        #[arg(long)]
        fixture: bool,
        /// The file that holds the one-time token which the first start printed: it enrols the first admin.
        #[arg(long, value_name = "FILE", conflicts_with = "admin")]
        first: Option<PathBuf>,
        /// The admin who enrols, once there is one. Until then whoever sits at this machine does.
        #[arg(long = "as", value_name = "ADMIN", requires = "admin_token_file")]
        admin: Option<PersonId>,
        /// The file that holds the admin's token.
        #[arg(long, value_name = "FILE", requires = "admin")]
        admin_token_file: Option<PathBuf>,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Everyone who is enrolled.
    List(JsonArgs),
    /// Tokens for programs: add, list, revoke.
    #[command(subcommand)]
    Token(TokenCommand),
}

#[derive(Subcommand)]
pub(crate) enum ApprovalCommand {
    /// Requests and where they stand.
    List(JsonArgs),
    /// Exactly what a request asks for.
    Show {
        request: u64,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Say yes to every open request of a case, in one role.
    Give {
        case: CaseId,
        /// Only this request; otherwise every one of the case that waits.
        #[arg(long)]
        request: Option<u64>,
        #[arg(long)]
        role: String,
        #[command(flatten)]
        who: WhoArgs,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum GroupCommand {
    /// What is known, by whom; any alias finds the group.
    Show {
        alias: String,
        #[command(flatten)]
        out: JsonArgs,
    },
    /// Take in somebody's knowledge: a STIX 2.0 or 2.1 bundle, or MISP galaxy clusters.
    Import {
        group: GroupId,
        file: PathBuf,
        #[arg(long)]
        format: KnowledgeFormat,
        /// Where the file comes from, for the record: `MITRE ATT&CK v18.1`.
        #[arg(long)]
        source: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KnowledgeFormat {
    Stix,
    MispGalaxy,
}

#[derive(Subcommand)]
pub(crate) enum FeedCommand {
    /// Render one format for one audience; to stdout, or into a folder.
    Export {
        #[arg(long)]
        format: String,
        #[arg(long)]
        case: CaseId,
        #[arg(long, default_value = "partners", value_parser = audience)]
        audience: Audience,
        /// Write the file here under its usual name instead of stdout.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// The formats, and who takes them.
    List,
}

fn window(text: &str) -> Result<WindowLength, String> {
    match text {
        "hour" => Ok(WindowLength::Hour),
        "day" => Ok(WindowLength::Day),
        _ => Err("hour or day".to_owned()),
    }
}

fn label(text: &str) -> Result<Label, String> {
    let all = || Label::ALL.map(Label::as_str).join(", ");
    Label::parse(text).ok_or_else(|| format!("one of {}", all()))
}

fn audience(text: &str) -> Result<Audience, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "one of public, partners, network-owners, court, internal".to_owned())
}

#[derive(Subcommand)]
pub(crate) enum ArchiveCommand {
    /// Make few long files of many small ones now, and count the days that are over. The daemon does it by itself when
    /// there is time; no question is answered otherwise before, during or after it.
    Compact(JsonArgs),
    /// Let go of the verdicts that a later one replaced, of days that are compacted for good. A legal hold ends it.
    Retire(JsonArgs),
}

#[derive(Subcommand)]
pub(crate) enum HuntCommand {
    /// Score names from files or stdin, one a line.
    Score {
        files: Vec<PathBuf>,
        /// The case file whose names are the group's known ones; the shipped PHOSPHORUS list if not given.
        #[arg(long, value_name = "FILE")]
        known: Option<PathBuf>,
        /// The case whose names are the known ones, as its orders list them today, with their amendments.
        #[arg(long, conflicts_with = "known")]
        case: Option<CaseId>,
        /// Print only names that score at least this much.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        at_least: u8,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// Every contact on disk as CSV, in order of receipt by lane; reads beside a running daemon.
    Csv,
    /// Count what is on disk: frames by kind, the equation by listener, damage.
    Count {
        /// Count what this sensor has sent instead of what was recorded here.
        #[arg(long, value_name = "NUMBER")]
        sensor: Option<u32>,
        /// The equation of every listener, minute by minute.
        #[arg(long)]
        per_minute: bool,
        #[command(flatten)]
        out: JsonArgs,
    },
}

#[derive(Subcommand)]
pub(crate) enum AccountsCommand {
    /// The key that account names are sealed to.
    #[command(subcommand)]
    Key(AccountsKeyCommand),
    /// Print the account names that came with contacts, to warn the people whose they are.
    Open(OpenAccountsArgs),
}

#[derive(Subcommand)]
pub(crate) enum AccountsKeyCommand {
    /// Make both halves of a key, in two new files.
    New {
        /// Where to write the half that opens (mode 0600). It belongs on another machine than this.
        #[arg(long, value_name = "FILE")]
        private: PathBuf,
        /// Where to write the half that seals, for `account_key` in [trap].
        #[arg(long, value_name = "FILE")]
        public: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct OpenAccountsArgs {
    /// The file of the half that opens.
    #[arg(long, value_name = "FILE")]
    pub(crate) private: PathBuf,
    /// The contacts; `SELECT id FROM sightings WHERE accounts_sealed > 0` finds them.
    #[arg(required = true, value_name = "CONTACT_ID")]
    pub(crate) contacts: Vec<ContactId>,
    #[command(flatten)]
    pub(crate) out: JsonArgs,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the configuration and say what would be done.
    Check,
    /// The configuration with every default filled in.
    Show,
    /// A commented configuration to start from.
    Example,
}

#[derive(Args)]
pub(crate) struct CallersArgs {
    /// The plan, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: PathBuf,
}

/// An address that is never anything but this machine.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}
