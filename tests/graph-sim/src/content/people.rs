//! The users of a tenant: ids, names and addresses, generated from a number.

use crate::encode::{JsonOut, guid};

const FIRST: [&str; 24] = [
    "Adele",
    "Alex",
    "Björn",
    "Chloé",
    "Diego",
    "Élodie",
    "Fatima",
    "Grady",
    "Henrietta",
    "Isaiah",
    "Jürgen",
    "Łukasz",
    "Megan",
    "Nestor",
    "Øyvind",
    "Patti",
    "Quỳnh",
    "Raúl",
    "Søren",
    "太郎",
    "Ümit",
    "Валентина",
    "עמית",
    "Zoë",
];
const LAST: [&str; 21] = [
    "Vance",
    "Wilber",
    "Ångström",
    "O'Brien",
    "García",
    "Müller",
    "Al-Farsi",
    "Archie",
    "Mueller",
    "Langer",
    "Weiß",
    "Nowak",
    "Bowen",
    "山田",
    "Hansen",
    "Fernandez",
    "Nguyễn",
    "Muñoz",
    "Kierkegaard",
    "Yılmaz",
    "Петрова",
];

/// The number of users who write messages.
pub(crate) const AUTHORS: u32 = 500;

pub(crate) fn id(seed: u64, user: u32) -> uuid::Uuid {
    guid(seed ^ 0x0075_7365_7273, u64::from(user))
}

pub(crate) fn name(user: u32) -> String {
    let (first, last) = parts(user);
    format!("{first} {last}")
}

pub(crate) fn email(user: u32) -> String {
    format!("user{user}@contoso.example")
}

/// Writes the display name as a JSON string. No name needs escapes.
pub(crate) fn write_name(out: &mut Vec<u8>, user: u32) {
    let (first, last) = parts(user);
    out.push(b'"');
    out.raw(first);
    out.push(b' ');
    out.raw(last);
    out.push(b'"');
}

fn parts(user: u32) -> (&'static str, &'static str) {
    let user = user as usize;
    (FIRST[user % FIRST.len()], LAST[(user / FIRST.len() + user) % LAST.len()])
}
