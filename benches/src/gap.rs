//! For how long does a launch keep a runtime from all else that it has to do?

mod gaps;
mod launcher;
mod run_delay;

use std::sync::Arc;

use meanwhile_process::LocalOptions;
use meanwhile_smol::SmolBackend;
use meanwhile_thread::ThreadBackend;
use meanwhile_tokio::TokioBackend;
use smol::{Executor, future};

use crate::contest::{Contest, Reading};
use crate::panel::Panel;
use crate::runner::{BACKENDS, FLOOR, Ours};
use crate::series::Role;

use self::gaps::Gaps;
use self::launcher::{Launcher, OnOther, OnSmol, OnThread, OnTokio};

pub use self::gaps::LONGEST_GAP;

/// The name of the question.
pub const GAP: &str = "gap";

/// On a runtime of tokio that has one thread.
const ON_TOKIO: &str = "tokio";
/// On an executor of smol that one thread runs.
const ON_SMOL: &str = "smol";
/// On a thread that has other things to do, and launches by itself.
const NO_RUNTIME: &str = "no runtime";

/// The floor of each condition: bare std on a thread of its own, which the runtime only gives its orders.
const OTHER_THREAD: &str = "std::process, other thread";

/// Between two launches there are so many ticks.
const PAUSE: usize = 2;

/// Asks each backend, against what people launch with in the same place.
///
/// A ticker of 100 us shares its one thread with the launches and with all that becomes of them, and the times between
/// its ticks are looked at. It does not sleep, for the timers of tokio know nothing shorter than a millisecond: it looks
/// at the clock whenever the runtime lets it. It goes on until the last end is known, as hearing of ends is work too.
///
/// A gap may have two causes. The launch itself keeps the thread; or the launch returns at once, but has left so much to
/// run on other threads that the kernel takes the processor away from this one, which always has something to do. The
/// gaps are what the clock says, and contain both. What is called blocked is without the time for which the thread was
/// ready to run and others did, and contains the first alone.
pub fn gap(panel: &mut impl Panel) {
    on_tokio(panel);
    on_smol(panel);
    without_runtime(panel);
}

fn on_tokio(panel: &mut impl Panel) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime on this thread starts");
    let backend = TokioBackend::on(runtime.handle().clone(), LocalOptions::default());
    let (mut peer, mut ours, mut other) = (OnTokio::default(), Ours::new(backend), OnOther::new());
    let launches = launches(panel);
    let contest = contest(panel, ON_TOKIO)
        .contender(Role::Peer, "tokio::process", || {
            runtime.block_on(ticks(&mut peer, launches, tokio::task::yield_now))
        })
        .contender(Role::Ours, BACKENDS[1], || {
            runtime.block_on(ticks(&mut ours, launches, tokio::task::yield_now))
        })
        .contender(Role::Floor, OTHER_THREAD, || {
            runtime.block_on(ticks(&mut other, launches, tokio::task::yield_now))
        });
    panel.ask(contest);
}

fn on_smol(panel: &mut impl Panel) {
    let executor = Arc::new(Executor::new());
    let backend = SmolBackend::on(&executor, LocalOptions::default());
    let (mut peer, mut ours, mut other) =
        (OnSmol::on(&executor), Ours::new(backend), OnOther::new());
    let launches = launches(panel);
    let contest = contest(panel, ON_SMOL)
        .contender(Role::Peer, "async-process", || {
            smol::block_on(executor.run(ticks(&mut peer, launches, future::yield_now)))
        })
        .contender(Role::Ours, BACKENDS[2], || {
            smol::block_on(executor.run(ticks(&mut ours, launches, future::yield_now)))
        })
        .contender(Role::Floor, OTHER_THREAD, || {
            smol::block_on(executor.run(ticks(&mut other, launches, future::yield_now)))
        });
    panel.ask(contest);
}

fn without_runtime(panel: &mut impl Panel) {
    let backend = ThreadBackend::new();
    let (mut floor, mut ours, mut other) =
        (OnThread::default(), Ours::new(backend), OnOther::new());
    let launches = launches(panel);
    // Polled over and over by this thread, which has nothing else to poll, a future is a loop.
    let contest = contest(panel, NO_RUNTIME)
        .contender(Role::Floor, FLOOR, || {
            future::block_on(ticks(&mut floor, launches, future::yield_now))
        })
        .contender(Role::Ours, BACKENDS[0], || {
            future::block_on(ticks(&mut ours, launches, future::yield_now))
        })
        .contender(Role::Floor, OTHER_THREAD, || {
            future::block_on(ticks(&mut other, launches, future::yield_now))
        });
    panel.ask(contest);
}

/// How many launches a round has.
fn launches(panel: &impl Panel) -> usize {
    panel.effort().choose(4, 200, 200, 200)
}

fn contest<'a>(panel: &impl Panel, condition: &str) -> Contest<'a> {
    Contest::new(GAP, condition).rounds(panel.effort().choose(1, 1, 3, 5))
}

/// One round: ticks and launches by turns, then ticks alone until all that was launched is known to have ended.
async fn ticks(
    launcher: &mut impl Launcher,
    launches: usize,
    yield_now: impl AsyncFn(),
) -> Reading {
    let mut gaps = Gaps::begin();
    let (mut ticks, mut launched, mut ended) = (0, 0, 0);
    while ended < launches {
        yield_now().await;
        if !gaps.tick() {
            continue;
        }
        ticks += 1;
        ended += launcher.ended();
        if launched < launches && ticks % PAUSE == 0 {
            launcher.launch();
            launched += 1;
        }
    }
    assert_eq!(ended, launches, "each end is told of once");
    gaps.reading(launches)
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Sleeps in the place of a launch.
    struct Sleeper(usize);

    const NAP: Duration = Duration::from_millis(5);

    impl Launcher for Sleeper {
        fn launch(&mut self) {
            thread::sleep(NAP);
            self.0 += 1;
        }

        fn ended(&mut self) -> usize {
            std::mem::take(&mut self.0)
        }
    }

    #[test]
    fn a_launch_that_sleeps_is_a_gap_and_blocks() {
        let sleeper = || future::block_on(ticks(&mut Sleeper(0), 3, future::yield_now));
        let naps = Contest::new(GAP, "").contender(Role::Peer, "sleeper", sleeper);
        for series in naps.run() {
            let metric = series.key.metric;
            // A time blocked is without the time for which the kernel ran others, and two clocks are looked at.
            let least = NAP.as_secs_f64() * 0.9;
            assert!(series.values[0] >= least, "{metric}: {:?}", series.values);
        }
    }
}
