//! What is asked, in turn.

use meanwhile_benches::{
    CAPTURE, EXIT, Entrant, GAP, Gathering, LAUNCH, QUEUE, SCALE, THROUGHPUT, capture, everybody,
    exit, gap, launch, queue, runtime, scale, throughput,
};

/// A question as the report knows it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) name: &'static str,
    /// What it asks, in a sentence.
    pub(crate) asks: &'static str,
    /// Asks it once.
    pub(crate) ask: fn(&mut Gathering),
}

/// All questions.
pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: LAUNCH,
        asks: "For how long does a launch hold up its caller?",
        ask: |gathering| with_everybody(|all| launch(gathering, all)),
    },
    Question {
        name: GAP,
        asks: "For how long does a launch keep a runtime from everything else that it has to do?",
        ask: |gathering| gap(gathering),
    },
    Question {
        name: EXIT,
        asks: "How long does it take from the launch of `/bin/true` until its caller knows of its end?",
        ask: |gathering| with_everybody(|all| exit(gathering, all)),
    },
    Question {
        name: THROUGHPUT,
        asks: "How long do 2,000 short tasks take, of which up to 64 run at once?",
        ask: |gathering| with_everybody(|all| throughput(gathering, all)),
    },
    Question {
        name: QUEUE,
        asks: "What does it cost to pass the endings of tasks on to the agent's next turn?",
        ask: |gathering| queue(gathering),
    },
    Question {
        name: CAPTURE,
        asks: "What does it cost to capture 256 MiB of output?",
        ask: |gathering| capture(gathering),
    },
    Question {
        name: SCALE,
        asks: "What do live tasks cost, and how does that grow with their number?",
        ask: |gathering| with_everybody(|all| scale(gathering, all)),
    },
];

/// Each question gets contenders of its own, so that none meets what another left.
fn with_everybody(ask: impl FnOnce(&mut [Entrant])) {
    let runtime = runtime();
    ask(&mut everybody(&runtime));
}
