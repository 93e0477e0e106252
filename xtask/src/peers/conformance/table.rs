//! The table: what is sent, what must come back, which RFC says so, and why a peer may differ.

mod edns;
mod header;
mod names;
mod stream;

use super::packet::{ASK, Ask, OPT, Opt};
use super::send::Way;
use super::want::Want;

/// The addresses of the seized name; sixteen of them outgrow 512 octets under a long name.
pub(super) const ADDRESSES: usize = 16;

/// Who is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Who {
    Us,
    Nsd,
    Knot,
    Bind,
    Pdns,
}

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Us => "we",
            Self::Nsd => "NSD",
            Self::Knot => "Knot",
            Self::Bind => "BIND",
            Self::Pdns => "PowerDNS",
        }
    }
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) rfc: &'static str,
    pub(super) way: Way,
    pub(super) ask: Ask,
    pub(super) want: &'static [Want],
    /// Peers that differ, and why.
    pub(super) but: &'static [(Who, &'static str)],
}

impl Case {
    pub(super) fn why(&self, who: Who) -> Option<&'static str> {
        self.but.iter().find(|(other, _)| *other == who).map(|(_, why)| *why)
    }
}

/// All of them.
pub(super) fn cases() -> Vec<Case> {
    [names::CASES, header::CASES, edns::CASES, stream::CASES].concat()
}

/// A case over UDP in which nobody may differ.
const fn udp(name: &'static str, rfc: &'static str, ask: Ask, want: &'static [Want]) -> Case {
    Case { name, rfc, way: Way::Udp, ask, want, but: &[] }
}

impl Case {
    const fn but(self, but: &'static [(Who, &'static str)]) -> Self {
        Self { but, ..self }
    }
}

/// The apex, with EDNS as resolvers send it.
const WITH_EDNS: Ask = Ask { opts: &[OPT], ..ASK };

/// The same with one option.
const fn with_opt(opts: &'static [Opt]) -> Ask {
    Ask { opts, ..ASK }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_case_has_a_name_of_its_own_and_a_source() {
        let cases = cases();
        let names: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), cases.len());
        assert!(cases.len() >= 48, "{}", cases.len());
        for case in cases {
            assert!(case.rfc.contains("RFC"), "{} has no source", case.name);
            assert!(case.but.iter().all(|(who, why)| *who != Who::Us && why.len() > 20), "{}", case.name);
            assert!(case.way == Way::Unanswered || !case.want.is_empty(), "{} wants nothing", case.name);
        }
    }
}
