//! One state of the table: shards of zones, found by a seeded hash of their names.
//!
//! The hash is seeded, because it is callers who choose what is looked up. A shard holds its zones in one block, and an
//! index of slots beside it: open addressing, at most half full, each slot with fifteen bits of the hash, so that a name
//! of nobody's is nearly always turned away without a look at any zone. A state shares with the one before it every shard
//! that did not change.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::iter::successors;
use std::ops::Range;
use std::sync::Arc;

use foldhash::quality::RandomState;
use model::DomainName;
use wire::dns::NAME_OCTETS_MAX;

use super::{Found, ServedZone};

/// How many zones a shard has on average, at most: what the change of one name copies.
const SHARD_ZONES: usize = 256;
/// More shards than this are not made; they grow instead. The list of them is copied with every change.
const SHARDS_MAX: usize = 4096;

//----------- Table ------------------------------------------------------------------------------------------------

#[derive(Clone, Debug)]
pub(super) struct Table {
    hasher: RandomState,
    /// A power of two; the upper bits of a hash choose.
    shards: Box<[Arc<Shard>]>,
    len: usize,
    /// No longer suffix is worth a look.
    apex_octets_max: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Table {
    /// Of two zones for one name the first listed serves it.
    pub(super) fn new(zones: Vec<ServedZone>) -> Self {
        let hasher = RandomState::default();
        let count = zones.len().div_ceil(SHARD_ZONES).next_power_of_two().min(SHARDS_MAX);
        let apex_octets_max = zones.iter().map(|served| text_of(served).len()).max().unwrap_or_default();
        let shards: Box<[Arc<Shard>]> = parts(zones, count, &hasher)
            .into_iter()
            .map(|part| Arc::new(Shard::new(part, |text| hasher.hash_one(text))))
            .collect();
        let len = shards.iter().map(|shard| shard.zones.len()).sum();
        Self { hasher, shards, len, apex_octets_max }
    }

    /// The next state: these names changed, and nothing else.
    pub(super) fn with(&self, changes: Vec<(DomainName, Option<ServedZone>)>) -> Self {
        let mut next = self.clone();
        let mut parts: BTreeMap<usize, Vec<(DomainName, Option<ServedZone>)>> = BTreeMap::new();
        for (apex, served) in changes {
            let at = shard_of(self.hash(apex.as_str().as_bytes()), self.shards.len());
            next.apex_octets_max = next.apex_octets_max.max(apex.as_str().len());
            parts.entry(at).or_default().push((apex, served));
        }
        for (at, part) in parts {
            let shard = self.shards[at].with(part, |text| self.hash(text));
            next.len = next.len - self.shards[at].zones.len() + shard.zones.len();
            next.shards[at] = Arc::new(shard);
        }
        next.with_room()
    }

    /// Cut anew once the shards have become too large for their number.
    fn with_room(self) -> Self {
        let is_tight = self.shards.len() < SHARDS_MAX && self.len > 2 * SHARD_ZONES * self.shards.len();
        if is_tight { Self::new(self.iter().cloned().collect()) } else { self }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &ServedZone> {
        self.shards.iter().flat_map(|shard| &shard.zones)
    }

    pub(super) fn get(&self, apex: &DomainName) -> Option<&ServedZone> {
        self.by_text(apex.as_str().as_bytes())
    }

    /// The zone of the longest apex that a name in wire form ends with.
    pub(super) fn find(&self, name: &[u8]) -> Option<Found<'_>> {
        let mut text = [0; NAME_OCTETS_MAX];
        let end = to_text(name, &mut text)?;
        self.suffixes(name).find_map(|depth| {
            let served = self.by_text(text.get(depth + 1..end)?)?;
            Some(Found { served, depth })
        })
    }

    /// The same for a batch of names. In a table of a million names each step of a look-up waits for main memory: the
    /// index, the zone, the text of its name. So each step is taken for all names before the next one, and the waits
    /// overlap. A guess by the index alone is right but for one in thirty thousand; who guessed wrong looks properly.
    pub(super) fn find_all<'n>(&self, names: impl Iterator<Item = Option<&'n [u8]>>) -> Vec<Option<Found<'_>>> {
        let names: Vec<Option<&[u8]>> = names.collect();
        let mut texts = vec![[0; NAME_OCTETS_MAX]; names.len()];
        let guesses: Vec<_> = names.iter().zip(&mut texts).map(|(name, text)| self.guess((*name)?, text)).collect();
        let apexes: Vec<_> = guesses.iter().map(|guess| Some(text_of(guess.as_ref()?.found.served))).collect();
        let mut found = Vec::with_capacity(names.len());
        for (at, (guess, apex)) in guesses.into_iter().zip(apexes).enumerate() {
            found.push(guess.zip(apex).and_then(|(guess, apex)| {
                let is_right = texts[at].get(guess.suffix) == Some(apex.as_bytes());
                if is_right { Some(guess.found) } else { self.find(names[at]?) }
            }));
        }
        found
    }

    /// What the index has for the longest suffix for which it has anything.
    fn guess(&self, name: &[u8], text: &mut [u8; NAME_OCTETS_MAX]) -> Option<Guess<'_>> {
        let end = to_text(name, text)?;
        self.suffixes(name).find_map(|depth| {
            let suffix = depth + 1..end;
            let hash = self.hash(text.get(suffix.clone())?);
            let served = self.shards[shard_of(hash, self.shards.len())].guess(hash)?;
            Some(Guess { found: Found { served, depth }, suffix })
        })
    }

    /// Where the suffixes of a name begin that are short enough for an apex, the longest first.
    fn suffixes(&self, name: &[u8]) -> impl Iterator<Item = usize> {
        let label = |depth: usize| name.get(depth).copied().filter(|label| *label != 0);
        let next = move |depth: &usize| Some(depth + 1 + usize::from(label(*depth)?));
        let depths = successors(Some(0), next).take_while(move |depth| label(*depth).is_some());
        depths.skip_while(|depth| name.len() > self.apex_octets_max + 2 + depth)
    }

    fn by_text(&self, text: &[u8]) -> Option<&ServedZone> {
        let hash = self.hash(text);
        self.shards[shard_of(hash, self.shards.len())].get(hash, text)
    }

    fn hash(&self, text: &[u8]) -> u64 {
        self.hasher.hash_one(text)
    }
}

/// A zone that is most likely the one of a name, and where its text stands in the name's.
struct Guess<'a> {
    found: Found<'a>,
    suffix: Range<usize>,
}

/// The zones by shard, each part in a block of just its size: it becomes the shard's, and nothing is copied again.
fn parts(zones: Vec<ServedZone>, count: usize, hasher: &RandomState) -> Vec<Vec<ServedZone>> {
    let place = |served: &ServedZone| shard_of(hasher.hash_one(text_of(served).as_bytes()), count);
    let mut sizes = vec![0; count];
    zones.iter().for_each(|served| sizes[place(served)] += 1);
    let mut parts: Vec<Vec<ServedZone>> = sizes.into_iter().map(Vec::with_capacity).collect();
    zones.into_iter().for_each(|served| parts[place(&served)].push(served));
    parts
}

fn text_of(served: &ServedZone) -> &str {
    served.zone.apex().as_str()
}

fn shard_of(hash: u64, count: usize) -> usize {
    (hash >> 48) as usize & (count - 1)
}

/// A name in wire form as text, lower case, a dot in place of each length. A dot within a label becomes what no name of
/// ours holds. Gives the place of the root's octet; `None` for what is no whole name.
fn to_text(name: &[u8], text: &mut [u8; NAME_OCTETS_MAX]) -> Option<usize> {
    let text = text.get_mut(..name.len())?;
    text.copy_from_slice(name);
    text.make_ascii_lowercase();
    text.iter_mut().filter(|octet| **octet == b'.').for_each(|octet| *octet = 0);
    let mut at = 0;
    while let Some(&label) = name.get(at).filter(|label| **label != 0) {
        text[at] = b'.';
        at += 1 + usize::from(label);
    }
    (at < name.len()).then_some(at)
}

//----------- Shard ------------------------------------------------------------------------------------------------

/// Some hundred zones.
#[derive(Debug, Default)]
struct Shard {
    zones: Box<[ServedZone]>,
    /// A power of two of slots, at least twice as many as zones; a slot is empty, or mark and place of a zone.
    index: Box<[u32]>,
}

/// The bits of a hash that a slot keeps, above the place of its zone.
const MARK_BITS: u32 = 15;
const EMPTY: u32 = u32::MAX;
/// A shard has room for 131,070 zones, and 4096 shards for half a billion.
const PLACE_BITS: u32 = 32 - MARK_BITS;

impl Shard {
    /// A zone whose name has one already is left out.
    fn new(mut zones: Vec<ServedZone>, hash: impl Fn(&[u8]) -> u64) -> Self {
        let slots = (zones.len() * 2).next_power_of_two();
        let mut index = vec![EMPTY; slots].into_boxed_slice();
        let mut place = 0;
        while let Some(served) = zones.get(place) {
            let text = text_of(served).as_bytes();
            let hash = hash(text);
            match slot_of(&index, &zones, hash, text) {
                Err(empty) if place + 1 < 1 << PLACE_BITS => {
                    index[empty] = mark(hash) << PLACE_BITS | place as u32;
                    place += 1;
                }
                _ => _ = zones.remove(place),
            }
        }
        Self { zones: zones.into_boxed_slice(), index }
    }

    fn with(&self, changes: Vec<(DomainName, Option<ServedZone>)>, hash: impl Fn(&[u8]) -> u64) -> Self {
        let changed = |served: &&ServedZone| changes.iter().all(|(apex, _)| apex != served.zone.apex());
        let mut zones: Vec<ServedZone> = self.zones.iter().filter(changed).cloned().collect();
        zones.extend(changes.iter().filter_map(|(_, served)| served.clone()));
        Self::new(zones, hash)
    }

    /// By the marks in the index alone.
    fn guess(&self, hash: u64) -> Option<&ServedZone> {
        let place = marked(&self.index, hash, |_| true).ok()?;
        self.zones.get(place)
    }

    fn get(&self, hash: u64, text: &[u8]) -> Option<&ServedZone> {
        let place = slot_of(&self.index, &self.zones, hash, text).ok()?;
        self.zones.get(place)
    }
}

fn mark(hash: u64) -> u32 {
    (hash >> 32) as u32 & ((1 << MARK_BITS) - 1)
}

/// The place of the zone of that name, or else the empty slot where it would be found.
fn slot_of(index: &[u32], zones: &[ServedZone], hash: u64, text: &[u8]) -> Result<usize, usize> {
    marked(index, hash, |place| text_of(&zones[place]).as_bytes() == text)
}

/// The first place with the mark of `hash` that is the right one, or else the empty slot behind all of them.
fn marked(index: &[u32], hash: u64, is_right: impl Fn(usize) -> bool) -> Result<usize, usize> {
    let mut slot = hash as usize & (index.len() - 1);
    loop {
        let entry = index[slot];
        if entry == EMPTY {
            return Err(slot);
        }
        let place = (entry & ((1 << PLACE_BITS) - 1)) as usize;
        if entry >> PLACE_BITS == mark(hash) && is_right(place) {
            return Ok(place);
        }
        slot = (slot + 1) & (index.len() - 1);
    }
}
