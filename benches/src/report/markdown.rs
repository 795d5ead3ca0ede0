//! What all pages are made of.

use super::plots::Plot;

/// Where plots and data lie, as seen from the page and from the README.
pub(crate) const FOLDER: &str = "benches/report";

/// A table in Markdown, all cells to the left.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![
        line(head.iter().map(|cell| (*cell).to_owned()).collect()),
        format!("|{}", "---|".repeat(head.len())),
    ];
    lines.extend(rows.map(line));
    lines.join("\n")
}

/// A plot where it is shown.
pub(crate) fn picture(plot: &Plot) -> String {
    format!("![{}]({FOLDER}/{})", plot.shows, plot.file)
}
