//! The end of a history: the destination's rows against the truth, and all that is left out of that, with the reasons.

use std::collections::{BTreeMap, HashSet};

use graph_sim::{DeltaDeletes, Truth};
use tap_microsoft_teams::streams::Stream;

use crate::{
    destination::{Destination, Row},
    expect::{self, Fields},
    ledger::Ledger,
    lines::{Key, Line},
    plan::Plan,
    truth::{Table, table},
};

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Comparison {
    pub rows: usize,
    pub differences: Vec<String>,
    /// Rows that were left out, by reason.
    pub excluded: BTreeMap<&'static str, usize>,
}

/// What may be said against a row, if anything.
enum Verdict {
    Equal,
    Excluded(&'static str),
    Different(String),
}

/// Compares the streams of a plan.
pub fn compare(plan: &Plan, ledger: &Ledger, destination: &Destination, truth: &Truth) -> Comparison {
    let channels: HashSet<&str> = truth.channels.keys().map(|(_, channel)| channel.as_str()).collect();
    let mut comparison = Comparison::default();
    for &stream in &plan.streams {
        let expected = table(truth, stream);
        for (key, fields) in &expected {
            let key = Key { stream, channel: key[0].clone(), id: key[1].clone() };
            let verdict = of_truth(plan, ledger, &key, destination.rows.get(&key), fields);
            comparison.add(&key, verdict);
        }
        for (key, row) in destination.rows.iter().filter(|(key, _)| key.stream == stream) {
            if !expected.contains_key(&vec![key.channel.clone(), key.id.clone()]) {
                comparison.add(key, of_nothing(ledger, key, row, channels.contains(key.channel.as_str())));
            }
        }
    }
    comparison
}

/// Compares what one run told of a stream that is read in full each time.
pub fn compare_whole(stream: &str, lines: &[Line], truth: &Truth) -> Vec<String> {
    let key = Stream::by_name(stream).unwrap().primary_key;
    let mut rows = Table::new();
    for line in lines {
        let Line::Whole(of, text) = line else { continue };
        if *of == stream {
            let fields = fields(text);
            rows.insert(key.iter().map(|column| fields[*column].trim_matches('"').to_owned()).collect(), fields);
        }
    }
    let expected = table(truth, stream);
    let wrong = expected.iter().filter_map(|(key, fields)| match rows.get(key) {
        None => Some(format!("{stream} {key:?} is missing")),
        Some(row) => (row != fields).then(|| format!("{stream} {key:?} is {row:?} instead of {fields:?}")),
    });
    let unknown = rows.keys().filter(|key| !expected.contains_key(*key)).map(|key| format!("{stream} {key:?} never existed"));
    wrong.chain(unknown).collect()
}

/// A message that there is.
fn of_truth(plan: &Plan, ledger: &Ledger, key: &Key, row: Option<&Row>, expected: &Fields) -> Verdict {
    let Some(row) = row else {
        let of = |name| expected.get(name).map_or("null", String::as_str);
        let (thread, modified, deleted) = (of("parent_message_id"), of("lastModifiedDateTime"), of("deletedDateTime"));
        return Verdict::Different(format!("is missing: of thread {thread}, modified {modified}, deleted {deleted}"));
    };
    let at = (key.channel.clone(), key.id.parse().unwrap());
    // That it exists is always told; what it says now may not be.
    if let Some(&reason) = ledger.untold.get(&at) {
        return Verdict::Excluded(reason);
    }
    if row.removed {
        let is_deleted = expected["deletedDateTime"] != "null";
        return if is_deleted
            && key.stream == "messages"
            && plan.follows_delta()
            && plan.switches.delta.reports_deletes == DeltaDeletes::Removed
        {
            Verdict::Excluded("a deleted message that delta told as @removed: a tombstone is right, and so is the list's own item")
        } else {
            Verdict::Different(format!("is a tombstone: {}", row.text))
        };
    }
    let got = fields(&row.text);
    let different = expected.iter().find(|(name, value)| got.get(*name) != Some(*value));
    match different {
        Some((name, value)) => Verdict::Different(format!("column {name} is {:?} instead of {value}", got.get(name))),
        None if got.len() != expected.len() => Verdict::Different(format!("has other columns: {}", row.text)),
        None => Verdict::Equal,
    }
}

/// A message that there is not, or not any more.
fn of_nothing(ledger: &Ledger, key: &Key, row: &Row, has_channel: bool) -> Verdict {
    if row.removed {
        return Verdict::Equal;
    }
    if !has_channel {
        return Verdict::Excluded("a message of a channel that was deleted: the stream of channels tells that");
    }
    match ledger.removed.get(&(key.channel.clone(), key.id.parse().unwrap())) {
        Some(false) => Verdict::Excluded("a message that was removed, which only delta may tell, of roots, by a token that did not end"),
        Some(true) => Verdict::Different("was removed, which delta told, and is no tombstone".to_owned()),
        None => Verdict::Different("never existed".to_owned()),
    }
}

impl Comparison {
    fn add(&mut self, key: &Key, verdict: Verdict) {
        self.rows += 1;
        match verdict {
            Verdict::Equal => {}
            Verdict::Excluded(reason) => *self.excluded.entry(reason).or_default() += 1,
            Verdict::Different(how) => self.differences.push(format!("{} {}/{} {how}", key.stream, key.channel, key.id)),
        }
    }
}

/// The columns of a row as they are compared: the order of what is in `_additional_properties` is not the point, and a column that only
/// serves Singer's hard deletes is no part of a message.
fn fields(text: &str) -> Fields {
    let mut fields = expect::fields(text);
    fields.remove("_sdc_deleted_at");
    if let Some(additional) = fields.get_mut("_additional_properties").filter(|text| *text != "null") {
        *additional = expect::sorted(additional);
    }
    fields
}
