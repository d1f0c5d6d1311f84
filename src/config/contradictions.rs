//! Warns about options that contradict each other or have no effect.

use super::{Parents, StreamConfig, reader::Reader, settings::join_with_and};
use crate::{
    level::{LEVELS, Level},
    streams::Stream,
};

#[derive(Debug, Default)]
pub(super) struct Contradictions {
    warnings: Vec<String>,
    /// Warnings about options whose parents are not selected, each with the streams that are not read as a result.
    missing_parents: Vec<(String, Vec<&'static str>)>,
}

impl Contradictions {
    /// Checks the options that apply to a stream.
    pub(super) fn check(&mut self, reader: &mut Reader<'_>, stream: &'static Stream, config: &StreamConfig) {
        // If an option is invalid, nothing runs, so warnings would be pointless.
        if !reader.problems.is_empty() {
            return;
        }
        for level in LEVELS {
            let (id_layer, all_layer) = (reader.layer_of(level.id), reader.layer_of(level.all));
            // Options of the stream itself override the general options.
            if id_layer == all_layer && id_layer != usize::MAX && reader.flag(level.all) {
                let [id, all] = [level.id, level.all].map(|name| reader.option_path(id_layer, name));
                self.add(format!("`{id}` has no effect because `{all}` is true: all {} are read", level.plural));
            }
        }
        self.check_parents(reader, stream, config);
        self.check_excluded(reader);
        let unused = LEVELS.iter().filter(|level| !stream.is_below(level)).map(|level| level.id);
        let start_date = stream.cursor.is_none().then_some("start_date");
        for name in unused.chain(start_date).filter(|name| reader.layer_of(name) == 0) {
            self.add(format!("`{}` has no effect: the stream {} does not use `{name}`", reader.option_path(0, name), stream.name));
        }
    }

    /// Finds levels that are selected without the level above, such as channels without a team or threads without a channel.
    fn check_parents(&mut self, reader: &Reader<'_>, stream: &'static Stream, config: &StreamConfig) {
        let selecting_option = |level: &Level| match config.parents(level) {
            Parents::Unknown => None,
            Parents::All => Some(reader.option_path(reader.layer_of(level.all), level.all)),
            Parents::Ids(_) => Some(reader.option_path(reader.layer_of(level.id), level.id)),
        };
        for (level, above) in stream.path().into_iter().filter_map(|level| Some((level, level.above?))) {
            let Some(option) = selecting_option(level).filter(|_| !config.parents(above).are_known()) else { continue };
            let warning = format!("`{option}` has no effect without `{}` or `{}`", above.id, above.all);
            match self.missing_parents.iter_mut().find(|(known, _)| *known == warning) {
                Some((_, streams)) => streams.push(stream.name),
                None => self.missing_parents.push((warning, vec![stream.name])),
            }
        }
    }

    /// Finds ids that are both selected and excluded.
    fn check_excluded(&mut self, reader: &mut Reader<'_>) {
        let excluded = reader.excluded();
        for level in LEVELS.iter().filter(|level| level.is_excludable) {
            let path = reader.option_path(reader.layer_of(level.id), level.id);
            for id in reader.ids(level).into_iter().filter(|id| excluded.contains(id)) {
                self.add(format!("`{path}` selects {id}, but `exclude` skips it"));
            }
        }
    }

    fn add(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    pub(super) fn into_warnings(self) -> Vec<String> {
        let missing_parents = self.missing_parents.into_iter().map(|(warning, streams)| {
            let are = if streams.len() == 1 { "is" } else { "are" };
            format!("{warning}: {} {are} not read", join_with_and(&streams))
        });
        missing_parents.chain(self.warnings).collect()
    }
}
