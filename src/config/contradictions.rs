//! Options that contradict each other, or that do nothing where they stand: what people should know before a run.

use super::{Parents, StreamConfig, reader::Reader, settings::listed};
use crate::{
    level::{LEVELS, Level},
    streams::Stream,
};

/// Sentences, each with the streams that it is about.
#[derive(Debug, Default)]
pub(super) struct Contradictions {
    /// About options, whatever streams they concern.
    sentences: Vec<String>,
    /// What does nothing, and without what; the streams that are not read therefore.
    lacking: Vec<(String, Vec<&'static str>)>,
}

impl Contradictions {
    /// Notes what contradicts each other among the options that count for a stream.
    pub(super) fn note(&mut self, reader: &mut Reader<'_>, stream: &'static Stream, config: &StreamConfig) {
        // Nothing runs before these are mended.
        if !reader.problems.is_empty() {
            return;
        }
        for level in LEVELS {
            let (of_id, of_all) = (reader.layer_of(level.id), reader.layer_of(level.all));
            // An option of the stream itself overrides those of all streams.
            if of_id == of_all && of_id != usize::MAX && reader.flag(level.all) {
                let [id, all] = [level.id, level.all].map(|name| reader.path_of(of_id, name));
                self.say(format!("`{id}` does nothing, since `{all}` is true: every {} is read", level.name));
            }
        }
        self.note_lacking(reader, stream, config);
        self.note_excluded(reader);
        let useless = LEVELS.iter().filter(|level| !stream.is_below(level)).map(|level| level.id);
        let start_date = stream.cursor.is_none().then_some("start_date");
        for name in useless.chain(start_date).filter(|name| reader.layer_of(name) == 0) {
            self.say(format!("`{}` does nothing: the stream {} takes no `{name}`", reader.path_of(0, name), stream.name));
        }
    }

    /// Parents without those above them: channels without a team, threads without a channel.
    fn note_lacking(&mut self, reader: &Reader<'_>, stream: &'static Stream, config: &StreamConfig) {
        let given = |level: &Level| match config.parents(level) {
            Parents::Unknown => None,
            Parents::All => Some(reader.path_of(reader.layer_of(level.all), level.all)),
            Parents::Ids(_) => Some(reader.path_of(reader.layer_of(level.id), level.id)),
        };
        for (level, above) in stream.path().into_iter().filter_map(|level| Some((level, level.above?))) {
            let Some(option) = given(level).filter(|_| !config.parents(above).are_known()) else { continue };
            let sentence = format!("`{option}` does nothing without `{}` or `{}`", above.id, above.all);
            match self.lacking.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, streams)) => streams.push(stream.name),
                None => self.lacking.push((sentence, vec![stream.name])),
            }
        }
    }

    /// What is named and left out.
    fn note_excluded(&mut self, reader: &mut Reader<'_>) {
        let excluded = reader.excluded();
        for level in LEVELS.iter().filter(|level| level.is_excludable) {
            let path = reader.path_of(reader.layer_of(level.id), level.id);
            for id in reader.ids(level).into_iter().filter(|id| excluded.contains(id)) {
                self.say(format!("`{path}` names {id}, and `exclude` leaves it out"));
            }
        }
    }

    fn say(&mut self, sentence: String) {
        if !self.sentences.contains(&sentence) {
            self.sentences.push(sentence);
        }
    }

    pub(super) fn into_remarks(self) -> Vec<String> {
        let lacking = self.lacking.into_iter().map(|(sentence, streams)| {
            let are = if streams.len() == 1 { "is" } else { "are" };
            format!("{sentence}: {} {are} not read", listed(&streams))
        });
        lacking.chain(self.sentences).collect()
    }
}
