//! Progress bars: one for each stream, and one for the run.

use chrono::Utc;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};

use super::{
    progress_text::{local_time, parents, status},
    speed::Speed,
};
use crate::emit::{Phase, Stats, StreamStats};

const STREAM_TEMPLATE: &str = "{prefix:15} {bar:12.cyan/dim} {wide_msg}";

const RUN_TEMPLATE: &str = "{spinner:.cyan} {elapsed_precise} {wide_msg}";

#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    streams: Vec<ProgressBar>,
    run: ProgressBar,
}

impl Bars {
    pub(super) fn new(all: MultiProgress) -> Self {
        let run = all.add(ProgressBar::new_spinner().with_style(style(RUN_TEMPLATE)));
        Self { all, streams: Vec::new(), run }
    }

    pub(super) fn show(&mut self, stats: &Stats, speed: &mut Speed) {
        for (at, stream) in stats.streams.iter().enumerate() {
            if self.streams.len() == at {
                let bar = ProgressBar::new(0).with_style(style(STREAM_TEMPLATE)).with_prefix(stream.stream.name);
                self.streams.push(self.all.insert_before(&self.run, bar));
            }
            let bar = &self.streams[at];
            bar.set_length(stream.parents.max(1));
            bar.set_position(stream.done);
            bar.set_message(message(stream, stats.is_discovering));
        }
        self.run.set_message(status(stats, speed));
        self.run.tick();
    }

    /// Shows the final statistics, then removes the bars.
    pub(super) fn end(mut self, stats: &Stats, speed: &mut Speed) {
        self.show(stats, speed);
        // Draws now, even if the last drawing was a moment ago.
        self.run.abandon();
    }
}

/// Removes the bars even if the run did not finish. Each bar is cleared by itself: `MultiProgress` would clear finished bars a second time at the
/// next output, together with the lines above them.
impl Drop for Bars {
    fn drop(&mut self) {
        self.streams.iter().chain([&self.run]).for_each(ProgressBar::finish_and_clear);
    }
}

/// The templates are constants and parse.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

fn message(stats: &StreamStats, is_discovering: bool) -> String {
    let state = match (stats.waiting_until(Utc::now()), stats.phase) {
        (Some(until), _) => format!("waiting until {}", local_time(until)),
        (None, Phase::Complete) => "done".to_owned(),
        (None, phase) => phase.name().to_owned(),
    };
    format!("{:>18} {:>11} records  {state}", parents(stats, is_discovering), HumanCount(stats.records).to_string())
}
