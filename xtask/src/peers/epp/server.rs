//! The EPP test server: RFC 5734's data units over TCP on loopback, a session of RFC 5730, and one [`Registry`] behind it.
//!
//! TLS is left out: what is tested is what is said. Two registrars can log in, `us` and `them`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::registry::{Registry, code};
use super::xml::{self, Node, UNIT_OCTETS_MAX};
use crate::Trouble;

const PATIENCE: Duration = Duration::from_secs(120);
const PASSWORD: &str = "only-for-tests";
const GREETING: &str = "<greeting><svID>test registry</svID><svDate>2026-01-01T00:00:00Z</svDate><svcMenu><version>1.0</version><lang>en</lang><objURI>urn:ietf:params:xml:ns:domain-1.0</objURI><objURI>urn:ietf:params:xml:ns:host-1.0</objURI><svcExtension><extURI>urn:ietf:params:xml:ns:secDNS-1.1</extURI><extURI>urn:ietf:params:xml:ns:rgp-1.0</extURI></svcExtension></svcMenu><dcp><access><all/></access><statement><purpose><admin/></purpose><recipient><ours/></recipient><retention><none/></retention></statement></dcp></greeting>";

/// A server that runs as long as the suite does.
pub(super) struct Server {
    registry: Arc<Mutex<Registry>>,
    pub(super) at: SocketAddr,
}

impl Server {
    pub(super) fn start(registry: Registry) -> Result<Self, Trouble> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let at = listener.local_addr()?;
        let registry = Arc::new(Mutex::new(registry));
        let shared = Arc::clone(&registry);
        // Ends with the process; each session ends by its own patience.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let registry = Arc::clone(&shared);
                std::thread::spawn(move || session(stream, &registry));
            }
        });
        Ok(Self { registry, at })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, Registry> {
        locked(&self.registry)
    }
}

fn locked(registry: &Mutex<Registry>) -> MutexGuard<'_, Registry> {
    registry.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Until the client logs out, goes away, or is silent for too long.
fn session(mut stream: TcpStream, registry: &Mutex<Registry>) {
    let ready = stream.set_read_timeout(Some(PATIENCE)).is_ok() && send(&mut stream, GREETING).is_some();
    let mut who: Option<String> = None;
    if !ready {
        return;
    }
    loop {
        let Some(unit) = receive(&mut stream) else { return };
        let (answer, ends) = answer(&unit, &mut who, registry);
        if send(&mut stream, &answer).is_none() || ends {
            return;
        }
    }
}

fn receive(stream: &mut TcpStream) -> Option<String> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).ok()?;
    let length = (u32::from_be_bytes(head) as usize).checked_sub(4).filter(|length| *length <= UNIT_OCTETS_MAX)?;
    let mut unit = vec![0; length];
    stream.read_exact(&mut unit).ok()?;
    String::from_utf8(unit).ok()
}

fn send(stream: &mut TcpStream, body: &str) -> Option<()> {
    let unit =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\">{body}</epp>");
    let length = u32::try_from(unit.len() + 4).ok()?;
    stream.write_all(&length.to_be_bytes()).ok()?;
    stream.write_all(unit.as_bytes()).ok()
}

/// What is answered, and whether the session ends.
fn answer(unit: &str, who: &mut Option<String>, registry: &Mutex<Registry>) -> (String, bool) {
    let Some(root) = xml::read(unit).filter(|root| root.name == "epp") else {
        return (response(code::SYNTAX, "", ""), false);
    };
    if root.child("hello").is_some() {
        return (GREETING.to_owned(), false);
    }
    let Some(command) = root.child("command") else { return (response(code::SYNTAX, "", ""), false) };
    let id = command.child("clTRID").map(|id| id.text.trim().to_owned()).unwrap_or_default();
    if let Some(login) = command.child("login") {
        return (response(log_in(login, who), "", &id), false);
    }
    if command.child("logout").is_some() {
        return (response(code::ENDED, "", &id), true);
    }
    let answered = match who {
        Some(who) => locked(registry).answer(who, command),
        None => Err(code::USE),
    };
    match answered {
        Ok(data) => (response(code::DONE, &data, &id), false),
        Err(code) => (response(code, "", &id), false),
    }
}

fn log_in(login: &Node, who: &mut Option<String>) -> u16 {
    let text = |name: &str| login.child(name).map(|node| node.text.trim().to_owned()).unwrap_or_default();
    let known = ["us", "them"].contains(&text("clID").as_str()) && text("pw") == PASSWORD;
    match (known, &who) {
        (_, Some(_)) => code::USE,
        (false, _) => code::AUTHENTICATION,
        (true, None) => {
            *who = Some(text("clID"));
            code::DONE
        }
    }
}

fn response(code: u16, data: &str, id: &str) -> String {
    let data = if data.is_empty() { String::new() } else { format!("<resData>{data}</resData>") };
    let id = if id.is_empty() { String::new() } else { format!("<clTRID>{id}</clTRID>") };
    format!(
        "<response><result code=\"{code}\"><msg>code {code}</msg></result>{data}<trID>{id}<svTRID>test-1</svTRID></trID></response>"
    )
}
