//! Chance that can be repeated: SplitMix64 (Steele, Lea, Flood 2014), seeded by the plan.
//!
//! Not for secrets: passwords come from [`crate::secret`].

/// A stream of numbers that looks random and is the same for the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A stream for one caller: streams of neighbouring numbers have nothing in common.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self(seed ^ stream.wrapping_mul(0xa076_1d64_78bd_642f));
        dice.roll();
        dice
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`. The bias of the remainder is below 2^-32 for every `end` used here.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % end as u64).expect("a number below a usize is a usize")
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// One of `from`, the first ones far more often: as people and machines choose names.
    pub(crate) fn pick_popular<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let widest = self.below(from.len()) + 1;
        &from[self.below(widest)]
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_throws_and_another_stream_others() {
        let throws = |stream| (0..8).map(|_| 0).scan(Dice::new(7, stream), |dice, _: i32| Some(dice.roll())).collect();
        let (first, again, other): (Vec<u64>, Vec<u64>, Vec<u64>) = (throws(1), throws(1), throws(2));
        assert_eq!(first, again);
        assert_ne!(first, other);
    }

    #[test]
    fn the_first_are_popular() {
        let mut dice = Dice::new(7, 0);
        let names: Vec<usize> = (0..50).collect();
        let first_ten = (0..1000).filter(|_| *dice.pick_popular(&names) < 10).count();
        assert!(first_ten > 400, "{first_ten} of 1000 would be 200 if all were alike");
    }
}
