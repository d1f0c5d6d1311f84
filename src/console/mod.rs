//! How a run is watched while it lasts: bars on a terminal, lines in a log where there is none; and a table at its end.

mod bars;
pub(crate) mod forward;
mod line;
mod log;
mod speed;
mod table;

pub use log::{Format, Log};

use std::{
    env,
    future::Future,
    io::{self, IsTerminal, Write},
    pin::pin,
    time::Duration,
};

use indicatif::MultiProgress;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::info;

use crate::{emit::Figures, stdio::Stderr};
use bars::Bars;
use speed::Speed;

/// A log is told how far the run is so often.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Bars move so often.
const BARS_EVERY: Duration = Duration::from_millis(100);

/// Where a run is watched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Screen {
    is_terminal: bool,
    bars: Option<MultiProgress>,
    table: bool,
}

impl Screen {
    /// Where the process writes to; nothing is shown there unless somebody wants to see it, or the bars. These would tear apart what a terminal shows of stdout, and not every terminal can move its cursor.
    pub(crate) fn of_process(is_wanted: bool, wants_bars: bool) -> Self {
        let moves = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        let is_terminal = io::stderr().is_terminal();
        let table = is_terminal && is_wanted;
        let has_bars = table && wants_bars && moves && !io::stdout().is_terminal();
        Self { is_terminal, bars: has_bars.then(MultiProgress::new), table }
    }

    /// Whether somebody sits before it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// The way to stderr for what is said beside the bars.
    pub(crate) fn log(&self) -> impl Write + Send + use<> {
        Beside(self.bars.clone())
    }

    /// Whoever watches what these figures tell.
    pub(crate) fn watch<F: Fn() -> Figures>(&self, figures: F, channel_spacing: Duration) -> Watch<F> {
        let bars = self.bars.clone().map(Bars::new);
        Watch { figures, speed: Speed::new(channel_spacing), bars }
    }

    /// Shows what the run came to, if somebody sits before it.
    pub(crate) fn end(&self, figures: &Figures) {
        if self.table {
            let _ = self.log().write_all(table::table(figures).as_bytes());
        }
    }
}

/// Writes to stderr, with the bars out of the way.
struct Beside(Option<MultiProgress>);

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Some(bars) => bars.suspend(|| Stderr.write(bytes)),
            None => Stderr.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Stderr.flush()
    }
}

/// Looks at the figures of a run now and then, and shows them.
#[derive(Debug)]
pub(crate) struct Watch<F> {
    figures: F,
    speed: Speed,
    bars: Option<Bars>,
}

impl<F: Fn() -> Figures> Watch<F> {
    /// Does the work, and shows meanwhile how far it is.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let every = if self.bars.is_some() { BARS_EVERY } else { LINE_EVERY };
        let mut ticks = interval_at(Instant::now() + every, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut work = pin!(work);
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                _ = ticks.tick() => self.show(),
            }
        };
        // How it ended is shown for whoever has looked: then a table tells more.
        if let Some(bars) = self.bars.take() {
            bars.end(&(self.figures)(), &mut self.speed);
        }
        result
    }

    fn show(&mut self) {
        let figures = (self.figures)();
        match &mut self.bars {
            Some(bars) => bars.show(&figures, &mut self.speed),
            None => info!("{}", line::line(&figures, &mut self.speed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    };

    use indicatif::{InMemoryTerm, ProgressDrawTarget};
    use tracing::{Level, instrument::WithSubscriber};
    use tracing_subscriber::layer::SubscriberExt;

    use super::forward::Forward;
    use super::*;
    use crate::{
        emit::{Phase, Remaining, StreamFigures},
        graph::{Class, ClassCounts, Counts},
        streams::{MEMBERS, MESSAGE_REPLIES, MESSAGES, Stream},
    };

    fn of(stream: &'static Stream, phase: Phase, records: u64, parents: (u64, u64)) -> StreamFigures {
        StreamFigures {
            stream,
            phase,
            records,
            changed: records / 10,
            deleted: records / 100,
            requests: 0,
            throttled: 0,
            skipped: 0,
            parents: parents.1,
            done: parents.0,
            wait_until: None,
            duration: (phase == Phase::Complete).then_some(Duration::from_millis(2345)),
        }
    }

    /// A run that is under way.
    fn figures() -> Figures {
        let mut members = of(&MEMBERS, Phase::Complete, 80, (4, 4));
        (members.requests, members.skipped) = (5, 1);
        let class = |class, sent, throttled| ClassCounts { class, sent, throttled, took: Duration::from_millis(120 * sent) };
        Figures {
            streams: vec![members, of(&MESSAGES, Phase::Reading, 12_040, (6, 16)), of(&MESSAGE_REPLIES, Phase::Reading, 34_100, (6, 16))],
            requests: Counts { classes: vec![class(&Class::MEMBERS, 5, 0), class(&Class::MESSAGES, 300, 2)], sign_ins: 1 },
            elapsed: Duration::from_secs(60),
            is_discovering: false,
            remaining: Some(Remaining { requests: 3000.0, longest: 90.0 }),
        }
    }

    #[test]
    fn bars_show_each_stream_and_the_run_and_leave_nothing_behind() {
        let terminal = InMemoryTerm::new(20, 120);
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let (mut bars, mut speed) = (Bars::new(all), Speed::new(Duration::from_secs(1)));
        bars.show(&figures(), &mut speed);
        let mut held_up = figures();
        held_up.is_discovering = true;
        held_up.streams[1].wait_until = chrono::DateTime::from_timestamp(4_000_000_000, 0);
        let first = terminal.contents();
        bars.show(&held_up, &mut speed);
        let second = terminal.contents();
        insta::with_settings!({filters => vec![(r"[⠁-⣿] \d\d:\d\d:\d\d", "* 00:00:00"), (r"until \d\d:\d\d:\d\d", "until <time>")]}, {
            insta::assert_snapshot!("bars", format!("{first}\n\n{second}"));
        });
        bars.end(&figures(), &mut speed);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn the_table_fits_on_a_terminal_and_its_sums_are_those_of_its_rows() {
        let mut figures = figures();
        figures.streams[2].phase = Phase::Incomplete;
        let table = table::table(&figures);
        assert!(table.lines().filter(|line| !line.starts_with("requests")).all(|line| line.chars().count() <= 82), "{table}");
        insta::assert_snapshot!("table", table);
    }

    #[test]
    fn a_log_is_told_every_half_minute() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let lines = said.clone();
        let log = tracing_subscriber::registry().with(Forward(move |level, line| lines.lock().unwrap().push((level, line))));
        let asked = AtomicU64::new(0);
        let look = || {
            let mut figures = figures();
            figures.elapsed = Duration::from_secs(30 * (1 + asked.fetch_add(1, Ordering::Relaxed)));
            figures
        };
        let mut watch = Screen::default().watch(look, Duration::from_secs(1));
        let work = async {
            tokio::time::sleep(Duration::from_secs(65)).await;
            "done"
        };
        assert_eq!(runtime.block_on(watch.during(work).with_subscriber(log)), "done");
        let said = said.lock().unwrap();
        assert!(said.iter().all(|(level, _)| *level == Level::INFO));
        insta::assert_snapshot!("lines", said.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n"));
    }
}
