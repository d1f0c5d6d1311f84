//! Shows the progress of a run: bars on a terminal, log lines elsewhere, and a table at the end.

mod bars;
pub(crate) mod forward;
mod log;
mod progress_text;
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

use crate::{emit::Stats, stdio::Stderr};
use bars::Bars;
use speed::Speed;

/// The interval of progress lines in a log.
const LINE_INTERVAL: Duration = Duration::from_secs(30);

/// The interval at which bars are drawn.
const BARS_INTERVAL: Duration = Duration::from_millis(100);

/// What stderr shows of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terminal {
    is_terminal: bool,
    bars: Option<MultiProgress>,
    table: bool,
}

impl Terminal {
    /// The stderr of the process. Bars are not drawn if stdout is the same terminal, since they would overwrite its lines, or if the terminal
    /// cannot move its cursor.
    pub(crate) fn of_process(shows_figures: bool, shows_bars: bool) -> Self {
        let can_move = env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        let is_terminal = io::stderr().is_terminal();
        let table = is_terminal && shows_figures;
        let has_bars = table && shows_bars && can_move && !io::stdout().is_terminal();
        Self { is_terminal, bars: has_bars.then(MultiProgress::new), table }
    }

    /// Whether stderr is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// A writer to stderr that does not disturb the bars.
    pub(crate) fn log(&self) -> impl Write + Send + use<> {
        AboveBars(self.bars.clone())
    }

    /// A display of these statistics.
    pub(crate) fn watch<F: Fn() -> Stats>(&self, stats: F, channel_spacing: Duration) -> Watch<F> {
        let bars = self.bars.clone().map(Bars::new);
        Watch { stats, speed: Speed::new(channel_spacing), bars }
    }

    /// Shows the table of the final statistics on a terminal.
    pub(crate) fn end(&self, stats: &Stats) {
        if self.table {
            let _ = self.log().write_all(table::table(stats).as_bytes());
        }
    }
}

/// Writes to stderr, above the bars.
struct AboveBars(Option<MultiProgress>);

impl Write for AboveBars {
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

/// Shows the statistics of a run at regular intervals.
#[derive(Debug)]
pub(crate) struct Watch<F> {
    stats: F,
    speed: Speed,
    bars: Option<Bars>,
}

impl<F: Fn() -> Stats> Watch<F> {
    /// Shows the progress while the work is done.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let every = if self.bars.is_some() { BARS_INTERVAL } else { LINE_INTERVAL };
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
        // Shows the end of the bars; the table follows.
        if let Some(bars) = self.bars.take() {
            bars.end(&(self.stats)(), &mut self.speed);
        }
        result
    }

    fn show(&mut self) {
        let stats = (self.stats)();
        match &mut self.bars {
            Some(bars) => bars.show(&stats, &mut self.speed),
            None => info!("{}", progress_text::line(&stats, &mut self.speed)),
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
        emit::{Phase, Remaining, StreamStats},
        graph::{Class, ClassCounts, Counts},
        streams::{MEMBERS, MESSAGE_REPLIES, MESSAGES, Stream},
    };

    fn of(stream: &'static Stream, phase: Phase, records: u64, parents: (u64, u64)) -> StreamStats {
        StreamStats {
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

    fn stats() -> Stats {
        let mut members = of(&MEMBERS, Phase::Complete, 80, (4, 4));
        (members.requests, members.skipped) = (5, 1);
        let class = |class, sent, throttled| ClassCounts { class, sent, throttled, latency: Duration::from_millis(120 * sent) };
        Stats {
            streams: vec![members, of(&MESSAGES, Phase::Reading, 12_040, (6, 16)), of(&MESSAGE_REPLIES, Phase::Reading, 34_100, (6, 16))],
            requests: Counts { classes: vec![class(&Class::MEMBERS, 5, 0), class(&Class::MESSAGES, 300, 2)], sign_ins: 1 },
            elapsed: Duration::from_secs(60),
            is_discovering: false,
            remaining: Some(Remaining { requests: 3000.0, longest: 90.0 }),
        }
    }

    #[test]
    fn bars_show_each_stream_and_the_run_and_are_removed_at_the_end() {
        let terminal = InMemoryTerm::new(20, 120);
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let (mut bars, mut speed) = (Bars::new(all), Speed::new(Duration::from_secs(1)));
        bars.show(&stats(), &mut speed);
        let mut throttled = stats();
        throttled.is_discovering = true;
        throttled.streams[1].wait_until = chrono::DateTime::from_timestamp(4_000_000_000, 0);
        let first = terminal.contents();
        bars.show(&throttled, &mut speed);
        let second = terminal.contents();
        insta::with_settings!({filters => vec![(r"[⠁-⣿] \d\d:\d\d:\d\d", "* 00:00:00"), (r"until \d\d:\d\d:\d\d", "until <time>")]}, {
            insta::assert_snapshot!("bars", format!("{first}\n\n{second}"));
        });
        bars.end(&stats(), &mut speed);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn the_table_fits_on_a_terminal() {
        let mut stats = stats();
        stats.streams[2].phase = Phase::Incomplete;
        let table = table::table(&stats);
        assert!(table.lines().filter(|line| !line.starts_with("requests")).all(|line| line.chars().count() <= 82), "{table}");
        insta::assert_snapshot!("table", table);
    }

    #[test]
    fn a_log_gets_a_line_every_half_minute() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let logged = Arc::new(Mutex::new(Vec::new()));
        let lines = logged.clone();
        let log = tracing_subscriber::registry().with(Forward(move |level, line| lines.lock().unwrap().push((level, line))));
        let calls = AtomicU64::new(0);
        let figures_over_time = || {
            let mut stats = stats();
            stats.elapsed = Duration::from_secs(30 * (1 + calls.fetch_add(1, Ordering::Relaxed)));
            stats
        };
        let mut watch = Terminal::default().watch(figures_over_time, Duration::from_secs(1));
        let work = async {
            tokio::time::sleep(Duration::from_secs(65)).await;
            "done"
        };
        assert_eq!(runtime.block_on(watch.during(work).with_subscriber(log)), "done");
        let logged = logged.lock().unwrap();
        assert!(logged.iter().all(|(level, _)| *level == Level::INFO));
        insta::assert_snapshot!("lines", logged.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n"));
    }
}
