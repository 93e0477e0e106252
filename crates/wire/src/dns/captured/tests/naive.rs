//! RFC 1034, 4.3.2, as plainly as it can be said: names are texts, a zone is a list, every question reads all of it.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

//----------- Any zone, any question -------------------------------------------------------------------------------

const LABELS: [&str; 4] = ["a", "b", "*", "c"];

/// Few labels, so that names meet.
pub(super) fn name() -> impl Strategy<Value = String> {
    vec(select(&LABELS[..]), 0..4).prop_map(|labels| labels.join("."))
}

pub(super) fn qtype() -> impl Strategy<Value = u16> {
    select(vec![rtype::A, rtype::TXT, rtype::CNAME, rtype::NS, rtype::DNAME, rtype::DS, rtype::SOA])
}

pub(super) fn records() -> impl Strategy<Value = Vec<Record>> {
    let rtypes = select(vec![rtype::A, rtype::A, rtype::TXT, rtype::CNAME, rtype::NS, rtype::DNAME]);
    let one = (name(), rtypes, name(), 1..4_u8, any::<bool>()).prop_map(|(owner, rtype, target, last, is_out)| {
        let target = match (is_out, target.as_str()) {
            (true, _) => "out.example".to_owned(),
            (false, "") => APEX.to_owned(),
            (false, target) => format!("{target}.{APEX}"),
        };
        let rdata = match rtype {
            rtype::A => vec![192, 0, 2, last],
            rtype::TXT => vec![1, b'0' + last],
            _ => wire(&target),
        };
        record(&owner, rtype, rdata)
    });
    vec(one, 0..12)
}

//----------- The model --------------------------------------------------------------------------------------------

/// One RRset as texts of its records.
type Texts = Vec<String>;

struct Model<'r> {
    records: &'r [Record],
}

/// The same text that [`ask`] tells.
pub(super) fn answer(records: &[Record], name: &str, qtype: u16) -> String {
    let zone = Model { records };
    let (mut sought, mut answers) = (name.to_owned(), Texts::new());
    for _ in 0..=CHAIN_MAX {
        let end = |code: u8, aa: bool, answers: &Texts, authority: &str, glue: &str| {
            let section = |text: &str| if text.is_empty() { String::new() } else { format!(" {text}") };
            let aa = if aa { " aa" } else { "" };
            format!("{code}{aa} |{} |{} |{}", section(&answers.join(" ")), section(authority), section(glue))
        };
        // Every name above the sought one, from the apex down.
        let labels: Vec<&str> = sought.split('.').collect();
        let above: Vec<String> = (0..labels.len() - 1).rev().map(|at| labels[at..].join(".")).collect();
        let mut redirected = None;
        for upper in &above {
            let is_whole = *upper == sought;
            if upper != APEX && !(is_whole && qtype == rtype::DS) && !zone.set(upper, rtype::NS).is_empty() {
                let servers = zone.told(upper, upper, rtype::NS);
                return end(0, !answers.is_empty(), &answers, &servers.join(" "), &zone.glue(upper).join(" "));
            }
            if !is_whole && let Some(target) = zone.set(upper, rtype::DNAME).first() {
                answers.extend(zone.told(upper, upper, rtype::DNAME));
                let prefix = sought.strip_suffix(&format!(".{upper}")).unwrap();
                redirected = Some(format!("{prefix}.{}", text(target)));
                break;
            }
        }
        if let Some(target) = redirected {
            answers.push(format!("{sought}. 900 cname {target}.;"));
            if !is_in(&target) {
                return end(0, true, &answers, "", "");
            }
            sought = target;
            continue;
        }
        let source = if zone.exists(&sought) {
            sought.clone()
        } else {
            let encloser = above.iter().rev().find(|upper| zone.exists(upper)).unwrap();
            format!("*.{encloser}")
        };
        if !zone.exists(&source) {
            return end(3, true, &answers, SOA, "");
        }
        let found = zone.told(&source, &sought, qtype);
        let aliases = zone.set(&source, rtype::CNAME);
        if found.is_empty()
            && let [alias] = &aliases[..]
        {
            answers.extend(zone.told(&source, &sought, rtype::CNAME));
            let target = text(alias);
            if !is_in(&target) {
                return end(0, true, &answers, "", "");
            }
            sought = target;
            continue;
        }
        let denied = if found.is_empty() { SOA } else { "" };
        answers.extend(found);
        return end(0, true, &answers, denied, "");
    }
    format!("0 aa | {} | |", answers.join(" "))
}

fn is_in(name: &str) -> bool {
    name == APEX || name.ends_with(&format!(".{APEX}"))
}

impl Model<'_> {
    fn owner(record: &Record) -> String {
        let below = text(&[&record.owner[..], &[0]].concat());
        if below.is_empty() { APEX.to_owned() } else { format!("{below}.{APEX}") }
    }

    /// The data of a set, each once, in order.
    fn set(&self, name: &str, rtype: u16) -> Vec<Vec<u8>> {
        let is = |record: &&Record| Self::owner(record) == name && record.rtype == rtype;
        let set: BTreeSet<Vec<u8>> = self.records.iter().filter(is).map(|record| record.rdata.to_vec()).collect();
        set.into_iter().collect()
    }

    fn exists(&self, name: &str) -> bool {
        name == APEX
            || self.records.iter().map(Self::owner).any(|owner| owner == name || owner.ends_with(&format!(".{name}")))
    }

    fn told(&self, name: &str, owner: &str, rtype: u16) -> Texts {
        match (name == APEX, rtype) {
            (true, rtype::NS) => return vec![format!("{owner}. 600 ns ns1.sinkhole.example.;")],
            (true, rtype::SOA) => return vec![SOA.replace("owner.test. 300", &format!("{owner}. 600"))],
            _ => {}
        }
        let data = |rdata: &[u8]| match rtype {
            rtype::A => format!("a {}.{}.{}.{}", rdata[0], rdata[1], rdata[2], rdata[3]),
            rtype::TXT => format!("txt {}", char::from(rdata[1])),
            rtype::CNAME => format!("cname {}.", text(rdata)),
            rtype::DNAME => format!("dname {}.", text(rdata)),
            _ => format!("ns {}.", text(rdata)),
        };
        self.set(name, rtype).iter().map(|rdata| format!("{owner}. 900 {};", data(rdata))).collect()
    }

    fn glue(&self, cut: &str) -> Texts {
        let servers = self.set(cut, rtype::NS);
        servers.iter().flat_map(|server| self.told(&text(server), &text(server), rtype::A)).collect()
    }
}

/// A name in wire form as text, without the final dot.
pub(super) fn text(wire: &[u8]) -> String {
    let (mut labels, mut rest) = (Vec::new(), wire);
    while let Some((len, tail)) = rest.split_first().filter(|(len, _)| **len != 0) {
        let (label, after) = tail.split_at(usize::from(*len));
        labels.push(String::from_utf8_lossy(label).into_owned());
        rest = after;
    }
    labels.join(".")
}
