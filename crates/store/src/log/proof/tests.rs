//! The tree and its proofs against the recursion of RFC 9162, section 2.1, written down as it stands there.

use proptest::prelude::*;

use super::*;

fn entry(n: u64) -> [u8; 32] {
    Digest::of_bytes(&n.to_be_bytes()).0
}

pub(in crate::log) fn leaves(count: u64) -> Vec<Digest> {
    (0..count).map(|n| leaf(&entry(n))).collect()
}

/// Section 2.1.1.
pub(in crate::log) fn naive_root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of_bytes(b""),
        [one] => *one,
        more => {
            let (left, right) = more.split_at(naive_split(more.len()));
            node(&naive_root(left), &naive_root(right))
        }
    }
}

fn naive_split(size: usize) -> usize {
    (0..).map(|power| 1 << power).take_while(|half| *half < size).last().unwrap()
}

/// Section 2.1.3.1.
fn naive_inclusion(leaves: &[Digest], index: usize) -> Vec<Digest> {
    if leaves.len() == 1 {
        return vec![];
    }
    let (left, right) = leaves.split_at(naive_split(leaves.len()));
    let (within, beside) = if index < left.len() {
        (naive_inclusion(left, index), right)
    } else {
        (naive_inclusion(right, index - left.len()), left)
    };
    [within, vec![naive_root(beside)]].concat()
}

/// Section 2.1.4.1: SUBPROOF.
fn naive_consistency(old: usize, leaves: &[Digest], is_known: bool) -> Vec<Digest> {
    if old == leaves.len() {
        return if is_known { vec![] } else { vec![naive_root(leaves)] };
    }
    let (left, right) = leaves.split_at(naive_split(leaves.len()));
    let (within, beside) = if old <= left.len() {
        (naive_consistency(old, left, is_known), right)
    } else {
        (naive_consistency(old - left.len(), right, false), left)
    };
    [within, vec![naive_root(beside)]].concat()
}

/// Checks both proofs at one place, and that nothing near to them is proven.
fn check(leaves: &[Digest], at: u64) {
    let size = leaves.len() as u64;
    let (root, old_root) = (root_of(leaves), root_of(&leaves[..at as usize]));
    let proof = consistency(leaves, at).unwrap();
    if at > 0 {
        assert_eq!(proof, naive_consistency(at as usize, leaves, true), "{at} of {size}");
    }
    assert!(is_consistent((at, &old_root), (size, &root), &proof), "{at} of {size}");
    let other = Digest::of_bytes(b"other");
    assert!(!is_consistent((at, &old_root), (size, &root), &[&proof[..], &[other]].concat()));
    if at > 0 {
        assert!(!is_consistent((at, &other), (size, &root), &proof));
        assert!(at == size || !is_consistent((at, &old_root), (size, &other), &proof));
        assert!(!is_consistent((size + 1, &old_root), (size, &root), &proof));
    }
    for cut in 0..proof.len() {
        assert!(!is_consistent((at, &old_root), (size, &root), &proof[..cut]));
    }
    let Some(proof) = inclusion(leaves, at) else { return assert_eq!(at, size) };
    assert_eq!(proof, naive_inclusion(leaves, at as usize), "{at} in {size}");
    assert!(is_included(&entry(at), at, size, &proof, &root), "{at} in {size}");
    assert!(!is_included(&entry(at + 1), at, size, &proof, &root));
    assert!(!is_included(&entry(at), at + size, size, &proof, &root));
    assert!(!is_included(&entry(at), at, size, &proof, &other));
    assert!(!is_included(&entry(at), at, size, &[&proof[..], &[other]].concat(), &root));
    assert!(proof.is_empty() || !is_included(&entry(at), at, size, &proof[1..], &root));
}

#[test]
fn every_proof_of_every_tree_up_to_64_is_that_of_the_definition() {
    let all = leaves(64);
    for size in 0..=64 {
        (0..=size).for_each(|at| check(&all[..size as usize], at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn so_is_any_of_larger_ones((size, at) in (65u64..2000).prop_flat_map(|size| (Just(size), 0..=size))) {
        check(&leaves(size), at);
    }

    #[test]
    fn a_proof_with_any_bit_flipped_proves_nothing(
        (size, at, old, bit) in (2u64..300).prop_flat_map(|size| (Just(size), 0..size, 1..size, 0usize..256))
    ) {
        let leaves = leaves(size);
        let (root, old_root) = (root_of(&leaves), root_of(&leaves[..old as usize]));
        for hash in 0..inclusion(&leaves, at).unwrap().len() {
            let mut proof = inclusion(&leaves, at).unwrap();
            proof[hash].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!is_included(&entry(at), at, size, &proof, &root));
        }
        for hash in 0..consistency(&leaves, old).unwrap().len() {
            let mut proof = consistency(&leaves, old).unwrap();
            proof[hash].0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!is_consistent((old, &old_root), (size, &root), &proof));
        }
    }
}

#[test]
fn a_proof_is_written_as_others_read_it() {
    let text = to_proof_text(0, &[Digest([0; 32])], "o\n1\nroot\n\n— o sig\n");
    let zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(text, format!("c2sp.org/tlog-proof@v1\nindex 0\n{zeros}\n\no\n1\nroot\n\n— o sig\n"));
}
