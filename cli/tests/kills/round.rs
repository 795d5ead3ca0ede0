//! Some tasks, some kills, and what must hold afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::processes;
use crate::random::Random;

/// Longer than any task, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Round {
    state: PathBuf,
    /// Here a command that succeeds leaves a file of its number, and nothing else does.
    witness: PathBuf,
    /// By the ids that were printed, the numbers of the commands.
    launched: BTreeMap<String, usize>,
    /// Said by an inbox that ended well: not to be said again.
    told: BTreeSet<String>,
    /// Said by an inbox that was killed: may be said again, and need not.
    half_told: BTreeSet<String>,
    lost: Vec<String>,
}

/// A line for the shell, and the word for its end. `$W` is its witness.
const KINDS: &[(&str, &str)] = &[
    (r#"touch "$W""#, "completed"),
    ("false", "failed"),
    ("echo x; exit 3", "failed"),
    (r#"sleep 0.2; touch "$W""#, "completed"),
    (r#"setsid sleep 1 & sleep 0.1; touch "$W""#, "completed"),
    // Its child keeps on running if nobody hunts it down.
    (
        r#"trap '' TERM; setsid sh -c 'trap "" TERM; sleep 2' & sleep 0.3; touch "$W""#,
        "completed",
    ),
];

impl Round {
    pub(crate) fn new(state: PathBuf, witness: PathBuf) -> Self {
        fs::create_dir(&witness).unwrap();
        Self {
            state,
            witness,
            launched: BTreeMap::new(),
            told: BTreeSet::new(),
            half_told: BTreeSet::new(),
            lost: Vec::new(),
        }
    }

    /// Gives back how many tasks were told as lost.
    pub(crate) fn run(mut self, random: &mut Random) -> usize {
        for number in 0..8 {
            self.launch(number, random);
            for _ in 0..random.below(3) {
                self.kill_something(random);
            }
        }
        self.end();
        self.check();
        self.lost.len()
    }

    fn launch(&mut self, number: usize, random: &mut Random) {
        let (line, _) = KINDS[number % KINDS.len()];
        let mut launcher = self
            .program(&[
                "run",
                "--grace",
                "100ms",
                "--description",
                &number.to_string(),
                "--",
                line,
            ])
            .env("W", self.witness.join(number.to_string()))
            .spawn()
            .unwrap();
        if random.below(4) == 0 {
            thread::sleep(random.moment());
            launcher.kill().unwrap();
        }
        // Whether or not it was killed, or its supervisor before it could answer: what was printed counts.
        let (_, printed) = end_of(launcher);
        if let Some(id) = printed.strip_suffix('\n') {
            self.launched.insert(id.to_owned(), number);
        }
    }

    fn kill_something(&mut self, random: &mut Random) {
        thread::sleep(random.moment());
        match random.below(3) {
            0 => self.kill_supervisors(1, random),
            1 => self.inbox_killed_after(random.moment()),
            _ => {
                let drainer = self.program(&["inbox", "--json"]).spawn().unwrap();
                thread::sleep(random.moment());
                self.kill_supervisors(2, random);
                self.hear(drainer);
            }
        }
    }

    fn kill_supervisors(&self, count: usize, random: &mut Random) {
        for _ in 0..count {
            let alive = processes::supervisors(&self.state);
            if !alive.is_empty() {
                processes::kill(alive[random.below(alive.len())]);
            }
        }
    }

    fn inbox_killed_after(&mut self, moment: Duration) {
        let mut drainer = self.program(&["inbox", "--json"]).spawn().unwrap();
        thread::sleep(moment);
        drainer.kill().unwrap();
        self.hear(drainer);
    }

    /// Lets everything end, until nobody is left and nothing is pending.
    fn end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A process that was killed frees its lock last: until then nobody can know that it is dead.
            let idle = processes::supervisors(&self.state).is_empty() && self.owners().is_empty();
            let drainer = self.program(&["inbox", "--json"]).spawn().unwrap();
            let news = self.hear(drainer);
            if idle && !news {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "it does not end: {:?}",
                self.owners()
            );
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Reads what an inbox says. Says whether it said anything.
    fn hear(&mut self, drainer: Child) -> bool {
        let (succeeded, printed) = end_of(drainer);
        let Ok(items) = serde_json::from_str::<Vec<Value>>(&printed) else {
            assert!(!succeeded, "no JSON: {printed:?}");
            return true;
        };
        for item in &items {
            let word = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
            let id = word("task_id");
            assert!(!self.told.contains(&id), "told again: {item}");
            let number = word("description");
            let (_, expected) = KINDS[number.parse::<usize>().unwrap() % KINDS.len()];
            match word("status").as_str() {
                "lost" => self.lost.push(id.clone()),
                status => assert_eq!(status, expected, "{item}"),
            }
            if word("status") == "completed" {
                assert!(self.witness.join(number).exists(), "untrue: {item}");
            }
            if succeeded {
                self.told.insert(id);
            } else {
                self.half_told.insert(id);
            }
        }
        !items.is_empty()
    }

    fn check(&self) {
        for (id, number) in &self.launched {
            let is_told = self.told.contains(id) || self.half_told.contains(id);
            assert!(is_told, "task {id}, number {number}, was told to nobody");
        }
        for id in &self.lost {
            assert_eq!(processes::of_task(id), [0; 0], "left of the lost task {id}");
        }
        let store = rusqlite::Connection::open(self.state.join("store.db")).unwrap();
        let verdict: String = store
            .query_one("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok");
        let open = "SELECT count(*) FROM tasks WHERE exit IS NULL OR notice = 1";
        let open: u32 = store.query_one(open, [], |row| row.get(0)).unwrap();
        assert_eq!(open, 0, "tasks that are not over, or wait to be told");
    }

    /// What is left of processes that lived.
    fn owners(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.state.join("owners"))
            .into_iter()
            .flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn program(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
        command
            .args(args)
            .env("MEANWHILE_STATE_DIR", &self.state)
            .env("MEANWHILE_SESSION", "kills")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        command
    }
}

/// Whether it ended well, and what it printed.
fn end_of(mut child: Child) -> (bool, String) {
    let mut printed = String::new();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_to_string(&mut printed).unwrap();
    (child.wait().unwrap().success(), printed)
}
