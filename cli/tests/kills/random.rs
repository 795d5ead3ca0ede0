//! Enough chance for tests, and the same again for the same seed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        // Nothing but zero comes of zero.
        Self(seed.max(1))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    /// A short while; a shorter one is more likely.
    pub(crate) fn moment(&mut self) -> Duration {
        let longest = [500, 5_000, 20_000, 100_000][self.below(4)];
        Duration::from_micros(self.below(longest) as u64)
    }
}

/// Another one each time.
pub(crate) fn seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::from(since.subsec_nanos()) + since.as_secs()
}
