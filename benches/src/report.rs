//! `meanwhile-benches report`: asks all questions and tells what came of it.

mod args;
mod compare;
mod error;
mod headline;
mod judgement;
mod losses;
mod machine;
#[cfg(test)]
mod made_up;
mod markdown;
mod measurements;
mod numbers;
mod page;
mod places;
mod plots;
mod questions;
mod results;
mod targets;
mod text;

use std::fs;
use std::path::Path;
use std::time::Instant;

use meanwhile_benches::{Gathering, Series, Table};

use self::compare::Comparison;
use self::error::Error;
use self::judgement::{Judgement, judge};
use self::measurements::{Depth, Measurements};
use self::places::{make_folder, root, saved, unpublished, write};
use self::questions::QUESTIONS;
use self::results::Results;
use self::targets::Target;

pub(crate) use self::args::Report;

/// Whether there is something to complain about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    /// It was to be checked, and a target is missed.
    TargetsMissed,
}

/// Does what `args` say.
pub(crate) fn run(args: &Report) -> Result<Outcome, Error> {
    // Whatever is wrong with the arguments is said before minutes are spent on measuring.
    let baseline = args.compare.as_deref().map(|name| {
        Measurements::read(&saved(name)).map_err(|error| Error::because("--compare", error))
    });
    let baseline = baseline.transpose()?;
    if let Some(out) = &args.out {
        make_folder(out).map_err(|error| Error::because("--out", error))?;
    }
    let save = args.save.as_deref().map(saved);
    if let Some(folder) = save.as_deref().and_then(Path::parent) {
        make_folder(folder).map_err(|error| Error::because("--save", error))?;
    }

    let measured = match &args.from {
        Some(name) => {
            Measurements::read(&saved(name)).map_err(|error| Error::because("--from", error))?
        }
        None => measure(args)?,
    };
    let judged = judge(Results(&measured.series));
    // The files come first: whoever closes stdout early has them all the same.
    if let Some(file) = &save {
        measured.write(file)?;
        eprintln!("raw values are in {}", file.display());
    }
    let out = match &args.out {
        Some(out) => out.clone(),
        None if measured.is_complete() => root(),
        None => unpublished(),
    };
    write_pages(&out, &measured, &judged)?;
    print_tables(&measured);
    println!("targets\n{}", judgement::lines(&judged));
    if let Some(baseline) = &baseline {
        let comparison = Comparison::of(&measured, baseline);
        println!(
            "since {}, commit {}\n{comparison}",
            baseline.date,
            baseline.build.commit()
        );
    }
    match args.check {
        true => Ok(check(&measured, &judged)),
        false => Ok(Outcome::Fine),
    }
}

/// Asks, pass after pass.
fn measure(args: &Report) -> Result<Measurements, Error> {
    let depth = match (args.trial, args.quick) {
        (true, _) => Depth::Trial,
        (_, true) => Depth::Quick,
        _ => Depth::Full,
    };
    if cfg!(debug_assertions) && depth != Depth::Trial {
        return Err(Error::new(
            "this was built without optimisations: run it with --release",
        ));
    }
    let is_wanted = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);
    let questions: Vec<_> = QUESTIONS
        .iter()
        .filter(|question| is_wanted(question.name))
        .collect();
    let names = questions
        .iter()
        .map(|question| question.name.to_owned())
        .collect();
    let measured = Measurements::begin(&root(), command(), depth, names);

    if let Some(load) = measured.disturbance() {
        eprintln!("other programs are at work, with a load of {load:.1}: that makes noise");
    }

    let began = Instant::now();
    let mut gathering = Gathering::new(depth.effort());
    let passes = depth.passes();
    for pass in 1..=passes {
        for question in &questions {
            let seconds = began.elapsed().as_secs();
            eprintln!(
                "{:>2}:{:02}  pass {pass} of {passes}: {}",
                seconds / 60,
                seconds % 60,
                question.name
            );
            (question.ask)(&mut gathering);
        }
    }
    Ok(measured.end(began.elapsed().as_secs_f64(), gathering.into_series()))
}

/// The series of one contest as one table.
fn print_tables(measured: &Measurements) {
    let is_same = |one: &Series, other: &Series| {
        (&one.key.question, &one.key.condition) == (&other.key.question, &other.key.condition)
    };
    for contest in measured.series.chunk_by(is_same) {
        let title = [&*contest[0].key.question, &contest[0].key.condition];
        println!("{}", text::joined(&title));
        println!("{}", Table(contest));
    }
}

/// Writes all that is for reading into the folder `out`.
fn write_pages(out: &Path, measured: &Measurements, judged: &[Judgement]) -> Result<(), Error> {
    let plots = plots::all(Results(&measured.series))?;
    let folder = out.join(markdown::FOLDER);
    for plot in &plots {
        write(&folder.join(&plot.file), &plot.svg)?;
    }
    measured.write(&folder.join(page::DATA))?;
    let page = out.join("BENCHMARKS.md");
    write(&page, &page::page(measured, judged, &plots))?;
    eprintln!("the report is in {}", page.display());

    let readme = out.join("README.md");
    if measured.is_complete()
        && let Ok(text) = fs::read_to_string(&readme)
    {
        let headline = headline::headline(measured, judged, &plots);
        if let Some(text) = headline::within(&text, &headline) {
            write(&readme, &text)?;
            eprintln!("its headline is in {}", readme.display());
        }
    }
    Ok(())
}

/// Names each target that is missed.
fn check(measured: &Measurements, judged: &[Judgement]) -> Outcome {
    let missed = judgement::missed(measured, judged);
    for judgement in &missed {
        let Target {
            name, what, wanted, ..
        } = judgement.target;
        eprintln!(
            "missed by {}: {name}: {what}: {wanted}; {judgement}",
            judgement.contender
        );
    }
    match missed.is_empty() {
        true => Outcome::Fine,
        false => Outcome::TargetsMissed,
    }
}

/// How this was called.
fn command() -> String {
    let args = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    format!("cargo run --release -p meanwhile-benches -- {args}")
}
