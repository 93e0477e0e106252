//! A tree as static files ([tlog-tiles](https://c2sp.org/tlog-tiles)): anybody can serve them, and compute any proof.
//!
//! ```text
//! tile/<level>/<n>[.p/<width>]    256 hashes of that level, or the first `width` of them
//! tile/entries/<n>[.p/<width>]    256 entries, each behind its length in two octets
//! ```
//!
//! `<n>` is written as `x001/x234/067`. A hash of level 1 and above is the root of a full tile of the level below.

use model::Digest;

use super::tree::{leaf, node, root_of};

/// Hashes or entries in a full tile.
const WIDTH: usize = 256;
/// An entry's length as it stands before it.
const LENGTH: [u8; 2] = [0, 32];

//----------- Tiles ------------------------------------------------------------------------------------------------

/// Every tile of a tree, from its entries.
#[derive(Debug)]
pub struct Tiles {
    entries: Vec<Digest>,
    /// By level: all its hashes that lie in tiles.
    levels: Vec<Vec<Digest>>,
}

impl Tiles {
    /// `entries` are commitments.
    pub fn new(entries: Vec<Digest>) -> Self {
        let mut levels = vec![entries.iter().map(|entry| leaf(&entry.0)).collect::<Vec<_>>()];
        loop {
            let full = levels.last().map_or(&[][..], |below| below.as_chunks::<WIDTH>().0);
            let level: Vec<Digest> = full.iter().map(|tile| root_of(tile)).collect();
            if level.is_empty() {
                return Self { entries, levels };
            }
            levels.push(level);
        }
    }

    pub fn leaves(&self) -> &[Digest] {
        &self.levels[0]
    }

    /// The hashes beside the way from a leaf to the root, as [`inclusion`](super::inclusion) gives them; the hashes of full
    /// tiles are not computed again, so that a proof for each of many leaves is cheap.
    pub fn inclusion(&self, index: u64) -> Option<Vec<Digest>> {
        let mut index = usize::try_from(index).ok().filter(|index| *index < self.leaves().len())?;
        let (mut proof, mut start, mut size) = (Vec::new(), 0, self.leaves().len());
        while size > 1 {
            let left = size.next_power_of_two() / 2;
            let beside;
            (beside, start, size, index) = match index < left {
                true => (self.hash_of(start + left, size - left), start, left, index),
                false => (self.hash_of(start, left), start + left, size - left, index - left),
            };
            proof.push(beside);
        }
        proof.reverse();
        Some(proof)
    }

    /// Over so many leaves from `start`, where a subtree begins.
    fn hash_of(&self, start: usize, size: usize) -> Digest {
        let (mut level, mut wide) = (0, 1);
        while size.is_multiple_of(wide * WIDTH) && level + 1 < self.levels.len() {
            (level, wide) = (level + 1, wide * WIDTH);
        }
        if size.is_power_of_two() || size / wide <= WIDTH {
            return root_of(&self.levels[level][start / wide..(start + size) / wide]);
        }
        let left = size.next_power_of_two() / 2;
        node(&self.hash_of(start, left), &self.hash_of(start + left, size - left))
    }

    /// Every file that the tree of this size needs: its path and what it holds.
    pub fn files(&self) -> impl Iterator<Item = (String, Vec<u8>)> + '_ {
        let hashes = self.levels.iter().enumerate().flat_map(|(level, hashes)| {
            let tile = move |(n, tile): (usize, &[Digest])| (path(&level.to_string(), n, tile.len()), joined(tile));
            hashes.chunks(WIDTH).enumerate().map(tile)
        });
        let bundle = |(n, some): (usize, &[Digest])| (path("entries", n, some.len()), bundled(some));
        hashes.chain(self.entries.chunks(WIDTH).enumerate().map(bundle))
    }

    /// What a file of that path holds, if it is one of this tree or of one of its beginnings.
    pub fn file(&self, path: &str) -> Option<Vec<u8>> {
        let (kind, n, width) = place_of(path)?;
        let start = n.checked_mul(WIDTH)?;
        let part = start..start + width;
        match kind {
            "entries" => self.entries.get(part).map(bundled),
            level => self.levels.get(level.parse::<usize>().ok()?)?.get(part).map(joined),
        }
    }
}

fn joined(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

fn bundled(entries: &[Digest]) -> Vec<u8> {
    entries.iter().flat_map(|entry| LENGTH.into_iter().chain(entry.0)).collect()
}

//----------- Paths ------------------------------------------------------------------------------------------------

fn path(kind: &str, n: usize, width: usize) -> String {
    let mut index = format!("{:03}", n % 1000);
    let mut rest = n / 1000;
    while rest > 0 {
        index = format!("x{:03}/{index}", rest % 1000);
        rest /= 1000;
    }
    match width {
        WIDTH => format!("tile/{kind}/{index}"),
        _ => format!("tile/{kind}/{index}.p/{width}"),
    }
}

/// Level (or `entries`), number and width of the tile with this path; `None` unless it is written as it should be.
pub fn place_of(text: &str) -> Option<(&str, usize, usize)> {
    let (kind, index) = text.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = match index.split_once(".p/") {
        Some((index, width)) => (index, width.parse().ok()?),
        None => (index, WIDTH),
    };
    let digits = index.split('/').map(|part| part.strip_prefix('x').unwrap_or(part));
    let n = digits.collect::<String>().parse().ok()?;
    (path(kind, n, width) == text && (1..=WIDTH).contains(&width)).then_some((kind, n, width))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::inclusion;

    fn entries(count: u64) -> Vec<Digest> {
        (0..count).map(|n| Digest::of_bytes(&n.to_be_bytes())).collect()
    }

    /// The example of the specification.
    #[test]
    fn a_tree_of_70_000_has_the_files_that_the_specification_counts() {
        let tiles = Tiles::new(entries(70_000));
        let files: BTreeMap<String, Vec<u8>> = tiles.files().collect();
        let of = |start: &str| files.keys().filter(|path| path.starts_with(start)).count();
        assert_eq!((of("tile/0/"), of("tile/1/"), of("tile/2/"), of("tile/entries/")), (274, 2, 1, 274));
        assert_eq!(files["tile/0/273.p/112"].len(), 112 * 32);
        assert_eq!(files["tile/1/001.p/17"].len(), 17 * 32);
        assert_eq!(files["tile/2/000.p/1"].len(), 32);
        assert_eq!(files["tile/entries/000"].len(), 256 * 34);
        assert_eq!(
            files["tile/2/000.p/1"],
            root_of(&tiles.leaves()[..65_536]).0,
            "65,536 leaves fill a tile of level 1"
        );
        for (path, octets) in &files {
            assert_eq!(tiles.file(path).as_ref(), Some(octets), "{path}");
        }
        let earlier = Tiles::new(entries(300));
        assert!(earlier.files().all(|(path, octets)| tiles.file(&path) == Some(octets)), "partial ones of old sizes");
        assert_eq!(Tiles::new(vec![]).files().count(), 0);
    }

    #[test]
    fn a_proof_from_tiles_is_the_proof_from_leaves() {
        for (size, step) in [(1, 1), (2, 1), (255, 7), (256, 5), (257, 3), (700, 13), (66_000, 8_191), (70_000, 9_973)]
        {
            let tiles = Tiles::new(entries(size));
            for index in (0..size).step_by(step).chain([size - 1]) {
                assert_eq!(tiles.inclusion(index), inclusion(tiles.leaves(), index), "{index} of {size}");
            }
            assert_eq!(tiles.inclusion(size), None);
        }
    }

    #[test]
    fn a_path_is_written_in_one_way() {
        assert_eq!(path("0", 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(place_of("tile/0/x001/x234/067"), Some(("0", 1_234_067, 256)));
        assert_eq!(place_of("tile/entries/000.p/5"), Some(("entries", 0, 5)));
        for wrong in ["tile/0/67", "tile/0/001/234", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/07", "tile/0"]
        {
            assert_eq!(place_of(wrong), None, "{wrong}");
        }
    }
}
