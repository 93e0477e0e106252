//! Proofs of RFC 9162, sections 2.1.3 and 2.1.4: that an entry is in a tree, and that a tree goes on from an older one.
//!
//! They are computed from the leaves and not from a store of inner hashes: a proof reads 32 octets for each fact, and
//! the ledger is the small plane. Tiles ([`Tiles`](super::Tiles)) let others compute them from a few files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Digest;

use super::tree::{leaf, node, root_of};

/// The hashes beside the way from a leaf to the root, from the bottom up; `None` if there is no such leaf.
pub fn inclusion(leaves: &[Digest], index: u64) -> Option<Vec<Digest>> {
    let index = usize::try_from(index).ok().filter(|index| *index < leaves.len())?;
    let (mut proof, mut within, mut index) = (Vec::new(), leaves, index);
    while within.len() > 1 {
        let (left, right) = within.split_at(left_half(within.len()));
        let beside;
        (beside, within, index) =
            if index < left.len() { (right, left, index) } else { (left, right, index - left.len()) };
        proof.push(root_of(beside));
    }
    proof.reverse();
    Some(proof)
}

/// The hashes that lead from the root of the first `old` leaves to the root of all; `None` if there are fewer.
pub fn consistency(leaves: &[Digest], old: u64) -> Option<Vec<Digest>> {
    let old = usize::try_from(old).ok().filter(|old| *old <= leaves.len())?;
    let mut proof = Vec::new();
    if old == 0 || old == leaves.len() {
        return Some(proof);
    }
    let (mut within, mut old, mut is_known) = (leaves, old, true);
    while old < within.len() {
        let (left, right) = within.split_at(left_half(within.len()));
        if old <= left.len() {
            proof.push(root_of(right));
            within = left;
        } else {
            proof.push(root_of(left));
            (within, old, is_known) = (right, old - left.len(), false);
        }
    }
    // The old tree's own root is known to whoever asks.
    if !is_known {
        proof.push(root_of(within));
    }
    proof.reverse();
    Some(proof)
}

/// The largest power of two below `size`: where RFC 9162 splits a tree.
fn left_half(size: usize) -> usize {
    size.next_power_of_two() / 2
}

//----------- Verifying --------------------------------------------------------------------------------------------

/// Whether the proof leads from this entry to that root (RFC 9162, section 2.1.3.2).
pub fn is_included(entry: &[u8], index: u64, size: u64, proof: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf(entry));
    for beside in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            climb_to_left(&mut at, &mut last);
        } else {
            hash = node(&hash, beside);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether the proof leads from the old root to the new one (RFC 9162, section 2.1.4.2). The empty tree is the
/// beginning of every other.
pub fn is_consistent(old: (u64, &Digest), new: (u64, &Digest), proof: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 || old_size == new_size {
        let same = old_size == 0 || old_root == new_root;
        return proof.is_empty() && same;
    }
    // A full old tree is a subtree of the new one, so its root is not told again.
    let mut hashes = old_size.is_power_of_two().then_some(old_root).into_iter().chain(proof);
    let Some(first) = hashes.next().filter(|_| old_size < new_size) else { return false };
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    let full = at.trailing_ones();
    (at, last) = (at >> full, last >> full);
    let (mut of_old, mut of_new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            (of_old, of_new) = (node(hash, &of_old), node(hash, &of_new));
            climb_to_left(&mut at, &mut last);
        } else {
            of_new = node(&of_new, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}

/// The last node of a level may have no sibling on some levels: it goes up alone.
fn climb_to_left(at: &mut u64, last: &mut u64) {
    while *at & 1 == 0 && *at != 0 {
        (*at, *last) = (*at >> 1, *last >> 1);
    }
}

//----------- Text -------------------------------------------------------------------------------------------------

/// A proof of inclusion as a file that can be verified offline (`c2sp.org/tlog-proof`): index, hashes, checkpoint.
pub fn to_proof_text(index: u64, proof: &[Digest], checkpoint: &str) -> String {
    let hashes: String = proof.iter().map(|hash| format!("{}\n", STANDARD.encode(hash.0))).collect();
    format!("c2sp.org/tlog-proof@v1\nindex {index}\n{hashes}\n{checkpoint}")
}

#[cfg(test)]
pub(super) mod tests;
