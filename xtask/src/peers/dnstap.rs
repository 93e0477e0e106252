//! NSD, Knot and BIND answer for a seized name and tell us by dnstap what they were asked; a recorded stream comes over TCP.

use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::SEIZED;
use crate::clock::wait_for;
use crate::program::{Program, exercise, free_port};
use crate::shell::{self, Kept, command};
use crate::tally::{Tally, contains, holds};
use crate::{Done, Trouble};

/// From a server's start to its first answer, also on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Only this address may bring a stream by TCP.
const TCP_SENSOR: Ipv4Addr = Ipv4Addr::new(127, 13, 0, 9);
const ZONE: &str = "$TTL 300\n@ SOA ns1.sinkhole.example. hostmaster.sinkhole.example. 1 14400 3600 1209600 300\n@ NS ns1.sinkhole.example.\n@ A 127.0.0.1\n* A 127.0.0.1\n";

/// A fleet server: how it is called, where it answers, and how its records come.
struct Peer {
    name: &'static str,
    address: Ipv4Addr,
    words: fn(&str) -> Vec<String>,
    config: fn(&Setting) -> String,
}

/// What a server's configuration is made of.
struct Setting {
    folder: String,
    address: Ipv4Addr,
    port: u16,
    socket: String,
}

const PEERS: [Peer; 3] = [
    Peer { name: "nsd", address: Ipv4Addr::new(127, 13, 0, 1), words: nsd_words, config: nsd },
    Peer { name: "knotd", address: Ipv4Addr::new(127, 13, 0, 2), words: knot_words, config: knot },
    // BIND answers on addresses that an interface has, and of 127.0.0.0/8 that is one.
    Peer { name: "named", address: Ipv4Addr::LOCALHOST, words: named_words, config: named },
];

pub fn run(tally: &mut Tally) -> Done {
    let mut program = Program::install(&exercise())?;
    let mut config = fs::read_to_string(program.config())?;
    for peer in &PEERS {
        let name = peer.name;
        config += &format!("\n[[dnstap]]\nsensor = \"{name}\"\nunix = \"{name}.sock\"\nmode = \"0666\"\n");
    }
    let tcp = free_port()?;
    config += &format!("\n[[dnstap]]\nsensor = \"tcp\"\ntcp = \"{TCP_SENSOR}:{tcp}\"\nallow = [\"{TCP_SENSOR}\"]\n");
    fs::write(program.config(), config)?;
    program.start()?;
    for peer in &PEERS {
        tally.check(
            &format!("{}: every query becomes a contact with the sensor's name", peer.name),
            tell(peer, &program),
        );
    }
    tally.check("TCP: who is not on the list is turned away", turned_away(tcp));
    tally.check("the program ends cleanly, with its counts", program.stop());
    let log = program.log();
    tally.check("streams are noted with their sensor", contains(&log, "a dnstap sender streams"));
    Ok(())
}

/// Starts a server, asks it, and looks for its word in the journal.
fn tell(peer: &Peer, program: &Program) -> Done {
    let folder = program.path(peer.name);
    fs::create_dir_all(&folder)?;
    let socket = program.path(&format!("{}.sock", peer.name)).to_string_lossy().into_owned();
    let shown = folder.to_string_lossy().into_owned();
    let port = free_port()?;
    let at = SocketAddrV4::new(peer.address, port);
    let setting = Setting { folder: shown.clone(), address: peer.address, port, socket };
    fs::write(folder.join("zone"), ZONE)?;
    fs::write(folder.join("conf"), (peer.config)(&setting))?;
    let log = fs::File::create(folder.join("log"))?;
    let mut server = Command::new(peer.name);
    server.args((peer.words)(&format!("{shown}/conf"))).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let _server = Kept(server.spawn().map_err(|error| format!("starting {}: {error}", peer.name))?);
    let said = wait_for(&format!("{} to answer", peer.name), START, || ask(peer.address, port, "ready").ok());
    said.map_err(|trouble| format!("{trouble}\n{}", fs::read_to_string(folder.join("log")).unwrap_or_default()))?;
    // A sender that connects later than its server answers has lost what was asked until then: ask until it is told.
    let told = || ask(peer.address, port, "told").ok().filter(|()| lines(program, at, "told").is_ok_and(|n| n > 0));
    wait_for(&format!("a contact by way of {}", peer.name), START, told)?;
    for number in 0..5 {
        ask(peer.address, port, &format!("q{number}"))?;
    }
    let all = || (0..5).all(|number| lines(program, at, &format!("q{number}")).is_ok_and(|n| n == 1)).then_some(());
    wait_for(&format!("one contact for each query to {}", peer.name), START, all)?;
    Ok(())
}

/// How many contacts for a label at a server's address and port lie in the journal.
fn lines(program: &Program, at: SocketAddrV4, label: &str) -> Result<usize, Trouble> {
    let csv = program.ask(&["journal", "csv"])?.good()?;
    let (label, address) = (format!("{label}[.]"), format!(",{at},"));
    Ok(csv.lines().filter(|line| line.contains(&label) && line.contains(&address) && line.contains(",query,")).count())
}

fn ask(server: Ipv4Addr, port: u16, label: &str) -> Done {
    let (at, port, name) = (format!("@{server}"), port.to_string(), format!("{label}.{SEIZED}"));
    let mut dig = command("dig", [at.as_str(), "-p", &port, "+norecurse", "+tries=1", "+time=5", &name, "A"]);
    contains(&shell::run(&mut dig)?.good()?, "NOERROR")
}

/// A connection from another address of this machine hears the end at once.
fn turned_away(port: u16) -> Done {
    use std::io::Read;
    let mut stream = TcpStream::connect((TCP_SENSOR, port))?;
    stream.set_read_timeout(Some(START))?;
    let source = stream.local_addr()?;
    let read = stream.read(&mut [0; 1]).unwrap_or(0);
    holds(read == 0, || format!("{source} was heard"))
}

//----------- Configurations ---------------------------------------------------------------------------------------

fn nsd_words(conf: &str) -> Vec<String> {
    ["-d", "-c", conf].map(String::from).to_vec()
}

fn knot_words(conf: &str) -> Vec<String> {
    ["-c", conf].map(String::from).to_vec()
}

fn named_words(conf: &str) -> Vec<String> {
    ["-g", "-n", "1", "-c", conf].map(String::from).to_vec()
}

fn nsd(Setting { folder, address, port, socket }: &Setting) -> String {
    format!(
        "server:\n  ip-address: {address}@{port}\n  username: \"\"\n  chroot: \"\"\n  zonesdir: \"{folder}\"\n  pidfile: \"{folder}/pid\"\n  database: \"\"\n  zonelistfile: \"{folder}/list\"\n  xfrdfile: \"{folder}/xfrd\"\n  xfrdir: \"{folder}\"\nremote-control:\n  control-enable: no\ndnstap:\n  dnstap-enable: yes\n  dnstap-socket-path: \"{socket}\"\n  dnstap-log-auth-query-messages: yes\nzone:\n  name: {SEIZED}\n  zonefile: zone\n"
    )
}

fn knot(Setting { folder, address, port, socket }: &Setting) -> String {
    format!(
        "server:\n  listen: {address}@{port}\n  rundir: \"{folder}\"\ndatabase:\n  storage: \"{folder}\"\nmod-dnstap:\n  - id: tap\n    sink: \"unix:{socket}\"\n    log-queries: on\n    log-responses: off\ntemplate:\n  - id: default\n    storage: \"{folder}\"\n    global-module: mod-dnstap/tap\nzone:\n  - domain: {SEIZED}\n    file: zone\n"
    )
}

fn named(Setting { folder, address, port, socket }: &Setting) -> String {
    format!(
        "options {{ directory \"{folder}\"; pid-file \"{folder}/pid\"; session-keyfile \"{folder}/key\"; listen-on port {port} {{ {address}; }}; listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; dnstap {{ auth query; client query; }}; dnstap-output unix \"{socket}\"; }};\ncontrols {{ }};\nzone \"{SEIZED}\" {{ type primary; file \"{folder}/zone\"; }};\n"
    )
}
