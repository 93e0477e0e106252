//! Which contacts of a day are concerned, and how: two octets for each number of a lane, in pages.
//!
//! Ids of a lane are dense, so a page of 65,536 numbers is nearly full wherever it is needed: ten million contacts take 20 to
//! 40 MB, where a set of ids would take half a gigabyte.

use std::collections::HashMap;

use model::id::ContactId;

use crate::Error;

/// The numbers of a page.
const PAGE_NUMBERS: u64 = 1 << 16;
/// The most pages: a gigabyte, and half a milliard numbers.
const PAGES_MAX: usize = 8192;

/// For each id a word of the caller's; 0 where nothing was said.
#[derive(Default)]
pub(super) struct Ids {
    pages: HashMap<(u32, u32, u16, u64), Box<[u16]>>,
}

impl Ids {
    pub(super) fn put(&mut self, id: ContactId, word: u16) -> Result<(), Error> {
        let (page, at) = place(id);
        if self.pages.len() >= PAGES_MAX && !self.pages.contains_key(&page) {
            let (needs, limit) = (PAGES_MAX as u64 + 1, PAGES_MAX as u64);
            return Err(Error::Limit { what: "pages of ids of a day that is purged", needs, limit });
        }
        let page = self.pages.entry(page).or_insert_with(|| vec![0; PAGE_NUMBERS as usize].into_boxed_slice());
        page[at] = word;
        Ok(())
    }

    pub(super) fn get(&self, id: ContactId) -> u16 {
        let (page, at) = place(id);
        self.pages.get(&page).map_or(0, |page| page[at])
    }
}

fn place(id: ContactId) -> ((u32, u32, u16, u64), usize) {
    let (page, at) = (id.seq() / PAGE_NUMBERS, (id.seq() % PAGE_NUMBERS) as usize);
    ((id.sensor.0, id.boot.0, id.lane.0, page), at)
}

#[cfg(test)]
mod tests {
    use model::id::{Boot, Lane, SensorId};

    use super::*;

    #[test]
    fn each_id_has_its_own_word_and_pages_have_an_end() {
        let id = |lane, seq| ContactId::new(SensorId(1), Boot(2), Lane(lane), seq);
        let mut ids = Ids::default();
        ids.put(id(0, 65_535), 7).unwrap();
        ids.put(id(0, 65_536), 8).unwrap();
        assert_eq!([id(0, 65_535), id(0, 65_536), id(1, 65_535), id(0, 0)].map(|id| ids.get(id)), [7, 8, 0, 0]);
        ids.pages = (0..PAGES_MAX as u64).map(|page| ((1, 2, 3, page), Box::<[u16]>::default())).collect();
        assert!(matches!(ids.put(id(0, 1), 1), Err(Error::Limit { .. })));
    }
}
