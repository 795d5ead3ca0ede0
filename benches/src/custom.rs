//! A backend of the reader's own, asked what ours are asked.

use criterion::Criterion;
use meanwhile_core::Lifecycle;

use crate::exit::exit;
use crate::launch::launch;
use crate::panel::Rows;
use crate::runner::{Entrant, Ours, floor};
use crate::series::Role;
use crate::throughput::throughput;

/// Puts [`launch`], [`exit`] and [`throughput`] to `backend`, beside bare std, as rows of `criterion`.
///
/// The backend runs `/bin/true`, and `/bin/sleep` until that is stopped, as commands of its own kind: wherever it runs
/// them, they must be there. If it lets in few tasks at once, it is not asked how it launches among many.
///
/// ```no_run
/// use criterion::Criterion;
/// # use meanwhile_thread::ThreadBackend as MyBackend;
///
/// let mut criterion = Criterion::default().configure_from_args();
/// meanwhile_benches::custom(&mut criterion, "mine", MyBackend::new());
/// criterion.final_summary();
/// ```
///
/// # Panics
///
/// If the backend declares that it runs no commands, or if one of them fails on it.
pub fn custom(criterion: &mut Criterion, name: &str, backend: impl Lifecycle) {
    let mut entrants = [floor(), guest(name, backend)];
    let mut rows = Rows::new(criterion);
    launch(&mut rows, &mut entrants);
    exit(&mut rows, &mut entrants);
    throughput(&mut rows, &mut entrants);
}

fn guest(name: &str, backend: impl Lifecycle) -> Entrant {
    assert!(
        backend.capabilities().commands(),
        "{name} declares no commands"
    );
    Entrant::new(Role::Ours, name, Ours::new(backend))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use meanwhile_core::{Capabilities, Report, Spec, Task};
    use meanwhile_thread::ThreadBackend;

    use super::*;
    use crate::launch::{AMONG_MANY, SMALL};
    use crate::panel::{Effort, Gathering};

    /// Lets in two tasks at once.
    #[derive(Debug)]
    struct Narrow(ThreadBackend);

    impl Lifecycle for Narrow {
        fn launch(&self, spec: Arc<Spec>, report: Report) -> Box<dyn Task> {
            self.0.launch(spec, report)
        }

        fn capabilities(&self) -> Capabilities {
            self.0.capabilities().with_max_live(2)
        }
    }

    #[test]
    fn a_backend_with_little_room_sits_out_what_needs_more() {
        let mut gathering = Gathering::new(Effort::Test);
        let mut entrants = [guest("narrow", Narrow(ThreadBackend::new()))];
        launch(&mut gathering, &mut entrants);
        throughput(&mut gathering, &mut entrants);
        let series = gathering.into_series();
        let answers = |condition: &str| {
            series
                .iter()
                .any(|series| series.key.condition == condition)
        };
        assert!(answers(SMALL));
        assert!(!answers(AMONG_MANY));
    }

    #[test]
    #[should_panic(expected = "jobs declares no commands")]
    fn a_backend_without_commands_is_declined() {
        #[derive(Debug)]
        struct Jobs;

        impl Lifecycle for Jobs {
            fn launch(&self, _: Arc<Spec>, _: Report) -> Box<dyn Task> {
                unreachable!("it is declined")
            }

            fn capabilities(&self) -> Capabilities {
                Capabilities::none().with_jobs()
            }
        }

        guest("jobs", Jobs);
    }
}
