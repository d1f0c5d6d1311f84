//! The validated output of a run in either protocol.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tap_microsoft_teams::streams::Stream;

use super::{
    expect::{self, Fields},
    tap::Finished,
    validate,
};

/// The protocol of an output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Airbyte,
    Singer,
    /// Only Singer's SCHEMA messages.
    SingerSchemas,
}

/// The result of a run. Every line of stdout is a valid message.
pub struct Output {
    pub protocol: Protocol,
    pub status: Option<i32>,
    pub signal: Option<i32>,
    pub messages: Vec<Value>,
    pub lines: Vec<String>,
    pub stderr: String,
}

impl Output {
    pub fn new(protocol: Protocol, finished: Finished) -> Self {
        let Finished { status, signal, stdout, stderr } = finished;
        assert!(stdout.is_empty() || stdout.ends_with('\n'), "the last line is incomplete: {stdout}");
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(stderr.lines().all(|line| line.len() < validate::MAX_LINE_BYTES), "a line on stderr is too long");
        let lines: Vec<String> = stdout.lines().map(str::to_owned).collect();
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let messages: Vec<Value> = lines.iter().map(parse).collect();
        validate::output(protocol, &lines, &messages);
        Self { protocol, status, signal, messages, lines, stderr }
    }

    pub fn all(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.messages.iter().filter(move |message| message["type"] == kind)
    }

    /// The only message of a type, such as `SPEC`; panics if there are several or none.
    pub fn only(&self, kind: &str) -> &Value {
        let found: Vec<_> = self.all(kind).collect();
        assert_eq!(found.len(), 1, "{kind}: {:?}\n{}", self.messages, self.stderr);
        found[0]
    }

    pub fn records(&self, stream: &'static str) -> impl Iterator<Item = &Value> {
        self.messages
            .iter()
            .filter_map(move |message| self.protocol.record(message))
            .filter(move |(of, _)| *of == stream)
            .map(|(_, data)| data)
    }

    /// The number of records of each stream.
    pub fn counts(&self) -> HashMap<&str, usize> {
        let mut counts = HashMap::new();
        for (stream, _) in self.messages.iter().filter_map(|message| self.protocol.record(message)) {
            *counts.entry(stream).or_default() += 1;
        }
        counts
    }

    /// The records of a stream as a destination stores them: the last one for each primary key, with columns as JSON text. The column that
    /// only serves Singer's hard deletes is omitted.
    pub fn table(&self, stream: &'static str) -> BTreeMap<Vec<String>, Fields> {
        let key = Stream::by_name(stream).unwrap().primary_key;
        let rows = self.lines.iter().zip(&self.messages).filter_map(|(line, message)| {
            let (_, data) = self.protocol.record(message).filter(|(of, _)| *of == stream)?;
            let values = key.iter().map(|column| data[column].as_str().filter(|value| !value.is_empty()).unwrap().to_owned());
            let mut fields = expect::fields(self.protocol.record_text(line));
            fields.remove("_sdc_deleted_at");
            if let Some(additional) = fields.get_mut("_additional_properties").filter(|text| *text != "null") {
                *additional = expect::sorted(additional);
            }
            Some((values.collect(), fields))
        });
        rows.collect()
    }
}

impl Protocol {
    /// The stream and data of a RECORD message.
    pub fn record(self, message: &Value) -> Option<(&str, &Value)> {
        let (record, data) = match self {
            Self::Airbyte => (&message["record"], "data"),
            Self::Singer | Self::SingerSchemas => (message, "record"),
        };
        (message["type"] == "RECORD").then(|| (record["stream"].as_str().unwrap(), &record[data]))
    }

    /// The data of a record as JSON text.
    fn record_text(self, line: &str) -> &str {
        type Object<'a> = HashMap<&'a str, &'a RawValue>;
        #[derive(Deserialize)]
        struct Line<'a> {
            #[serde(borrow)]
            record: Object<'a>,
        }
        match self {
            Self::Airbyte => serde_json::from_str::<Line<'_>>(line).unwrap().record["data"].get(),
            Self::Singer | Self::SingerSchemas => serde_json::from_str::<Object<'_>>(line).unwrap()["record"].get(),
        }
    }
}
