//! EPP commands (RFC 5730 to 5733, RFC 5910, RFC 3915) from one state of a registration to another.
//!
//! The order is the registries' own law: a lock on updates is removed first, in a command of its own, because a server
//! refuses every other change while it stands (RFC 5731, 2.3); DS records go before the delegation changes and come after
//! it, so that at no instant a validating resolver finds keys that do not fit; only then other statuses go, because a name
//! that loses its hold before it is delegated to us is back in the zone with the servers it was held for, and back there a
//! hold comes first; locks last. Forward and reverse are the same function of two states. Nothing is written about a
//! registration that nobody has looked at, nor any `server` status. Identifiers are made from what is asked, so that the same
//! order gives the same bytes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use model::{Digest, DomainName};
use serde::Serialize;

use super::state::{Ds, State, Status, UPDATE_LOCK};

/// The longest client transaction identifier (RFC 5730, `trIDStringType`).
pub const TR_ID_OCTETS_MAX: usize = 64;

const DOMAIN: &str = "urn:ietf:params:xml:ns:domain-1.0";
const HOST: &str = "urn:ietf:params:xml:ns:host-1.0";
const SECDNS: &str = "urn:ietf:params:xml:ns:secDNS-1.1";
const RGP: &str = "urn:ietf:params:xml:ns:rgp-1.0";
/// What keeps a registration from being deleted.
const BEFORE_DELETION: [&str; 2] = [UPDATE_LOCK, "clientDeleteProhibited"];

/// One command.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Frame {
    /// The name, or the host, that it is about.
    pub object: DomainName,
    /// What it does, in words.
    pub does: &'static str,
    /// What has to hold before it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_if: Option<&'static str>,
    pub cl_trid: String,
    pub xml: String,
}

/// What the transaction identifiers of a plan begin with.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    pub order: &'a str,
    pub direction: &'static str,
}

/// Commands as they are gathered, numbered within their object.
struct Frames<'a> {
    object: &'a DomainName,
    labels: Labels<'a>,
    all: Vec<Frame>,
}

impl<'a> Frames<'a> {
    fn of(object: &'a DomainName, labels: Labels<'a>) -> Self {
        Self { object, labels, all: Vec::new() }
    }

    fn push(&mut self, does: &'static str, only_if: Option<&'static str>, verb: &str, extension: &str) {
        let number = self.all.len() + 1;
        let Labels { order, direction } = self.labels;
        let of = Digest::of_parts([order, "\0", direction, "\0", self.object.as_str()]);
        let cl_trid = format!("bw-{}-{direction}-{number:02}", &of.to_string()[..16]);
        let extension =
            if extension.is_empty() { String::new() } else { format!("<extension>{extension}</extension>") };
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command>{verb}{extension}<clTRID>{cl_trid}</clTRID></command></epp>\n"
        );
        self.all.push(Frame { object: self.object.clone(), does, only_if, cl_trid, xml });
    }

    /// A change of the domain; `parts` are `add`, `rem` or `chg` (RFC 5731, 3.2.5).
    fn update(&mut self, does: &'static str, parts: &str, extension: &str) {
        let name = escaped(self.object.as_str());
        let body = format!(
            "<update><domain:update xmlns:domain=\"{DOMAIN}\"><domain:name>{name}</domain:name>{parts}</domain:update></update>"
        );
        self.push(does, None, &body, extension);
    }
}

//----------- Domains ----------------------------------------------------------------------------------------------

/// What a registrar asks first: the state as it is.
pub fn look(name: &DomainName, labels: Labels<'_>) -> Frame {
    let mut frames = Frames::of(name, labels);
    let body = format!(
        "<info><domain:info xmlns:domain=\"{DOMAIN}\"><domain:name hosts=\"all\">{}</domain:name></domain:info></info>",
        escaped(name.as_str())
    );
    frames.push("look at the registration as it stands", None, &body, "");
    frames.all.remove(0)
}

/// The commands that bring a registration from one state to another; none where nothing differs.
pub fn between(name: &DomainName, from: &State, to: &State, labels: Labels<'_>) -> Vec<Frame> {
    let mut frames = Frames::of(name, labels);
    change(&mut frames, from, to);
    frames.all
}

fn change(frames: &mut Frames<'_>, from: &State, to: &State) {
    let (now, then) = (from.client_statuses(), to.client_statuses());
    let is_lock = |status: &&Status| status.as_str() == UPDATE_LOCK;
    let same = (&now, &from.name_servers, &from.ds) == (&then, &to.name_servers, &to.ds);
    if same {
        return;
    }
    let unlocks = now.iter().any(|status| is_lock(&status));
    if unlocks {
        let rem = statuses("rem", now.iter().filter(is_lock));
        frames.update("remove the lock on updates, in a command of its own", &rem, "");
    }
    let moves = from.name_servers != to.name_servers;
    let holds_first = moves && then.contains(&Status::HOLD) && !now.contains(&Status::HOLD);
    if holds_first {
        frames.update("set the hold, before the delegation changes", &statuses("add", [Status::HOLD].iter()), "");
    }
    if from.ds != to.ds && !from.ds.is_empty() {
        let all = format!(
            "<secDNS:update xmlns:secDNS=\"{SECDNS}\"><secDNS:rem><secDNS:all>true</secDNS:all></secDNS:rem></secDNS:update>"
        );
        frames.update("remove every DS record", "", &all);
    }
    if moves {
        let parts = servers("add", to.name_servers.difference(&from.name_servers))
            + &servers("rem", from.name_servers.difference(&to.name_servers));
        frames.update("change the delegation", &parts, "");
    }
    if from.ds != to.ds && !to.ds.is_empty() {
        frames.update("add the DS records", "", &ds_added(&to.ds));
    }
    let goes: Vec<&Status> = now.difference(&then).filter(|status| !is_lock(status)).collect();
    if !goes.is_empty() {
        frames.update("remove the other statuses that are not wanted", &statuses("rem", goes.into_iter()), "");
    }
    let comes = then.iter().filter(|status| !now.contains(status) || (unlocks && is_lock(status)));
    let comes: Vec<&Status> = comes.filter(|status| !(holds_first && **status == Status::HOLD)).collect();
    if !comes.is_empty() {
        frames.update("set statuses and locks", &statuses("add", comes.into_iter()), "");
    }
}

/// Deletes a registration once its locks are off.
pub fn deletion(name: &DomainName, from: &State, labels: Labels<'_>) -> Vec<Frame> {
    let open = without(from, &BEFORE_DELETION);
    let mut frames = Frames::of(name, labels);
    frames.all = between(name, from, &open, labels);
    let body = format!(
        "<delete><domain:delete xmlns:domain=\"{DOMAIN}\"><domain:name>{}</domain:name></domain:delete></delete>",
        escaped(name.as_str())
    );
    frames.push("delete the registration", Some("no host object below it is in use elsewhere"), &body, "");
    frames.all
}

/// Brings back what was deleted, within the redemption grace period (RFC 3915), and sets its locks again.
pub fn restoration(name: &DomainName, before: &State, labels: Labels<'_>) -> Vec<Frame> {
    let mut frames = Frames::of(name, labels);
    let restore = format!("<rgp:update xmlns:rgp=\"{RGP}\"><rgp:restore op=\"request\"/></rgp:update>");
    frames.update("ask for restoration", "<domain:chg/>", &restore);
    change(&mut frames, &without(before, &BEFORE_DELETION), before);
    for (number, frame) in frames.all.iter_mut().enumerate() {
        frame.only_if = Some(match number {
            0 => "the name is in its redemption period; the registry then wants a restore report",
            _ => "the restoration is complete",
        });
    }
    frames.all
}

/// Lets a transfer away happen: unlocks, and approves once the gaining registrar has asked with the authInfo.
pub fn release(name: &DomainName, from: &State, labels: Labels<'_>) -> Vec<Frame> {
    let open = without(from, &[UPDATE_LOCK, "clientTransferProhibited"]);
    let mut frames = Frames::of(name, labels);
    frames.all = between(name, from, &open, labels);
    let body = format!(
        "<transfer op=\"approve\"><domain:transfer xmlns:domain=\"{DOMAIN}\"><domain:name>{}</domain:name></domain:transfer></transfer>",
        escaped(name.as_str())
    );
    frames.push(
        "approve the transfer",
        Some("the gaining registrar has asked for it: the status is pendingTransfer"),
        &body,
        "",
    );
    frames.all
}

fn without(state: &State, gone: &[&str]) -> State {
    let mut open = state.clone();
    open.statuses.retain(|status| !gone.contains(&status.as_str()));
    open
}

//----------- Hosts ------------------------------------------------------------------------------------------------

/// Makes a host object, if it is not there (RFC 5732): no name can be delegated to one that is not.
pub fn host(name: &DomainName, addresses: &[IpAddr], labels: Labels<'_>) -> Vec<Frame> {
    let mut frames = Frames::of(name, labels);
    let shown = escaped(name.as_str());
    let check = format!("<check><host:check xmlns:host=\"{HOST}\"><host:name>{shown}</host:name></host:check></check>");
    frames.push("ask whether the host object is there", None, &check, "");
    let addresses = addresses.iter().fold(String::new(), |mut text, address| {
        let version = if address.is_ipv4() { "v4" } else { "v6" };
        let _ = write!(text, "<host:addr ip=\"{version}\">{address}</host:addr>");
        text
    });
    let create = format!(
        "<create><host:create xmlns:host=\"{HOST}\"><host:name>{shown}</host:name>{addresses}</host:create></create>"
    );
    frames.push("make the host object", Some("the check says avail=\"1\""), &create, "");
    frames.all
}

/// Takes away a host object that a plan made.
pub fn host_gone(name: &DomainName, labels: Labels<'_>) -> Vec<Frame> {
    let mut frames = Frames::of(name, labels);
    let shown = escaped(name.as_str());
    let body =
        format!("<delete><host:delete xmlns:host=\"{HOST}\"><host:name>{shown}</host:name></host:delete></delete>");
    frames.push(
        "delete the host object",
        Some("this plan made it, and no name is delegated to it any more"),
        &body,
        "",
    );
    frames.all
}

//----------- Parts ------------------------------------------------------------------------------------------------

fn statuses<'a>(verb: &str, all: impl Iterator<Item = &'a Status>) -> String {
    let inner: String = all.map(|status| format!("<domain:status s=\"{status}\"/>")).collect();
    format!("<domain:{verb}>{inner}</domain:{verb}>")
}

/// Nothing where there is no server: an empty element adds and removes nothing.
fn servers<'a>(verb: &str, all: impl Iterator<Item = &'a DomainName>) -> String {
    let one = |name: &DomainName| format!("<domain:hostObj>{}</domain:hostObj>", escaped(name.as_str()));
    let inner: String = all.map(one).collect();
    if inner.is_empty() { inner } else { format!("<domain:{verb}><domain:ns>{inner}</domain:ns></domain:{verb}>") }
}

fn ds_added(all: &BTreeSet<Ds>) -> String {
    let one = |ds: &Ds| {
        let Ds { key_tag, algorithm, digest_type, digest } = ds;
        format!(
            "<secDNS:dsData><secDNS:keyTag>{key_tag}</secDNS:keyTag><secDNS:alg>{algorithm}</secDNS:alg><secDNS:digestType>{digest_type}</secDNS:digestType><secDNS:digest>{digest}</secDNS:digest></secDNS:dsData>"
        )
    };
    let inner: String = all.iter().map(one).collect();
    format!("<secDNS:update xmlns:secDNS=\"{SECDNS}\"><secDNS:add>{inner}</secDNS:add></secDNS:update>")
}

/// Text as it may stand in an element or an attribute (XML 1.0, 2.4).
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
