//! All that was measured, in tables.

use meanwhile_benches::{QUEUE, Role, SCALE, Series, amount};

use super::markdown::table;
use super::questions::QUESTIONS;
use super::results::{Group, Results, p99};
use super::text::{digits, interval, joined, times};

/// For each question its tables.
pub(crate) fn numbers(results: Results<'_>) -> String {
    let groups = results.groups();
    let of = |name: &str, asks: &str| {
        let its: Vec<_> = groups
            .iter()
            .filter(|group| group.question == name)
            .collect();
        let tables = match name {
            // With so many conditions they are columns, and the details are in the raw values.
            QUEUE | SCALE => by_condition(&its),
            _ => its.into_iter().map(details).collect(),
        };
        (!tables.is_empty()).then(|| format!("### {name}\n\n{asks}\n\n{}", tables.join("\n\n")))
    };
    let questions = QUESTIONS
        .iter()
        .filter_map(|question| of(question.name, question.asks));
    questions.collect::<Vec<_>>().join("\n\n")
}

/// One table with all there is to say of a group.
fn details(group: &Group<'_>) -> String {
    let reference = group.reference();
    let row = |series: &&Series| {
        let value = |value| amount(series.unit, value);
        let others = reference.filter(|reference| reference.key != series.key);
        let ratio = others.map(|reference| interval(series.against(reference), times));
        vec![
            name(series),
            interval(series.estimate(), value),
            value(p99(series).median),
            ratio.unwrap_or_default(),
            series.values.len().to_string(),
        ]
    };
    let against = reference.map_or("", |reference| reference.key.contender.as_str());
    let against = format!("against {against}");
    let title = joined(&[group.condition, group.metric]);
    let head = [title.as_str(), "median", "p99", &against, "rounds"];
    table(&head, group.series.iter().map(row))
}

/// A table for each metric, with a column for each condition.
fn by_condition(groups: &[&Group<'_>]) -> Vec<String> {
    let mut metrics: Vec<&str> = Vec::new();
    for group in groups {
        if !metrics.contains(&group.metric) {
            metrics.push(group.metric);
        }
    }
    let of = |metric: &str| {
        let its: Vec<_> = groups
            .iter()
            .filter(|group| group.metric == metric)
            .collect();
        let mut contenders: Vec<&Series> = Vec::new();
        for series in its.iter().flat_map(|group| &group.series) {
            if contenders
                .iter()
                .all(|known| known.key.contender != series.key.contender)
            {
                contenders.push(series);
            }
        }
        let cell = |group: &Group<'_>, contender: &str| {
            let series = group.contender(contender)?;
            let median = amount(series.unit, series.quantile(0.5));
            let others = group
                .reference()
                .filter(|reference| reference.key != series.key);
            let ratio = others.map(|reference| series.against(reference));
            // Against nothing there is no ratio.
            let ratio = ratio.filter(|ratio| ratio.median.is_finite());
            let ratio = ratio.map(|ratio| format!("<br>x {}", interval(ratio, digits)));
            Some(median + &ratio.unwrap_or_default())
        };
        let row = |series: &Series| {
            let cells = its
                .iter()
                .map(|group| cell(group, &series.key.contender).unwrap_or_default());
            std::iter::once(name(series)).chain(cells).collect()
        };
        let mut head = vec![metric];
        head.extend(its.iter().map(|group| group.condition));
        table(&head, contenders.into_iter().map(row))
    };
    metrics.into_iter().map(of).collect()
}

/// Ours stand out.
fn name(series: &Series) -> String {
    match series.role {
        Role::Ours => format!("**{}**", series.key.contender),
        Role::Peer | Role::Floor => series.key.contender.clone(),
    }
}
