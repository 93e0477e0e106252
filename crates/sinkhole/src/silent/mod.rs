//! UDP ports that answer nothing: whatever comes is recorded, and nothing ever leaves.
//!
//! A datagram's source is whatever its sender wrote, so every answer is a packet to somebody who may not have asked;
//! echo and its kin made earlier sinkholes into weapons. Here is no call that sends, no socket that is connected, and a
//! test of the house that looks for both. [`udp`] is the thread, [`deed`] what becomes of one datagram.
//!
//! Of a datagram that concerns no seized name only its form is kept: what it looks like, its length, its time. One that
//! came to an address which the configuration gives to a seized name ([`NamesByAddress`]) concerns that name, and its
//! bytes are kept where the order covers that, since they may hold a secret.

mod deed;
mod udp;

use std::collections::HashMap;
use std::net::IpAddr;

use model::DomainName;
use wire::dns::ask::name_to_wire;

use crate::zones::{Found, Zones};

pub(crate) use deed::Ground;
pub(crate) use udp::SilentUdp;

/// What is read and looked at of one datagram; its whole length is known all the same.
const DATAGRAM_OCTETS_MAX: usize = wire::banner::FIRST_OCTETS_MAX;

/// Which seized name an address of ours stands for, where it stands for one alone.
#[derive(Clone, Debug, Default)]
pub struct NamesByAddress(HashMap<IpAddr, Vec<u8>>);

impl NamesByAddress {
    /// By addresses in their canonical form.
    pub fn new(names: impl IntoIterator<Item = (IpAddr, DomainName)>) -> Self {
        let in_wire_form =
            |(address, name): (IpAddr, DomainName)| Some((address.to_canonical(), name_to_wire(name.as_str())?));
        Self(names.into_iter().filter_map(in_wire_form).collect())
    }

    pub(crate) fn find<'a>(&self, zones: &'a Zones, called: IpAddr) -> Option<Found<'a>> {
        zones.find(self.0.get(&called.to_canonical())?)
    }
}

#[cfg(test)]
mod tests;
