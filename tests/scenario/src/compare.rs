//! Compares the destination's rows with the truth at the end of a history, and counts the excluded rows by reason.

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

/// The result of a comparison.
#[derive(Debug, Default)]
pub struct Comparison {
    pub rows: usize,
    pub differences: Vec<String>,
    /// The number of excluded rows by reason.
    pub excluded: BTreeMap<&'static str, usize>,
}

/// The result for one row.
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
            let verdict = compare_existing(plan, ledger, &key, destination.rows.get(&key), fields);
            comparison.add(&key, verdict);
        }
        for (key, row) in destination.rows.iter().filter(|(key, _)| key.stream == stream) {
            if !expected.contains_key(&vec![key.channel.clone(), key.id.clone()]) {
                comparison.add(key, compare_removed(ledger, key, row, channels.contains(key.channel.as_str())));
            }
        }
    }
    comparison
}

/// Compares the records of one run for a stream that is read in full each time.
pub fn compare_full_table(stream: &str, lines: &[Line], truth: &Truth) -> Vec<String> {
    let key = Stream::by_name(stream).unwrap().primary_key;
    let mut rows = Table::new();
    for line in lines {
        let Line::FullTable(name, text) = line else { continue };
        if *name == stream {
            let fields = fields(text);
            rows.insert(key.iter().map(|column| fields[*column].trim_matches('"').to_owned()).collect(), fields);
        }
    }
    let expected = table(truth, stream);
    let differences = expected.iter().filter_map(|(key, fields)| match rows.get(key) {
        None => Some(format!("{stream} {key:?} is missing")),
        Some(row) => (row != fields).then(|| format!("{stream} {key:?} is {row:?} instead of {fields:?}")),
    });
    let unknown = rows.keys().filter(|key| !expected.contains_key(*key)).map(|key| format!("{stream} {key:?} never existed"));
    differences.chain(unknown).collect()
}

/// Compares a message that exists.
fn compare_existing(plan: &Plan, ledger: &Ledger, key: &Key, row: Option<&Row>, expected: &Fields) -> Verdict {
    let Some(row) = row else {
        let field = |name| expected.get(name).map_or("null", String::as_str);
        let (thread, modified, deleted) = (field("parent_message_id"), field("lastModifiedDateTime"), field("deletedDateTime"));
        return Verdict::Different(format!("is missing: thread {thread}, modified {modified}, deleted {deleted}"));
    };
    let at = (key.channel.clone(), key.id.parse().unwrap());
    // Graph always reports that it exists, but not always its latest change.
    if let Some(&reason) = ledger.unreported.get(&at) {
        return Verdict::Excluded(reason);
    }
    if row.removed {
        let is_deleted = expected["deletedDateTime"] != "null";
        return if is_deleted
            && key.stream == "messages"
            && plan.follows_delta()
            && plan.switches.delta.reports_deletes == DeltaDeletes::Removed
        {
            Verdict::Excluded("a deleted message that delta reported as @removed: a tombstone is correct, and so is the item of the list")
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

/// Compares a row whose message does not exist, or no longer exists.
fn compare_removed(ledger: &Ledger, key: &Key, row: &Row, has_channel: bool) -> Verdict {
    if row.removed {
        return Verdict::Equal;
    }
    if !has_channel {
        return Verdict::Excluded("a message of a deleted channel: the channels stream reports the deletion");
    }
    match ledger.removed.get(&(key.channel.clone(), key.id.parse().unwrap())) {
        Some(false) => Verdict::Excluded("a removed message: only delta can report it, only for roots, and only while its token is valid"),
        Some(true) => Verdict::Different("was removed and delta reported it, but it is not a tombstone".to_owned()),
        None => Verdict::Different("never existed".to_owned()),
    }
}

impl Comparison {
    fn add(&mut self, key: &Key, verdict: Verdict) {
        self.rows += 1;
        match verdict {
            Verdict::Equal => {}
            Verdict::Excluded(reason) => *self.excluded.entry(reason).or_default() += 1,
            Verdict::Different(difference) => self.differences.push(format!("{} {}/{} {difference}", key.stream, key.channel, key.id)),
        }
    }
}

/// The columns of a row for comparison: with sorted `_additional_properties`, and without the column for Singer's hard deletes.
fn fields(text: &str) -> Fields {
    let mut fields = expect::fields(text);
    fields.remove("_sdc_deleted_at");
    if let Some(additional) = fields.get_mut("_additional_properties").filter(|text| *text != "null") {
        *additional = expect::sorted(additional);
    }
    fields
}
