//! What was measured, as plain data, and what it says.

use serde::{Deserialize, Serialize};

/// Who a contender is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// One of the backends or queues of this workspace, or a reader's own: whom the targets are for.
    Ours,
    /// What people would use instead.
    Peer,
    /// The least that anybody could do.
    Floor,
}

/// What a value is counted in. Whatever it is, less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// A number of things.
    Count,
}

/// Which measurement a series is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The question, for instance `launch`.
    pub question: String,
    /// Under which conditions it was asked, for instance `1,000 running`.
    pub condition: String,
    /// What of the work was looked at, for instance `time`.
    pub metric: String,
    /// Who was asked.
    pub contender: String,
}

/// One value of each round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// Which measurement it is of.
    #[serde(flatten)]
    pub key: Key,
    /// Who the contender is.
    pub role: Role,
    /// What the values are counted in.
    pub unit: Unit,
    /// By round. In the other series of the same contest the same place is the same round.
    pub values: Vec<f64>,
}

impl Series {
    /// The value below which `share` of the values lie; 0.5 is the median. `NaN` if there is none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        quantile(&sorted(self.values.clone()), share).unwrap_or(f64::NAN)
    }

    /// The values, each divided by that of `other` in the same round.
    #[must_use]
    pub fn ratios(&self, other: &Self) -> Vec<f64> {
        let rounds = self.values.iter().zip(&other.values);
        rounds.map(|(mine, theirs)| mine / theirs).collect()
    }

    /// The median of the ratios, and how sure it is.
    #[must_use]
    pub fn against(&self, other: &Self) -> Estimate {
        Estimate::of(self.ratios(other))
    }

    /// The median and how sure it is.
    #[must_use]
    pub fn estimate(&self) -> Estimate {
        Estimate::of(self.values.clone())
    }
}

/// A median, and between which values it lies with a probability of 95 %.
///
/// The bounds are values of the sample: the ranks that a binomial distribution of one half allows. Nothing is assumed
/// of how the values are distributed, which is bimodal for spawns. With fewer than six values the bounds are the
/// extremes, and say less.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The median.
    pub median: f64,
    /// It is hardly less than this.
    pub low: f64,
    /// It is hardly more than this.
    pub high: f64,
}

impl Estimate {
    /// Estimates the median of what `values` are a sample of. `NaN` throughout if there are none.
    #[must_use]
    pub fn of(values: Vec<f64>) -> Self {
        let values = sorted(values);
        let count = values.len() as f64;
        // 1.96 standard deviations of the rank, which are the root of n over 2 each.
        let reach = 0.98 * count.sqrt();
        let rank = |rank: f64| {
            let last = values.len().saturating_sub(1);
            values
                .get((rank.max(0.0) as usize).min(last))
                .copied()
                .unwrap_or(f64::NAN)
        };
        Self {
            median: quantile(&values, 0.5).unwrap_or(f64::NAN),
            low: rank((count / 2.0 - reach).floor() - 1.0),
            high: rank((count / 2.0 + reach).ceil()),
        }
    }
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// Between two values it takes the nearer. `None` if there is none.
pub(crate) fn quantile<T: Copy>(sorted: &[T], share: f64) -> Option<T> {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_lies_between_its_bounds() {
        let estimate = Estimate::of((0..=100).rev().map(f64::from).collect());
        assert_eq!(estimate.median, 50.0);
        assert_eq!((estimate.low, estimate.high), (39.0, 61.0));
    }

    #[test]
    fn few_values_are_bounded_by_their_extremes() {
        let estimate = Estimate::of(vec![3.0, 1.0, 2.0]);
        assert_eq!(
            (estimate.low, estimate.median, estimate.high),
            (1.0, 2.0, 3.0)
        );
        assert!(Estimate::of(Vec::new()).median.is_nan());
    }
}
