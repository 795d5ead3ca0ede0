//! The rules, as data.

use super::Place;

/// One piece of advice.
#[derive(Debug)]
pub(super) struct Rule {
    /// Where it applies; `None` for everywhere.
    pub(super) place: Option<Place>,
    pub(super) when: When,
    /// With `{live}`, `{cores}`, `{twin}` and `{since}` to be filled in.
    pub(super) text: &'static str,
}

/// When a rule applies. Patterns stand in a list with commas. A pattern is the beginning of a command, its
/// flags aside; flags in a pattern may stand anywhere in the command, and a pattern of flags alone fits every
/// program.
#[derive(Debug)]
pub(super) enum When {
    /// Each command of the line fits a pattern.
    All(&'static str),
    /// One of them does.
    Any(&'static str),
    /// One of them does, and there are tasks that have not ended.
    AnyWhileTasksRun(&'static str),
    /// A task does the same in the same folder right now.
    RunsAlready,
    /// With this one, more tasks run than there are cores.
    MoreThanCores,
}

pub(super) const RULES: &[Rule] = &[
    Rule {
        place: Some(Place::Background),
        when: When::All(QUICK),
        text: "this is a quick command; in the foreground its result would be here already.",
    },
    Rule {
        place: Some(Place::Foreground),
        when: When::Any(ENDLESS),
        text: "such a command does not end by itself; run it with `run_in_background`, and stop it with \
               TaskStop.",
    },
    Rule {
        place: Some(Place::Foreground),
        when: When::Any(LONG),
        text: "such a command often takes long; with `run_in_background` you could go on with other work, \
               and would be notified when it ends.",
    },
    Rule {
        place: Some(Place::Foreground),
        when: When::AnyWhileTasksRun("sleep"),
        text: "there is no need to sleep until a task ends: you will be notified. To wait for one all the \
               same, use TaskOutput with `block`.",
    },
    Rule {
        place: None,
        when: When::RunsAlready,
        text: "the same command has been running as task {twin} for {since}; its result may be all that \
               you need.",
    },
    Rule {
        place: Some(Place::Background),
        when: When::MoreThanCores,
        text: "{live} tasks run now on {cores} cores, and slow each other down; let some end before you \
               start more.",
    },
];

/// Over before a background call is answered.
const QUICK: &str = "\
    [, basename, cat, cd, chmod, cp, cut, date, dirname, echo, env, export, false, file, git add, \
    git branch, git diff, git log, git rev-parse, git show, git status, head, hostname, id, ls, mkdir, \
    mv, printenv, printf, pwd, readlink, realpath, stat, test, touch, tr, true, type, uname, wc, which, \
    whoami";

/// Builds, test suites, downloads.
const LONG: &str = "\
    apt install, apt-get install, bazel build, bazel test, brew install, bun install, bun test, \
    bundle exec rspec, bundle install, cargo bench, cargo build, cargo clippy, cargo install, \
    cargo nextest, cargo test, cmake --build, ctest, cypress run, docker build, docker buildx, \
    docker compose build, docker pull, docker-compose build, dotnet build, dotnet test, ffmpeg, \
    git clone, go build, go test, gradle, gradlew, jest, make, mocha, mvn, mvnw, ninja, nox, npm ci, \
    npm install, npm run build, npm run test, npm t, npm test, npx jest, npx playwright, npx vitest, \
    phpunit, pip install, playwright test, pnpm build, pnpm install, pnpm run build, pnpm run test, \
    pnpm test, poetry install, pytest, python -m pytest, python3 -m pytest, rake test, rspec, sbt, \
    swift build, swift test, terraform apply, terraform plan, tox, tsc, uv sync, vitest, yarn build, \
    yarn install, yarn run build, yarn run test, yarn test";

/// Servers and watchers.
const ENDLESS: &str = "\
    --watch, bun dev, bun run dev, cargo watch, docker compose up, docker-compose up, flask run, \
    gunicorn, http-server, journalctl -f, kubectl logs -f, kubectl port-forward, next dev, ng serve, \
    nodemon, npm run dev, npm run serve, npm run start, npm run watch, npm start, php -S, pnpm dev, \
    pnpm run dev, pnpm start, python -m http.server, python3 -m http.server, rails s, rails server, \
    tail -f, tail -F, uvicorn, vite, watch, webpack serve, yarn dev, yarn run dev, yarn start";
