//! What the case withholds: callers about whom nothing leaves the house, in no form and in no count.
//!
//! A victim can be endangered by a report. Contacts of a withheld caller are dropped where a snapshot is gathered, and
//! so is every single contact whose verdict says so: it may have named a withheld client, as a resolver or a proxy does,
//! and that claim, which anybody can make, does not silence the rest of its source.
//! Their addresses may still stand in what somebody else sent (a URL, a Referer, a host name that echoes the
//! visitor), so every text from outside is searched for addresses as people and programs spell them, and one that
//! mentions a withheld address is not told.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::address::{Asn, Country};
use model::marking::Withheld;
use model::spelling::addresses_in;

/// The case's terms with the addresses that turned out to fall under them.
#[derive(Debug)]
pub(crate) struct Withholding<'a> {
    terms: &'a Withheld,
    sources: BTreeSet<IpAddr>,
}

/// Who called, as far as the decision needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) source: IpAddr,
    pub(crate) asn: Option<Asn>,
    pub(crate) as_name: Option<&'a str>,
    pub(crate) country: Option<Country>,
}

impl<'a> Withholding<'a> {
    pub(crate) fn new<'c>(terms: &'a Withheld, callers: impl IntoIterator<Item = Caller<'c>>) -> Self {
        let callers = callers.into_iter().filter(|caller| is_withheld(terms, *caller));
        Self { terms, sources: callers.map(|caller| caller.source.to_canonical()).collect() }
    }

    /// Whether nothing is told of this address: a caller that falls under the terms once is withheld always, also
    /// where a contact came without its country or network.
    pub(crate) fn covers(&self, source: IpAddr) -> bool {
        let source = source.to_canonical();
        self.sources.contains(&source) || self.terms.networks.iter().any(|network| network.contains(source))
    }

    /// Whether a text from outside speaks of a withheld address.
    pub(crate) fn is_mentioned_in(&self, text: &str) -> bool {
        let names_anything = !self.sources.is_empty() || !self.terms.networks.is_empty();
        names_anything && addresses_in(text).into_iter().any(|address| self.covers(address))
    }
}

fn is_withheld(terms: &Withheld, caller: Caller<'_>) -> bool {
    // The owner of the network is the recipient: an organisation that gets no victim data gets none of its own.
    let recipient = caller.as_name.is_some_and(|name| terms.recipients.contains(name));
    recipient || terms.covers(caller.source, caller.asn, caller.country)
}
