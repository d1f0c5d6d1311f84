//! Options that contradict each other, or that do nothing where they stand: what people should know before a run.

use super::{Parents, StreamConfig, ids::IdOf, reader::Reader, stream::is_of_messages};

/// The options that name parents, with those that read them all.
const PARENTS: [(&str, &str, &str); 3] = [
    ("team_id", "fetch_all_teams", "every team is read"),
    ("channel_id", "fetch_all_channels", "every channel is read"),
    ("message_id", "fetch_all_messages", "every thread is read"),
];

/// Sentences, each with the streams that it is about.
#[derive(Debug, Default)]
pub(super) struct Contradictions {
    /// About options, whatever streams they concern.
    sentences: Vec<String>,
    /// What does nothing, and without what; the streams that are not read therefore.
    lacking: Vec<(String, Vec<String>)>,
}

impl Contradictions {
    /// Notes what contradicts each other among the options that count for a stream.
    pub(super) fn note(&mut self, reader: &mut Reader<'_>, stream: &str, config: &StreamConfig) {
        // Nothing runs before these are mended.
        if !reader.problems.is_empty() {
            return;
        }
        for (id, all, therefore) in PARENTS {
            let (of_id, of_all) = (reader.layer_of(id), reader.layer_of(all));
            // An option of the stream itself overrides those of all streams.
            if of_id == of_all && of_id != usize::MAX && reader.flag(all) {
                let [id, all] = [id, all].map(|name| reader.path_of(of_id, name));
                self.say(format!("`{id}` does nothing, since `{all}` is true: {therefore}"));
            }
        }
        self.note_lacking(reader, stream, config);
        self.note_excluded(reader);
        for name in ["team_id", "channel_id", "message_id", "start_date"] {
            if reader.layer_of(name) == 0 && !concerns(name, stream) {
                self.say(format!("`{}` does nothing: the stream {stream} takes no `{name}`", reader.path_of(0, name)));
            }
        }
    }

    /// Channels without a team, and threads without a channel.
    fn note_lacking(&mut self, reader: &Reader<'_>, stream: &str, config: &StreamConfig) {
        let given = |[id, all]: [&'static str; 2], parents: &Parents| match parents {
            Parents::Unknown => None,
            Parents::All => Some(reader.path_of(reader.layer_of(all), all)),
            Parents::Ids(_) => Some(reader.path_of(reader.layer_of(id), id)),
        };
        let of_channels = given(["channel_id", "fetch_all_channels"], &config.channels).filter(|_| is_of_messages(stream));
        let of_messages = given(["message_id", "fetch_all_messages"], &config.messages).filter(|_| concerns("message_id", stream));
        let without_team = (!config.teams.are_known()).then_some("`team_id` or `fetch_all_teams`");
        let without_channel = (!config.channels.are_known()).then_some("`channel_id` or `fetch_all_channels`");
        for (option, lacking) in [(of_channels, without_team), (of_messages, without_channel)] {
            let Some(sentence) = option.zip(lacking).map(|(option, lacking)| format!("`{option}` does nothing without {lacking}")) else {
                continue;
            };
            match self.lacking.iter_mut().find(|(known, _)| *known == sentence) {
                Some((_, streams)) => streams.push(stream.to_owned()),
                None => self.lacking.push((sentence, vec![stream.to_owned()])),
            }
        }
    }

    /// What is named and left out.
    fn note_excluded(&mut self, reader: &mut Reader<'_>) {
        let excluded = reader.ids_of_all("exclude", IdOf::Parent);
        for (name, of) in [("team_id", IdOf::Team), ("channel_id", IdOf::Channel)] {
            let path = reader.path_of(reader.layer_of(name), name);
            for id in reader.ids(name, of).into_iter().filter(|id| excluded.contains(id)) {
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
            format!("{sentence}: {} {are} not read", streams.join(" and "))
        });
        lacking.chain(self.sentences).collect()
    }
}

/// Whether an option changes what is read of a stream.
fn concerns(option: &str, stream: &str) -> bool {
    match option {
        "team_id" => stream != "teams",
        "channel_id" | "start_date" => is_of_messages(stream),
        "message_id" => stream == "message_replies",
        _ => true,
    }
}
