//! Hashing of RFC 9162, section 2.1, and the right edge of a tree that grows.

use model::Digest;

/// The hash of an entry.
pub fn leaf(entry: &[u8]) -> Digest {
    Digest::of_parts([&[0], entry])
}

/// The hash over two subtrees.
pub fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts([&[1], &left.0[..], &right.0[..]])
}

/// The root of a tree of these leaves.
pub fn root_of(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.root()
}

//----------- Frontier ---------------------------------------------------------------------------------------------

/// The right edge: the roots of the full subtrees of which the tree consists, the largest first. There is one for each
/// 1 in the binary size, so a leaf is added in O(log n), and 64 hashes are the most that there can be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Digest>,
}

impl Frontier {
    /// The edge of a tree of that size from its roots, one after the other; `None` if their number is another.
    pub fn from_octets(size: u64, octets: &[u8]) -> Option<Self> {
        let (roots, rest) = octets.as_chunks::<32>();
        let fits = rest.is_empty() && roots.len() == size.count_ones() as usize;
        fits.then(|| Self { size, roots: roots.iter().copied().map(Digest).collect() })
    }

    pub fn to_octets(&self) -> Vec<u8> {
        self.roots.iter().flat_map(|root| root.0).collect()
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, and closes every subtree that it fills.
    pub fn push(&mut self, leaf: Digest) {
        self.size += 1;
        let mut filled = leaf;
        for _ in 0..self.size.trailing_zeros() {
            let left = self.roots.pop().expect("a full subtree has a left half");
            filled = node(&left, &filled);
        }
        self.roots.push(filled);
    }

    /// The hash of the whole; of nothing, it is SHA-256's of nothing.
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return Digest::of_bytes(b"") };
        roots.fold(*last, |right, left| node(left, &right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::proof::tests::{leaves, naive_root};

    #[test]
    fn the_root_is_that_of_the_definition_for_every_size() {
        let leaves = leaves(300);
        let mut frontier = Frontier::default();
        for size in 0..=300 {
            assert_eq!(frontier.root(), naive_root(&leaves[..size]), "{size}");
            assert_eq!(root_of(&leaves[..size]), frontier.root());
            let octets = frontier.to_octets();
            assert_eq!(Frontier::from_octets(size as u64, &octets), Some(frontier.clone()));
            assert_eq!(Frontier::from_octets(size as u64 ^ 1, &octets), None);
            leaves.get(size).into_iter().for_each(|leaf| frontier.push(*leaf));
        }
    }

    /// The eight entries of the test vectors that come with RFC 6962's first implementation.
    #[test]
    fn the_known_tree_has_the_known_root() {
        let entries =
            ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
        let octet = |hex: &str, at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
        let octets = |hex: &str| (0..hex.len() / 2).map(|at| octet(hex, at)).collect::<Vec<_>>();
        let leaves: Vec<Digest> = entries.iter().map(|hex| leaf(&octets(hex))).collect();
        let root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(root_of(&leaves).to_string(), root);
    }
}
