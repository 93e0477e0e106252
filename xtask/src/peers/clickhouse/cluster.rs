//! Two ClickHouse 18.16 servers and ZooKeeper, as Debian carries them: real replicas, real shards, and one that dies.
//!
//! For the long tier: `cargo xtask test clickhouse-cluster`, which runs only when it is named. The profile is `old`: rows
//! go in by RowBinary, the same block is known by its rows. Two layouts on fresh servers each:
//!
//! - **one shard, two replicas**, quorum one: traffic goes on while one replica is killed, and while it is back and the
//!   other one is; at the end both have every row once, also what they were killed over.
//! - **the same, quorum of both**: with one replica dead nothing is acknowledged; when it is back all of it is, once.
//! - **two shards**: every segment on the shard that its id says, both shards used, together every row once.
//!
//! Absent: what only a server of today has (tokens on replicas, materialized views on shards, row policies).

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{all_went_out, outbox};
use crate::clock::{pause, wait_for};
use crate::population::{Population, sum};
use crate::program::{Program, exercise, free_port};
use crate::shell::{Kept, command, run_for};
use crate::tally::{Tally, holds};
use crate::{Done, Trouble};

const UP: Duration = Duration::from_secs(60);
const CAUGHT_UP: Duration = Duration::from_secs(180);
const ASKED: Duration = Duration::from_secs(60);
/// The demo's population, in per cent.
const SCALE: u32 = 100;
/// How long one replica stays dead.
const DEAD: Duration = Duration::from_secs(8);
/// Starts of one server, and how long it must have stood to be believed.
const STARTS: u32 = 3;
const SETTLED: Duration = Duration::from_secs(3);
const PASSWORD: &str = "a word, with % in it";
const TABLES: [&str; 4] = ["contacts", "raw", "outcomes", "verdicts"];

pub fn run(tally: &mut Tally) -> Done {
    replicas(tally, 1)?;
    replicas(tally, 2)?;
    shards(tally)
}

//----------- Layouts ----------------------------------------------------------------------------------------------

fn replicas(tally: &mut Tally, quorum: u32) -> Done {
    println!("  one shard, two replicas, quorum {quorum}");
    let mut site = Site::open(&[&["a", "b"]])?;
    let mut program = site.program(quorum)?;
    program.start()?;
    for dead in ["a", "b"] {
        let sent_so_far = sent(&program).unwrap_or(0);
        let mut callers = Population::call(&program, SCALE)?;
        tally.check("segments go to the cluster under traffic", goes_out(&program, sent_so_far));
        site.kill(dead);
        let before = sent(&program)?;
        pause(DEAD);
        if quorum == 1 {
            let promise = format!("replica {dead} is killed: the other one goes on taking segments");
            tally.check(&promise, goes_out(&program, before));
        } else {
            // One may have been under way; the next one waits on the server for its second replica.
            let now = outbox(&program)?;
            let waits = sent(&program)? <= before + 1 && now["rows_waiting"] != 0;
            let promise = format!("replica {dead} is killed: nothing is acknowledged that only one has");
            tally.check(&promise, holds(waits, || format!("{before} before, {now}")));
        }
        site.start(dead)?;
        callers.comes_home()?;
    }
    everything(tally, &program)?;
    for replica in ["a", "b"] {
        let promise = format!("replica {replica} has every row of the archive, once");
        tally.check(&promise, same_rows(&program, &site, &[replica]));
    }
    program.stop()
}

fn shards(tally: &mut Tally) -> Done {
    println!("  two shards of one replica each");
    let mut site = Site::open(&[&["a"], &["b"]])?;
    let mut program = site.program(1)?;
    program.start()?;
    let mut callers = Population::call(&program, SCALE)?;
    tally.check("segments go to the cluster under traffic", goes_out(&program, 0));
    site.kill("b");
    pause(DEAD);
    site.start("b")?;
    callers.comes_home()?;
    everything(tally, &program)?;
    tally.check("both shards together have every row of the archive, once", same_rows(&program, &site, &["a", "b"]));
    let each = ["a", "b"].map(|shard| site.ask(shard, "SELECT count() FROM bailiwick.contacts_local"));
    let each: Vec<String> = each.into_iter().collect::<Result<_, _>>()?;
    // Contacts are few segments: all of them may have gone one way. Those of four tables do not.
    let all = TABLES.map(|table| format!("SELECT count() AS n FROM bailiwick.{table}_local")).join(" UNION ALL ");
    let parts = ["a", "b"].map(|shard| site.ask(shard, &format!("SELECT sum(n) FROM ({all})")));
    let parts: Vec<String> = parts.into_iter().collect::<Result<_, _>>()?;
    tally.check("each shard has a part", holds(parts.iter().all(|count| count != "0"), || format!("{parts:?}")));
    println!("        rows by shard: {parts:?}");
    let whole = site.ask("a", "SELECT count() FROM bailiwick.contacts")?;
    let sum: u64 = each.iter().filter_map(|count| count.parse::<u64>().ok()).sum();
    tally.check("the table over both says so, too", holds(whole == sum.to_string(), || format!("{whole}, {each:?}")));
    println!("        contacts by shard: {each:?}");
    program.stop()
}

fn sent(program: &Program) -> Result<u64, Trouble> {
    outbox(program)?["segments_out"].as_u64().ok_or_else(|| "status has no segments_out".into())
}

fn goes_out(program: &Program, before: u64) -> Done {
    wait_for("another segment to go out", CAUGHT_UP, || (sent(program).ok()? > before).then_some(()))
}

/// Waits until insight has spoken of everybody and nothing waits.
fn everything(tally: &mut Tally, program: &Program) -> Done {
    let recorded = sum(&program.on_disk()?["by_kind"]);
    super::counted(program, "parquet", "SELECT count(*) FROM verdicts", recorded)?;
    tally.check("nothing waits any more, and what came in went out", all_went_out(program));
    Ok(())
}

/// Every id as often as the archive has it, and contacts cell by cell.
fn same_rows(program: &Program, site: &Site, servers: &[&str]) -> Done {
    for table in TABLES {
        let id = if table == "verdicts" { "contact_id" } else { "id" };
        let ours = program.count(&format!("SELECT count(*) FROM {table}"))?;
        let ids = program.count(&format!("SELECT count(DISTINCT {id}) FROM {table}"))?;
        let mut seen = String::new();
        let wanted = wait_for(&format!("{ours} rows of {table} on {servers:?}"), CAUGHT_UP, || {
            let sql = format!("SELECT {id} FROM bailiwick.{table}_local ORDER BY {id}");
            let all: Result<Vec<String>, Trouble> = servers.iter().map(|server| site.ask(server, &sql)).collect();
            let all = all.ok()?;
            let mut found: Vec<&str> = all.iter().flat_map(|said| said.lines()).collect();
            seen = format!("{} rows", found.len());
            let rows = found.len() as u64;
            found.sort_unstable();
            found.dedup();
            (rows == ours && found.len() as u64 == ids).then_some(())
        });
        wanted.map_err(|trouble| format!("{trouble}; there were {seen}"))?;
    }
    same_cells(program, site, servers)
}

/// Numbers, texts, nulls, lists and times: what a slip of an octet in a row would turn into others.
fn same_cells(program: &Program, site: &Site, servers: &[&str]) -> Done {
    let ours = "SELECT id, CAST(CAST(received AS BIGINT) AS VARCHAR), source, source_port, kind, coalesce(apex, '-'),
        coalesce(qname, '-'), coalesce(qtype, 0), coalesce(target, '-'), coalesce(user_agent, '-'),
        oddities, coalesce(octets, 0) FROM contacts";
    let theirs = "SELECT id, toString(received), source, source_port, kind, ifNull(apex, '-'), ifNull(qname, '-'),
        ifNull(qtype, 0), ifNull(target, '-'), ifNull(user_agent, '-'), oddities, ifNull(octets, 0)
        FROM bailiwick.contacts_local FORMAT JSONCompact";
    let wanted = program.rows(&format!("{ours} LIMIT 10000"))?;
    let mut found = Vec::new();
    for server in servers {
        let said: Value = serde_json::from_str(&site.ask(server, theirs)?)?;
        let rows = said["data"].as_array().cloned().unwrap_or_default();
        found.extend(rows.into_iter().map(|row| row.as_array().cloned().unwrap_or_default()));
    }
    let known: BTreeMap<String, &Vec<Value>> = found.iter().map(|row| (row[0].to_string(), row)).collect();
    let differs = wanted.iter().find(|row| known.get(&row[0].to_string()) != Some(row));
    holds(!wanted.is_empty() && differs.is_none(), || {
        let row = differs.map(|row| (row, known.get(&row[0].to_string())));
        format!("{} contacts compared, the first that differs: {row:?}", wanted.len())
    })
}

//----------- Servers ----------------------------------------------------------------------------------------------

/// ZooKeeper and two servers, in a folder that goes away.
struct Site {
    folder: TempDir,
    /// Names of the replicas of each shard.
    shards: Vec<Vec<String>>,
    servers: Vec<Server>,
    _keeper: Kept,
}

struct Server {
    name: String,
    http: u16,
    tcp: u16,
    running: Option<Kept>,
}

impl Site {
    fn open(shards: &[&[&str]]) -> Result<Self, Trouble> {
        let folder = TempDir::with_prefix("bailiwick-clickhouse-")?;
        let keeper_port = free_port()?;
        let keeper = keeper(folder.path(), keeper_port)?;
        let names = shards.iter().flat_map(|replicas| replicas.iter());
        let server = |name: &&str| -> Result<Server, Trouble> {
            Ok(Server { name: (*name).to_owned(), http: free_port()?, tcp: free_port()?, running: None })
        };
        let servers = names.map(server).collect::<Result<Vec<_>, _>>()?;
        let shards = shards.iter().map(|all| all.iter().map(|name| (*name).to_owned()).collect()).collect();
        let mut site = Self { folder, shards, servers, _keeper: keeper };
        for at in 0..site.servers.len() {
            site.configure(at, keeper_port)?;
            let name = site.servers[at].name.clone();
            site.start(&name)?;
        }
        Ok(site)
    }

    fn configure(&self, at: usize, keeper_port: u16) -> Done {
        let Server { name, http, tcp, .. } = &self.servers[at];
        let (home, interserver) = (self.home(name), free_port()?);
        fs::create_dir_all(&home)?;
        let shown = home.display();
        let shard = self.shards.iter().position(|replicas| replicas.contains(name)).ok_or("a server of no shard")?;
        let replica = |name: &String| {
            let port = self.servers.iter().find(|server| server.name == *name).map_or(0, |server| server.tcp);
            format!("<replica><host>127.0.0.1</host><port>{port}</port><password>{PASSWORD}</password></replica>")
        };
        let shards = self.shards.iter().map(|replicas| {
            let replicas: String = replicas.iter().map(replica).collect();
            format!("<shard><internal_replication>true</internal_replication>{replicas}</shard>")
        });
        let shards: String = shards.collect();
        let config = format!(
            "<yandex><logger><level>warning</level><log>{shown}/log</log><errorlog>{shown}/errors</errorlog></logger>\
             <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><interserver_http_port>{interserver}</interserver_http_port>\
             <interserver_http_host>127.0.0.1</interserver_http_host><listen_host>127.0.0.1</listen_host>\
             <path>{shown}/data/</path><tmp_path>{shown}/tmp/</tmp_path><users_config>users.xml</users_config>\
             <default_profile>default</default_profile><default_database>default</default_database>\
             <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone>\
             <zookeeper><node><host>127.0.0.1</host><port>{keeper_port}</port></node><session_timeout_ms>4000</session_timeout_ms></zookeeper>\
             <remote_servers><bailiwick>{shards}</bailiwick></remote_servers>\
             <macros><shard>{shard}</shard><replica>{name}</replica></macros>\
             <distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl></yandex>"
        );
        let users = format!(
            "<yandex><profiles><default></default></profiles><quotas><default></default></quotas><users><default>\
             <password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>\
             <quota>default</quota></default></users></yandex>"
        );
        fs::write(home.join("users.xml"), users)?;
        Ok(fs::write(home.join("config.xml"), config)?)
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A server of that age that comes back while ZooKeeper still holds its old session may fall; it is started again.
    fn start(&mut self, name: &str) -> Done {
        let mut last = Ok(());
        for _ in 0..STARTS {
            last = self.launch(name);
            pause(SETTLED);
            if last.is_ok() && self.ask(name, "SELECT 1").is_ok_and(|said| said == "1") {
                return Ok(());
            }
            println!("        server {name} fell over its start, and is started again");
            self.kill(name);
        }
        last.and(Err(format!("server {name} does not stay").into()))
    }

    fn launch(&mut self, name: &str) -> Done {
        let home = self.home(name);
        let server = self.servers.iter_mut().find(|server| server.name == name).ok_or("no such server")?;
        let said = fs::File::options().create(true).append(true).open(home.join("said"))?;
        let mut program =
            command("clickhouse-server", [format!("--config-file={}", home.join("config.xml").display())]);
        program.current_dir(&home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        server.running = Some(Kept(program.spawn().map_err(|error| format!("starting clickhouse-server: {error}"))?));
        let http = server.http;
        let up = wait_for(&format!("server {name}"), UP, || TcpStream::connect((Ipv4Addr::LOCALHOST, http)).ok());
        up.map(|_| ()).map_err(|trouble| {
            let said = fs::read_to_string(home.join("said")).unwrap_or_default();
            format!("{trouble}\n{said}").into()
        })
    }

    /// By SIGKILL.
    fn kill(&mut self, name: &str) {
        if let Some(server) = self.servers.iter_mut().find(|server| server.name == name) {
            server.running = None;
        }
    }

    fn ask(&self, name: &str, sql: &str) -> Result<String, Trouble> {
        let server = self.servers.iter().find(|server| server.name == name).ok_or("no such server")?;
        let (address, key) = (format!("http://127.0.0.1:{}/", server.http), format!("X-ClickHouse-Key: {PASSWORD}"));
        // 18.16 takes a key only from somebody who says a name.
        let fields = ["--header", "X-ClickHouse-User: default", "--header", &key];
        let words = ["--silent", "--show-error", "--fail-with-body", "--data-binary", sql, &address];
        let words = [&fields[..], &words].concat();
        Ok(run_for(&mut command("curl", words), ASKED)?.good()?.trim().to_owned())
    }

    /// The program, with these servers in its configuration.
    fn program(&self, quorum: u32) -> Result<Program, Trouble> {
        let program = Program::install(&exercise())?;
        fs::write(program.path("clickhouse.password"), PASSWORD)?;
        let port = |name: &String| self.servers.iter().find(|server| server.name == *name).map_or(0, |one| one.http);
        let shards: Vec<Vec<String>> = self
            .shards
            .iter()
            .map(|replicas| replicas.iter().map(|name| format!("http://127.0.0.1:{}", port(name))).collect())
            .collect();
        program.configure_also(&format!(
            "[clickhouse]\nshards = {shards:?}\nprofile = \"old\"\nquorum = {quorum}\npassword_file = \"clickhouse.password\"\n"
        ))?;
        Ok(program)
    }
}

fn keeper(folder: &Path, port: u16) -> Result<Kept, Trouble> {
    let (config, data) = (folder.join("zoo.cfg"), folder.join("zookeeper"));
    fs::create_dir_all(&data)?;
    let text = format!(
        "tickTime=1000\ndataDir={}\nclientPort={port}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n",
        data.display()
    );
    fs::write(&config, text)?;
    let classes = "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar";
    let mut java = command("java", ["-Xmx256m", "-cp", classes, "org.apache.zookeeper.server.quorum.QuorumPeerMain"]);
    let said = fs::File::create(folder.join("zookeeper.log"))?;
    java.arg(&config).stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
    let kept = Kept(java.spawn().map_err(|error| format!("starting ZooKeeper: {error}"))?);
    wait_for("ZooKeeper", UP, || mode(port).filter(|said| said.contains("Mode:")))?;
    Ok(kept)
}

/// Its own word: it listens some time before it serves, and 18.16 falls over one that does not serve yet.
fn mode(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
    stream.write_all(b"srvr").ok()?;
    let mut said = String::new();
    stream.read_to_string(&mut said).ok().map(|_| said)
}
