//! Series for tests.

use std::path::Path;

use meanwhile_benches::{Key, Role, Series, Unit};

use super::measurements::{Depth, Measurements};
use super::questions::QUESTIONS;

/// A full run on a quiet machine that came to this.
pub(crate) fn measurements(series: Vec<Series>) -> Measurements {
    let questions = QUESTIONS
        .iter()
        .map(|question| question.name.to_owned())
        .collect();
    let mut begun =
        Measurements::begin(Path::new("/"), "report".to_owned(), Depth::Full, questions);
    begun.load = None;
    begun.end(90.0, series)
}

/// One of seconds, with the question, the condition and the metric of `key`.
pub(crate) fn series(
    (question, condition, metric): (&str, &str, &str),
    role: Role,
    contender: &str,
    values: &[f64],
) -> Series {
    let key = Key {
        question: question.to_owned(),
        condition: condition.to_owned(),
        metric: metric.to_owned(),
        contender: contender.to_owned(),
    };
    Series {
        key,
        role,
        unit: Unit::Seconds,
        values: values.to_vec(),
    }
}

/// `count` values around `middle`, which a seed decides on. One in ten is a slow moment of the machine.
pub(crate) fn noisy(middle: f64, count: usize, seed: u64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut value = || {
        let slow = if random.u8(..10) == 0 { 5.0 } else { 1.0 };
        middle * slow * (0.9 + 0.2 * random.f64())
    };
    (0..count).map(|_| value()).collect()
}
