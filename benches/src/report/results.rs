//! Looking things up in what was measured.

use meanwhile_benches::{Estimate, Role, Series};

/// All series of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Results<'a>(pub(crate) &'a [Series]);

/// The series of one contest that are of the same metric, and so can be compared with each other.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    pub(crate) question: &'a str,
    pub(crate) condition: &'a str,
    pub(crate) metric: &'a str,
    /// In the order of the contest. None is empty.
    pub(crate) series: Vec<&'a Series>,
}

impl<'a> Results<'a> {
    /// The groups, in the order in which they were asked.
    pub(crate) fn groups(self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for series in self.0.iter().filter(|series| !series.values.is_empty()) {
            match groups.iter_mut().find(|group| group.is_of(series)) {
                Some(group) => group.series.push(series),
                None => groups.push(Group {
                    question: &series.key.question,
                    condition: &series.key.condition,
                    metric: &series.key.metric,
                    series: vec![series],
                }),
            }
        }
        groups
    }

    /// The group of this name, if it was measured.
    pub(crate) fn group(self, question: &str, condition: &str, metric: &str) -> Option<Group<'a>> {
        self.groups().into_iter().find(|group| {
            (group.question, group.condition, group.metric) == (question, condition, metric)
        })
    }
}

impl<'a> Group<'a> {
    /// The series of a contender, if he took part.
    pub(crate) fn contender(&self, name: &str) -> Option<&'a Series> {
        let is_his = |series: &&&Series| series.key.contender == name;
        self.series.iter().find(is_his).copied()
    }

    /// Whom all others are compared with: the first who is not ours.
    pub(crate) fn reference(&self) -> Option<&'a Series> {
        let is_other = |series: &&&Series| series.role != Role::Ours;
        self.series.iter().find(is_other).copied()
    }

    /// The series, the best by the median first.
    pub(crate) fn best_first(&self) -> Vec<&'a Series> {
        let mut series = self.series.clone();
        series.sort_by(|one, other| one.quantile(0.5).total_cmp(&other.quantile(0.5)));
        series
    }

    /// Who is best by his median, of those that are `wanted`.
    pub(crate) fn best(&self, wanted: impl Fn(&Series) -> bool) -> Option<&'a Series> {
        let mut best_first = self.best_first().into_iter();
        best_first.find(|series| wanted(series))
    }

    fn is_of(&self, series: &Series) -> bool {
        let key = &series.key;
        (self.question, self.condition, self.metric) == (&key.question, &key.condition, &key.metric)
    }
}

/// The value that one in a hundred exceeds, and between which it lies with a probability of 95 %, by the ranks that a
/// binomial distribution of one in a hundred allows.
pub(crate) fn p99(series: &Series) -> Estimate {
    const SHARE: f64 = 0.99;
    let count = series.values.len() as f64;
    let reach = 1.96 * (SHARE * (1.0 - SHARE) / count).sqrt();
    Estimate {
        median: series.quantile(SHARE),
        low: series.quantile(SHARE - reach),
        high: series.quantile((SHARE + reach).min(1.0)),
    }
}

/// The quotient of two estimates that do not come from the same rounds. The bounds are the widest that they allow.
pub(crate) fn quotient(of: Estimate, by: Estimate) -> Estimate {
    Estimate {
        median: of.median / by.median,
        low: of.low / by.high,
        high: of.high / by.low,
    }
}

/// The median, with bounds so wide that two of them which lie apart do so for another reason than noise. `None` if there
/// are too few values to know.
///
/// They take in the medians of the thirds of all values: these were measured minutes apart, and what differs between
/// them does not show within one. Of few values the extremes say little, so they are put off by as much as they differ,
/// which for three is about what Student's t demands.
pub(crate) fn cautious(values: &[f64]) -> Option<Estimate> {
    let few = match values.len() {
        0..3 => return None,
        3..6 => 1.0,
        _ => 0.0,
    };
    let median = |third: &[f64]| Estimate::of(third.to_vec()).median;
    let whole = Estimate::of(values.to_vec());
    let medians = values.chunks(values.len().div_ceil(3)).map(median);
    let low = medians.clone().fold(whole.low, f64::min);
    let high = medians.fold(whole.high, f64::max);
    Some(Estimate {
        median: whole.median,
        // None of what is measured is negative.
        low: (low - few * (high - low)).max(0.0),
        high: high + few * (high - low),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_few_values_little_is_known() {
        assert_eq!(cautious(&[1.0, 1.0]), None);
        let bounds =
            |values: &[f64]| cautious(values).map(|estimate| (estimate.low, estimate.high));
        assert_eq!(bounds(&[4.0, 5.0, 6.0]), Some((2.0, 8.0)));
        assert_eq!(bounds(&[1.0, 5.0, 9.0]), Some((0.0, 17.0)));
        assert_eq!(bounds(&[7.0; 3]), Some((7.0, 7.0)));
    }

    #[test]
    fn what_differs_between_the_thirds_counts() {
        let thirds = [1.0, 2.0, 3.0].map(|third| [third; 100]).concat();
        let estimate = cautious(&thirds).unwrap();
        assert_eq!((estimate.low, estimate.high), (1.0, 3.0));
    }
}
