//! A registry for tests: domains and hosts of one TLD with their sponsors, and the refusals of RFC 5730 to 5733 and 5910.
//!
//! It is stricter than most: removing what is not there, or adding what is, is refused, so that a plan which passes here asks
//! for nothing but what it means. It keeps no contacts and no billing.

use std::collections::{BTreeMap, BTreeSet};

use super::xml::Node;

/// Result codes (RFC 5730, 3).
pub(super) mod code {
    pub(in super::super) const DONE: u16 = 1000;
    pub(in super::super) const ENDED: u16 = 1500;
    pub(in super::super) const SYNTAX: u16 = 2001;
    pub(in super::super) const USE: u16 = 2002;
    pub(in super::super) const MISSING: u16 = 2003;
    pub(in super::super) const RANGE: u16 = 2004;
    pub(in super::super) const UNIMPLEMENTED: u16 = 2101;
    pub(in super::super) const AUTHENTICATION: u16 = 2200;
    pub(in super::super) const NOT_SPONSOR: u16 = 2201;
    pub(in super::super) const NOT_PENDING: u16 = 2301;
    pub(in super::super) const EXISTS: u16 = 2302;
    pub(in super::super) const NO_OBJECT: u16 = 2303;
    pub(in super::super) const STATUS: u16 = 2304;
    pub(in super::super) const ASSOCIATION: u16 = 2305;
    pub(in super::super) const POLICY: u16 = 2306;
}

const CLIENT: [&str; 5] = [
    "clientDeleteProhibited",
    "clientHold",
    "clientRenewProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
];

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Domain {
    pub(super) sponsor: String,
    pub(super) statuses: BTreeSet<String>,
    pub(super) servers: BTreeSet<String>,
    pub(super) ds: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Host {
    pub(super) sponsor: String,
    pub(super) addresses: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Registry {
    pub(super) tld: String,
    pub(super) domains: BTreeMap<String, Domain>,
    pub(super) hosts: BTreeMap<String, Host>,
    /// Deleted and still to be restored (RFC 3915).
    pub(super) redemption: BTreeMap<String, Domain>,
}

/// A result, and what stands in `resData`.
type Answer = Result<String, u16>;

impl Registry {
    /// What a command of a registrar who has logged in does.
    pub(super) fn answer(&mut self, who: &str, command: &Node) -> Answer {
        let Some(verb) = command.children.first() else { return Err(code::SYNTAX) };
        let object = verb.children.first().ok_or(code::SYNTAX)?;
        let name = object.child("name").map(|name| name.text.trim().to_ascii_lowercase()).ok_or(code::MISSING)?;
        let is_host =
            object.attribute("host").is_some() || object.attributes.iter().any(|(_, uri)| uri.ends_with(":host-1.0"));
        match (verb.name.as_str(), is_host) {
            ("check", true) => Ok(self.check_host(&name)),
            ("create", true) => self.create_host(who, &name, object),
            ("delete", true) => self.delete_host(who, &name),
            ("info", false) => self.info(&name),
            ("update", false) => self.update(who, &name, object, command.child("extension")),
            ("delete", false) => self.delete(who, &name),
            ("transfer", false) => self.transfer(who, &name, verb.attribute("op").unwrap_or_default()),
            _ => Err(code::UNIMPLEMENTED),
        }
    }

    fn owned(&mut self, who: &str, name: &str) -> Result<&mut Domain, u16> {
        let domain = self.domains.get_mut(name).ok_or(code::NO_OBJECT)?;
        if domain.sponsor == who { Ok(domain) } else { Err(code::NOT_SPONSOR) }
    }

    //----- Domains

    fn info(&self, name: &str) -> Answer {
        let domain = self.domains.get(name).ok_or(code::NO_OBJECT)?;
        let of = |all: &BTreeSet<String>, one: fn(&str) -> String| all.iter().map(|text| one(text)).collect::<String>();
        let statuses = of(&domain.statuses, |status| format!("<domain:status s=\"{status}\"/>"));
        let servers = of(&domain.servers, |server| format!("<domain:hostObj>{server}</domain:hostObj>"));
        let servers = if servers.is_empty() { servers } else { format!("<domain:ns>{servers}</domain:ns>") };
        Ok(format!(
            "<domain:infData xmlns:domain=\"urn:ietf:params:xml:ns:domain-1.0\"><domain:name>{name}</domain:name><domain:roid>D1-TEST</domain:roid>{statuses}{servers}<domain:clID>{}</domain:clID></domain:infData>",
            domain.sponsor
        ))
    }

    /// RFC 5731, 3.2.5: all of it or nothing.
    fn update(&mut self, who: &str, name: &str, object: &Node, extension: Option<&Node>) -> Answer {
        let change = Change::of(object, extension);
        if change.restores {
            let domain = self.redemption.get(name).ok_or(code::STATUS)?;
            if domain.sponsor != who {
                return Err(code::NOT_SPONSOR);
            }
            let back = self.redemption.remove(name).unwrap_or_default();
            self.domains.insert(name.to_owned(), back);
            return Ok(String::new());
        }
        let mut domain = self.owned(who, name)?.clone();
        may_update(&domain, &change)?;
        if change.servers.0.iter().any(|server| !self.hosts.contains_key(server)) {
            return Err(code::NO_OBJECT);
        }
        apply(&mut domain.statuses, &change.statuses)?;
        apply(&mut domain.servers, &change.servers)?;
        if change.clears_ds {
            if domain.ds.is_empty() {
                return Err(code::NO_OBJECT);
            }
            domain.ds.clear();
        }
        apply(&mut domain.ds, &(change.ds, BTreeSet::new()))?;
        self.domains.insert(name.to_owned(), domain);
        Ok(String::new())
    }

    /// RFC 5731, 3.2.2: refused while another name is delegated to a host below it.
    fn delete(&mut self, who: &str, name: &str) -> Answer {
        let domain = self.owned(who, name)?;
        let locks = ["clientDeleteProhibited", "serverDeleteProhibited"];
        if locks.iter().any(|lock| domain.statuses.contains(*lock)) || is_pending(domain) {
            return Err(code::STATUS);
        }
        let below = format!(".{name}");
        let used = |other: (&String, &Domain)| other.0 != name && other.1.servers.iter().any(|s| s.ends_with(&below));
        if self.domains.iter().any(used) {
            return Err(code::ASSOCIATION);
        }
        let gone = self.domains.remove(name).unwrap_or_default();
        self.redemption.insert(name.to_owned(), gone);
        Ok(String::new())
    }

    fn transfer(&mut self, who: &str, name: &str, op: &str) -> Answer {
        let domain = self.owned(who, name)?;
        if op != "approve" {
            return Err(code::UNIMPLEMENTED);
        }
        if !domain.statuses.remove("pendingTransfer") {
            return Err(code::NOT_PENDING);
        }
        domain.sponsor = "gaining".to_owned();
        Ok(String::new())
    }

    //----- Hosts

    fn check_host(&self, name: &str) -> String {
        let avail = u8::from(!self.hosts.contains_key(name));
        format!(
            "<host:chkData xmlns:host=\"urn:ietf:params:xml:ns:host-1.0\"><host:cd><host:name avail=\"{avail}\">{name}</host:name></host:cd></host:chkData>"
        )
    }

    /// RFC 5732, 3.2.1: a host below a name of this registry needs that name, its sponsor, and addresses; any other has none.
    fn create_host(&mut self, who: &str, name: &str, object: &Node) -> Answer {
        if self.hosts.contains_key(name) {
            return Err(code::EXISTS);
        }
        let addresses: BTreeSet<String> = object.texts("addr").into_iter().collect();
        if name.ends_with(&format!(".{}", self.tld)) {
            let above = self.domains.iter().find(|(domain, _)| name.ends_with(&format!(".{domain}")));
            let (_, above) = above.ok_or(code::NO_OBJECT)?;
            if above.sponsor != who {
                return Err(code::NOT_SPONSOR);
            }
            if addresses.is_empty() {
                return Err(code::MISSING);
            }
        } else if !addresses.is_empty() {
            return Err(code::POLICY);
        }
        self.hosts.insert(name.to_owned(), Host { sponsor: who.to_owned(), addresses });
        let made = "<host:crDate>2026-01-01T00:00:00Z</host:crDate>";
        Ok(format!(
            "<host:creData xmlns:host=\"urn:ietf:params:xml:ns:host-1.0\"><host:name>{name}</host:name>{made}</host:creData>"
        ))
    }

    /// RFC 5732, 3.2.2.
    fn delete_host(&mut self, who: &str, name: &str) -> Answer {
        let host = self.hosts.get(name).ok_or(code::NO_OBJECT)?;
        if host.sponsor != who {
            return Err(code::NOT_SPONSOR);
        }
        if self.domains.values().any(|domain| domain.servers.contains(name)) {
            return Err(code::ASSOCIATION);
        }
        self.hosts.remove(name);
        Ok(String::new())
    }
}

//----------- Change -----------------------------------------------------------------------------------------------

/// Added and removed.
type Sets = (BTreeSet<String>, BTreeSet<String>);

/// What an update asks for.
#[derive(Debug, Default)]
struct Change {
    statuses: Sets,
    servers: Sets,
    ds: BTreeSet<String>,
    clears_ds: bool,
    restores: bool,
}

impl Change {
    fn of(object: &Node, extension: Option<&Node>) -> Self {
        let statuses = |verb: &str| -> BTreeSet<String> {
            let parts = object.child(verb).map(|part| part.all("status")).unwrap_or_default();
            parts.into_iter().filter_map(|status| status.attribute("s").map(str::to_owned)).collect()
        };
        let servers = |verb: &str| -> BTreeSet<String> {
            object.child(verb).map(|part| part.texts("hostObj").into_iter().collect()).unwrap_or_default()
        };
        let ds =
            |node: &Node| ["keyTag", "alg", "digestType", "digest"].map(|part| node.texts(part).concat()).join(" ");
        let extended = |name| extension.map(|node| node.all(name)).unwrap_or_default();
        Self {
            statuses: (statuses("add"), statuses("rem")),
            servers: (servers("add"), servers("rem")),
            ds: extended("dsData").into_iter().map(ds).collect(),
            clears_ds: extended("all").iter().any(|all| all.text.trim() == "true"),
            restores: extended("restore").iter().any(|restore| restore.attribute("op") == Some("request")),
        }
    }

    /// Whether it does nothing but take the lock on updates away.
    fn only_unlocks(&self) -> bool {
        let lock: BTreeSet<String> = ["clientUpdateProhibited".to_owned()].into();
        let rest = self.servers == Sets::default() && self.ds.is_empty() && !self.clears_ds;
        rest && self.statuses == (BTreeSet::new(), lock)
    }
}

fn may_update(domain: &Domain, change: &Change) -> Result<(), u16> {
    for status in change.statuses.0.iter().chain(&change.statuses.1) {
        if status.starts_with("server") {
            return Err(code::POLICY);
        }
        if !CLIENT.contains(&status.as_str()) {
            return Err(code::RANGE);
        }
    }
    if domain.statuses.contains("serverUpdateProhibited") || is_pending(domain) {
        return Err(code::STATUS);
    }
    if domain.statuses.contains("clientUpdateProhibited") && !change.only_unlocks() {
        return Err(code::STATUS);
    }
    Ok(())
}

fn is_pending(domain: &Domain) -> bool {
    domain.statuses.iter().any(|status| status.starts_with("pending"))
}

fn apply(set: &mut BTreeSet<String>, (added, removed): &Sets) -> Result<(), u16> {
    for one in removed {
        if !set.remove(one) {
            return Err(code::POLICY);
        }
    }
    for one in added {
        if !set.insert(one.clone()) {
            return Err(code::POLICY);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    fn set(all: &[&str]) -> BTreeSet<String> {
        all.iter().map(|&one| one.to_owned()).collect()
    }

    fn registry(statuses: &[&str]) -> Registry {
        let domain = Domain {
            sponsor: "us".into(),
            statuses: set(statuses),
            servers: set(&["ns1.x.test"]),
            ds: set(&["1 13 2 AA"]),
        };
        let other = Domain { sponsor: "them".into(), servers: set(&["ns1.x.test"]), ..Domain::default() };
        let host = Host { sponsor: "us".into(), addresses: set(&["192.0.2.1"]) };
        Registry {
            tld: "test".into(),
            domains: [("x.test".to_owned(), domain), ("y.test".to_owned(), other)].into(),
            hosts: [("ns1.x.test".to_owned(), host)].into(),
            ..Registry::default()
        }
    }

    fn ask(registry: &mut Registry, command: &str) -> u16 {
        let node = xml::read(&format!("<command>{command}</command>")).expect("XML");
        registry.answer("us", &node).map_or_else(|code| code, |_| code::DONE)
    }

    fn update(name: &str, parts: &str) -> String {
        format!(
            "<update><d:update xmlns:d=\"urn:ietf:params:xml:ns:domain-1.0\"><d:name>{name}</d:name>{parts}</d:update></update>"
        )
    }

    fn host(verb: &str, name: &str, more: &str) -> String {
        format!(
            "<{verb}><h:{verb} xmlns:h=\"urn:ietf:params:xml:ns:host-1.0\"><h:name>{name}</h:name>{more}</h:{verb}></{verb}>"
        )
    }

    #[test]
    fn what_the_rfcs_refuse_is_refused_and_changes_nothing() {
        let unlock = "<d:rem><d:status s=\"clientUpdateProhibited\"/></d:rem>";
        let servers = "<d:rem><d:ns><d:hostObj>ns1.x.test</d:hostObj></d:ns></d:rem>";
        let missing = "<d:add><d:ns><d:hostObj>ns9.else.example</d:hostObj></d:ns></d:add>";
        let status = |status: &str| format!("<d:add><d:status s=\"{status}\"/></d:add>");
        for (statuses, command, told) in [
            (&["clientUpdateProhibited"][..], update("x.test", servers), code::STATUS),
            (&["clientUpdateProhibited"], update("x.test", &format!("{}{unlock}", status("clientHold"))), code::STATUS),
            (&["serverUpdateProhibited"], update("x.test", unlock), code::STATUS),
            (&["pendingTransfer"], update("x.test", servers), code::STATUS),
            (&[], update("x.test", &status("serverHold")), code::POLICY),
            (&[], update("x.test", &status("clientSmile")), code::RANGE),
            (&[], update("x.test", missing), code::NO_OBJECT),
            (&[], update("x.test", unlock), code::POLICY),
            (&[], update("y.test", servers), code::NOT_SPONSOR),
            (&[], update("z.test", servers), code::NO_OBJECT),
            (&[], host("create", "ns1.x.test", ""), code::EXISTS),
            (&[], host("create", "ns2.x.test", ""), code::MISSING),
            (&[], host("create", "ns2.y.test", "<h:addr ip=\"v4\">192.0.2.1</h:addr>"), code::NOT_SPONSOR),
            (&[], host("create", "ns2.z.test", "<h:addr ip=\"v4\">192.0.2.1</h:addr>"), code::NO_OBJECT),
            (&[], host("create", "ns.else.example", "<h:addr ip=\"v4\">192.0.2.1</h:addr>"), code::POLICY),
            (&[], host("delete", "ns1.x.test", ""), code::ASSOCIATION),
            (&[], "<delete><d:delete><d:name>x.test</d:name></d:delete></delete>".into(), code::ASSOCIATION),
            (
                &["clientDeleteProhibited"],
                "<delete><d:delete><d:name>x.test</d:name></d:delete></delete>".into(),
                code::STATUS,
            ),
            (
                &[],
                "<transfer op=\"approve\"><d:transfer><d:name>x.test</d:name></d:transfer></transfer>".into(),
                code::NOT_PENDING,
            ),
            (&[], "<renew><d:renew><d:name>x.test</d:name></d:renew></renew>".into(), code::UNIMPLEMENTED),
        ] {
            let mut registry = registry(statuses);
            let before = registry.clone();
            assert_eq!(ask(&mut registry, &command), told, "{statuses:?} {command}");
            assert_eq!(registry, before);
        }
    }

    #[test]
    fn what_is_allowed_is_done() {
        let mut registry = registry(&["clientUpdateProhibited"]);
        let unlock = update("x.test", "<d:rem><d:status s=\"clientUpdateProhibited\"/></d:rem>");
        assert_eq!(ask(&mut registry, &unlock), code::DONE);
        assert_eq!(ask(&mut registry, &host("create", "ns.else.example", "")), code::DONE);
        let moves = "<d:add><d:ns><d:hostObj>ns.else.example</d:hostObj></d:ns></d:add><d:rem><d:ns><d:hostObj>ns1.x.test</d:hostObj></d:ns></d:rem>";
        let no_ds = "<extension><s:update><s:rem><s:all>true</s:all></s:rem></s:update></extension>";
        assert_eq!(ask(&mut registry, &(update("x.test", moves) + no_ds)), code::DONE);
        let domain = &registry.domains["x.test"];
        assert!(domain.ds.is_empty() && domain.statuses.is_empty() && domain.servers == set(&["ns.else.example"]));
    }

    #[test]
    fn what_is_no_plain_xml_is_not_read() {
        for bad in ["", "<a>", "<a></b>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a>&x;</a>", "<a/><b/>"] {
            assert_eq!(xml::read(bad), None, "{bad}");
        }
        assert_eq!(xml::read(&("<a>".repeat(40) + &"</a>".repeat(40))), None);
        assert_eq!(
            xml::read("<a b=\"&lt;\">1&amp;2</a>").map(|a| (a.text, a.attributes[0].1.clone())),
            Some(("1&2".into(), "<".into()))
        );
    }
}
