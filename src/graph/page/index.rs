//! A page of Graph: the text as received and an index of its items, made in one pass and without copying a value.

use std::{borrow::Cow, fmt, num::NonZero, ops::Range};

use memchr::memchr;
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};
use xxhash_rust::xxh3::Xxh3Default;

use super::text::Cleaned;
use crate::{
    graph::{AnswerDate, Held, Host, Link},
    secrets::Secrets,
};

/// The visits of a scalar, which all mean the same here.
macro_rules! scalars {
    ($value:ty, $what:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<$value, E> {
            ($what)(self)
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<$value, E> {
            ($what)(self)
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<$value, E> {
            ($what)(self)
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<$value, E> {
            ($what)(self)
        }

        fn visit_str<E: de::Error>(self, _: &str) -> Result<$value, E> {
            ($what)(self)
        }
    };
}

/// One page of a list, or one object as a page of one item.
#[derive(Debug)]
pub struct Page {
    text: String,
    items: Table,
    /// Of each item.
    threads: Vec<Thread>,
    replies: Table,
    next: Option<Link>,
    delta: Option<Link>,
    date: AnswerDate,
    cleaned: Cleaned,
    held: Option<Held>,
}

/// An item of a page: its properties without OData annotations, and its expanded replies.
#[derive(Clone, Copy, Debug)]
pub struct Item<'p> {
    page: &'p Page,
    table: &'p Table,
    entry: &'p Entry,
    /// Of a reply there is none.
    thread: Option<&'p Thread>,
}

/// Why a body is not a page.
#[derive(Debug)]
pub(in crate::graph) enum Malformed {
    /// Not what the request should have got.
    Body(String),
    /// A link that leads elsewhere: where to.
    ForeignLink(String),
}

/// What a body should be.
#[derive(Clone, Copy, Debug)]
pub(in crate::graph) enum Expected {
    /// `{"value": [...]}`
    List,
    /// The object itself.
    Object,
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Self::List => NO_LIST,
            Self::Object => "an object",
        }
    }
}

/// The times that make the activity of a message.
const TIMES: [&str; 3] = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];

/// What the parser is told of a body that is no list; people are told more.
const NO_LIST: &str = "an object with a list `value`";

/// When an entity was created.
const CREATED: &str = "createdDateTime";

/// So many items a page may have, and expanded replies each of them: Graph gives half of that at most. What has more is no page of Graph, and
/// its index might take many times the memory of its text.
const MOST: usize = 2000;

/// So many properties an item may have.
const MOST_PROPERTIES: usize = 10_000;

/// So many bytes more than its text the index of a page may take.
const INDEX: usize = 256 * 1024;

/// Entries and their fields: where they stand in the text.
#[derive(Debug, Default)]
struct Table {
    entries: Vec<Entry>,
    fields: Vec<Field>,
    /// The names that were written with escapes.
    unescaped: Vec<String>,
}

/// An item or a reply. There may be hundreds of thousands in a page.
#[derive(Debug, Default)]
struct Entry {
    /// Its first field, ...
    first: u32,
    /// ... and how many it has.
    fields: u16,
    /// What is asked for several times an item.
    id: Place,
    times: [Place; TIMES.len()],
    created: Place,
    removal: Option<Removal>,
    /// Not an object, without an id, or with expanded replies that are no list.
    damaged: bool,
}

/// How Graph reports an entity as removed (`@removed`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removal {
    /// Its deletion can be undone (`reason` is `changed`): lists may still show it, with its `deletedDateTime`.
    Restorable,
    /// For good, or for a reason that is not documented.
    Final,
}

impl Removal {
    fn of(value: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Marker<'m> {
            #[serde(borrow)]
            reason: Cow<'m, str>,
        }
        match value.get() {
            "null" => None,
            text if serde_json::from_str(text).is_ok_and(|marker: Marker<'_>| marker.reason == "changed") => Some(Self::Restorable),
            _ => Some(Self::Final),
        }
    }
}

/// Which of the fields of an entry it is, counted from 1.
type Place = Option<NonZero<u16>>;

/// What an item has besides its fields.
#[derive(Debug, Default)]
struct Thread {
    replies: Range<usize>,
    /// Where they go on.
    next: Option<Link>,
    /// How many replies Graph counts, if it does.
    count: Option<u64>,
}

#[derive(Debug)]
struct Field {
    /// A name that was written with escapes begins at its place among those, and ends nowhere.
    name: Span,
    value: Span,
}

/// The end of a name that is not in the text: no text is that long.
const NOWHERE: u32 = u32::MAX;

/// A part of the text. There is one for each name and value of a page: half the size of a range.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn of(self, text: &str) -> &str {
        &text[self.start as usize..self.end as usize]
    }
}

impl Page {
    pub(in crate::graph) fn parse(
        text: String,
        cleaned: Cleaned,
        expected: Expected,
        host: &Host,
        secrets: &Secrets,
        date: AnswerDate,
    ) -> Result<Self, Malformed> {
        if u32::try_from(text.len()).is_err() {
            return Err(Malformed::Body("the body is larger than 4 GiB".to_owned()));
        }
        let mut builder = Builder {
            text: &text,
            host,
            secrets,
            items: Table::default(),
            threads: Vec::new(),
            replies: Table::default(),
            first_reply: 0,
            next: None,
            delta: None,
            foreign: None,
            wrong: None,
        };
        let mut json = serde_json::Deserializer::from_str(&text);
        let parsed = match expected {
            Expected::List => ListSeed(&mut builder).deserialize(&mut json),
            Expected::Object => EntrySeed { builder: &mut builder, level: Level::Item }.deserialize(&mut json),
        };
        parsed
            .and_then(|()| json.end())
            .map_err(|error| Malformed::Body(what_is_wrong(&text, expected, builder.wrong.as_deref(), &error)))?;
        let Builder { items, threads, replies, next, delta, foreign, wrong, .. } = builder;
        if let Some(wrong) = wrong {
            return Err(Malformed::Body(wrong.into_owned()));
        }
        if matches!(expected, Expected::Object) && items.entries.iter().any(|entry| entry.damaged) {
            return Err(Malformed::Body("it is no object with an id".to_owned()));
        }
        match foreign {
            Some(place) => Err(Malformed::ForeignLink(place)),
            None => Ok(Self { text, items, threads, replies, next, delta, date, cleaned, held: None }),
        }
    }

    /// With the room that its body takes.
    pub(in crate::graph) fn holding(self, held: Held) -> Self {
        Self { held: Some(held), ..self }
    }

    /// Lets go of the page but not yet of its room: what was made of it takes that.
    pub fn into_held(self) -> Option<Held> {
        let held = self.held?;
        held.give_back(self.text.into_bytes());
        Some(held)
    }

    /// The items in Graph's order, damaged ones included.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let entries = self.items.entries.iter().zip(&self.threads);
        entries.map(|(entry, thread)| Item { page: self, table: &self.items, entry, thread: Some(thread) })
    }

    /// Bytes of its index.
    pub(in crate::graph) fn bytes_of_index(&self) -> usize {
        self.items.bytes() + self.replies.bytes() + self.threads.capacity() * size_of::<Thread>()
    }

    /// Bytes of its text.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether the page has no item: no end, there may still be a next page.
    pub fn is_empty(&self) -> bool {
        self.items.entries.is_empty()
    }

    /// The page behind this one.
    pub fn next(&self) -> Option<&Link> {
        self.next.as_ref()
    }

    /// Where the changes from now on will be, at the end of a round of delta (graph.md 4.1).
    pub fn delta(&self) -> Option<&Link> {
        self.delta.as_ref()
    }

    /// When Graph answered.
    pub fn date(&self) -> AnswerDate {
        self.date
    }

    /// What was changed in the page's texts.
    pub fn cleaned(&self) -> Cleaned {
        self.cleaned
    }
}

impl<'p> Item<'p> {
    /// Names and values (JSON text) in Graph's order, without OData annotations and expanded replies.
    pub fn fields(self) -> impl Iterator<Item = (&'p str, &'p str)> {
        let (text, table) = (&self.page.text, self.table);
        table.fields_of(self.entry).iter().map(|field| (table.name(field, text), field.value.of(text)))
    }

    /// The JSON text of one of the fields.
    fn at(self, place: Place) -> Option<&'p str> {
        self.table.value(self.entry, place, &self.page.text)
    }

    /// The JSON text of a property.
    pub fn value(self, name: &str) -> Option<&'p str> {
        self.fields().filter(|(field, _)| *field == name).last().map(|(_, value)| value)
    }

    /// The text of a property that is a string.
    pub fn text(self, name: &str) -> Option<Cow<'p, str>> {
        string(self.value(name)?)
    }

    /// The id: without a usable one an item is damage.
    pub fn id(self) -> Option<Cow<'p, str>> {
        self.table.id(self.entry, &self.page.text)
    }

    /// A hash of the names and values.
    pub fn hash(self) -> u64 {
        let mut hasher = Xxh3Default::new();
        for (name, value) in self.fields() {
            hasher.update(name.as_bytes());
            hasher.update(value.as_bytes());
        }
        hasher.digest()
    }

    /// The times that make the activity of a message, as far as they are strings.
    pub fn times(self) -> impl Iterator<Item = Cow<'p, str>> {
        self.entry.times.into_iter().filter_map(move |time| string(self.at(time)?))
    }

    /// Whether a message says that it was deleted.
    pub fn is_deleted(self) -> bool {
        let [_, _, deleted] = self.entry.times;
        self.at(deleted).is_some_and(|time| time != "null")
    }

    /// Whether a message says that it was changed since it was written: edited, deleted, or reacted to.
    pub fn is_changed(self) -> bool {
        let [modified, ..] = self.entry.times;
        self.at(modified).zip(self.at(self.entry.created)).is_some_and(|(modified, created)| ![created, "null"].contains(&modified))
    }

    /// Whether this is no item that a record could be made of.
    pub fn is_damaged(self) -> bool {
        self.entry.damaged
    }

    /// How Graph reports the entity as removed, if it does.
    pub fn removal(self) -> Option<Removal> {
        self.entry.removal
    }

    /// The replies that were expanded into a message.
    pub fn replies(self) -> impl Iterator<Item = Item<'p>> {
        let (page, range) = (self.page, self.thread.map_or(0..0, |thread| thread.replies.clone()));
        page.replies.entries[range].iter().map(move |entry| Item { page, table: &page.replies, entry, thread: None })
    }

    /// When the entity was created, if that is a string.
    pub fn created(self) -> Option<Cow<'p, str>> {
        string(self.at(self.entry.created)?)
    }

    /// How many replies Graph counts beside those that it expanded: as a rule these alone (graph.md 2.5).
    pub fn replies_count(self) -> Option<u64> {
        self.thread?.count
    }

    /// Where the replies go on that were too many to be expanded.
    pub fn replies_next(self) -> Option<&'p Link> {
        self.thread?.next.as_ref()
    }
}

impl Table {
    fn name<'p>(&'p self, field: &Field, text: &'p str) -> &'p str {
        match field.name {
            Span { start, end: NOWHERE } => &self.unescaped[start as usize],
            span => span.of(text),
        }
    }

    fn fields_of(&self, entry: &Entry) -> &[Field] {
        let first = entry.first as usize;
        &self.fields[first..first + usize::from(entry.fields)]
    }

    fn value<'t>(&self, entry: &Entry, place: Place, text: &'t str) -> Option<&'t str> {
        let field = &self.fields[entry.first as usize + usize::from(place?.get()) - 1];
        Some(field.value.of(text))
    }

    fn id<'t>(&self, entry: &Entry, text: &'t str) -> Option<Cow<'t, str>> {
        string(self.value(entry, entry.id, text)?).filter(|id| !id.is_empty())
    }

    fn bytes(&self) -> usize {
        let unescaped = self.unescaped.capacity() * size_of::<String>() + self.unescaped.iter().map(String::capacity).sum::<usize>();
        self.entries.capacity() * size_of::<Entry>() + self.fields.capacity() * size_of::<Field>() + unescaped
    }
}

/// The text of a JSON string; [`None`] if it is none.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(plain)) }
}

/// A string that is borrowed from the text wherever it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Builder<'t> {
    text: &'t str,
    host: &'t Host,
    secrets: &'t Secrets,
    items: Table,
    threads: Vec<Thread>,
    replies: Table,
    /// The first one of the item that is being read.
    first_reply: usize,
    next: Option<Link>,
    delta: Option<Link>,
    foreign: Option<String>,
    /// What is wrong with it, if more is known than that.
    wrong: Option<Cow<'static, str>>,
}

/// Which table an entry belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Item,
    Reply,
}

impl Builder<'_> {
    fn table(&mut self, level: Level) -> &mut Table {
        match level {
            Level::Item => &mut self.items,
            Level::Reply => &mut self.replies,
        }
    }

    /// Where a part of the text stands in it.
    fn span(&self, part: &str) -> Span {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        // No longer text gets here.
        Span { start: start as u32, end: (start + part.len()) as u32 }
    }

    /// Adds a property to the index and to the entry that it belongs to.
    fn field<E: de::Error>(&mut self, level: Level, entry: &mut Entry, name: Text<'_>, value: &str) -> Result<(), E> {
        if usize::from(entry.fields) == MOST_PROPERTIES {
            return Err(self.is_wrong(format!("an item in it has more than {MOST_PROPERTIES} properties")));
        }
        let value = self.span(value);
        entry.fields += 1;
        let place = NonZero::new(entry.fields);
        if name.0 == "id" {
            entry.id = place;
        } else if let Some(at) = TIMES.iter().position(|time| *time == name.0) {
            entry.times[at] = place;
        } else if name.0 == CREATED {
            entry.created = place;
        }
        let name = match name.0 {
            Cow::Borrowed(name) => self.span(name),
            Cow::Owned(name) => {
                let unescaped = &mut self.table(level).unescaped;
                unescaped.push(name);
                Span { start: unescaped.len() as u32 - 1, end: NOWHERE }
            }
        };
        self.table(level).fields.push(Field { name, value });
        self.index_fits()
    }

    /// Adds an item or a reply to the index.
    fn entry<E: de::Error>(&mut self, level: Level, entry: Entry, thread: Thread) -> Result<(), E> {
        self.table(level).entries.push(entry);
        if level == Level::Item {
            self.threads.push(thread);
        }
        if self.items.entries.len() > MOST {
            return Err(self.is_wrong(format!("it has more than {MOST} items")));
        }
        if self.replies.entries.len() - self.first_reply > MOST {
            return Err(self.is_wrong(format!("an item in it has more than {MOST} replies")));
        }
        self.index_fits()
    }

    /// An index that takes more memory than the text is of trivial parts, such as Graph does not write.
    fn index_fits<E: de::Error>(&mut self) -> Result<(), E> {
        let (fields, names) =
            (self.items.fields.len() + self.replies.fields.len(), self.items.unescaped.len() + self.replies.unescaped.len());
        let index = self.replies.entries.len() * size_of::<Entry>() + fields * size_of::<Field>() + names * 2 * size_of::<String>();
        if index > self.text.len() + INDEX {
            return Err(self.is_wrong("it has more replies and properties than Graph writes in so many bytes"));
        }
        Ok(())
    }

    fn is_wrong<E: de::Error>(&mut self, why: impl Into<Cow<'static, str>>) -> E {
        self.wrong = Some(why.into());
        E::custom("")
    }

    /// Takes a link, which may be absent, or takes note of what is wrong with it.
    fn link<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<Link>, A::Error> {
        let text = map.next_value::<Option<Text<'de>>>().inspect_err(|_| self.wrong = Some("a link in it is not a text".into()))?;
        Ok(text.and_then(|text| self.checked(&text.0)))
    }

    fn checked(&mut self, text: &str) -> Option<Link> {
        // It would be asked for by a path that others log, and stored in a state.
        if self.secrets.are_in(text) {
            self.wrong = Some("a link in it quotes a secret".into());
            return None;
        }
        match self.host.link(text) {
            Ok(link) => Some(link),
            Err(place) => {
                self.foreign.get_or_insert(place);
                None
            }
        }
    }
}

/// The body of a list.
struct ListSeed<'b, 't>(&'b mut Builder<'t>);

impl<'de> DeserializeSeed<'de> for ListSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(NO_LIST)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let builder = self.0;
        let mut has_value = false;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "value" => {
                    has_value = true;
                    if !map.next_value_seed(EntriesSeed { builder, level: Level::Item })? {
                        return Err(builder.is_wrong("its `value` is not a list"));
                    }
                }
                "@odata.nextLink" => {
                    builder.next = builder.link(&mut map)?;
                }
                "@odata.deltaLink" => {
                    builder.delta = builder.link(&mut map)?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if !has_value {
            return Err(builder.is_wrong("it has no `value`"));
        }
        Ok(())
    }
}

/// Why a body is no page: the sentences of the parser quote what stands there, and are not shown.
fn what_is_wrong(text: &str, expected: Expected, wrong: Option<&str>, error: &serde_json::Error) -> String {
    let kind = match text.trim_ascii_start().bytes().next() {
        None => return "it is empty".to_owned(),
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a text",
        _ => "a plain value",
    };
    let what = match (error.classify(), wrong) {
        (Category::Eof, _) => "it ends too early".to_owned(),
        (Category::Data, Some(wrong)) => wrong.to_owned(),
        (Category::Data, None) => format!("it is {kind} and not {}", expected.name()),
        (Category::Syntax | Category::Io, _) => "it is not JSON".to_owned(),
    };
    format!("{what}, at line {}, column {} of {} bytes", error.line(), error.column(), text.len())
}

/// Whether a name is one of OData's: `@odata.type`, or `from@odata.type`. Hardly any has an `@`, and that is found faster.
fn is_annotation(name: &str) -> bool {
    memchr(b'@', name.as_bytes()).is_some_and(|at| name[at..].contains("@odata."))
}

/// A list of items or of expanded replies. Gives false where there is something else.
struct EntriesSeed<'b, 't> {
    builder: &'b mut Builder<'t>,
    level: Level,
}

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_, 'de> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_, 'de> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<bool, A::Error> {
        while seq.next_element_seed(EntrySeed { builder: self.builder, level: self.level })?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    /// No replies at all may come as null.
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.level == Level::Reply)
    }

    scalars!(bool, |_| Ok(false));
}

/// An item or a reply; anything that is no object is indexed as damage.
struct EntrySeed<'b, 't> {
    builder: &'b mut Builder<'t>,
    level: Level,
}

impl EntrySeed<'_, '_> {
    fn damaged<E: de::Error>(self) -> Result<(), E> {
        self.builder.entry(self.level, Entry { damaged: true, ..Entry::default() }, Thread::default())
    }
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { builder, level } = self;
        // No text is so long that it has more.
        let (mut entry, mut thread) = (Entry { first: builder.table(level).fields.len() as u32, ..Entry::default() }, Thread::default());
        if level == Level::Item {
            builder.first_reply = builder.replies.entries.len();
        }
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "replies" if level == Level::Item => {
                    entry.damaged |= !map.next_value_seed(EntriesSeed { builder, level: Level::Reply })?;
                    thread.replies = builder.first_reply..builder.replies.entries.len();
                }
                "replies@odata.nextLink" if level == Level::Item => {
                    thread.next = builder.link(&mut map)?;
                }
                "replies@odata.count" if level == Level::Item => {
                    thread.count = map.next_value::<&RawValue>()?.get().parse().ok();
                }
                "@removed" => entry.removal = Removal::of(map.next_value()?),
                annotation if is_annotation(annotation) => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    let value = map.next_value::<&RawValue>()?;
                    builder.field(level, &mut entry, name, value.get())?;
                }
            }
        }
        // An id is shown in logs and stored in states: one that quotes a secret is none.
        let (text, secrets) = (builder.text, builder.secrets);
        let id = builder.table(level).id(&entry, text).filter(|id| !secrets.are_in(id));
        if id.is_none() {
            (entry.id, entry.damaged) = (None, true);
        }
        builder.entry(level, entry, thread)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.damaged()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.damaged()
    }

    scalars!((), Self::damaged);
}

#[cfg(test)]
impl Page {
    /// A list that Graph could have answered with at that time, for the tests of other folders.
    pub fn of_list(body: &serde_json::Value, date: chrono::DateTime<chrono::Utc>) -> Self {
        let host = Host::new(&"https://graph.microsoft.com".parse().unwrap()).unwrap();
        let date = AnswerDate::new(Some(date), date);
        Self::parse(body.to_string(), Cleaned::default(), Expected::List, &host, &Secrets::default(), date).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn page(text: &str) -> Result<Page, Malformed> {
        let host = Host::new(&Url::parse("https://graph.microsoft.com").unwrap()).unwrap();
        Page::parse(text.to_owned(), Cleaned::default(), Expected::List, &host, &Secrets::default(), AnswerDate::default())
    }

    #[test]
    fn items_keep_their_values_as_text_and_lose_their_annotations() {
        let page = page(
            r##"{"@odata.context":"x","@odata.count":1,"value":[{"@odata.type":"#t","id":"1","a\u0062":1.50,
            "replies@odata.count":2,"replies":[{"id":"2","x":[ 1 ]},{"id":"3"}],"replies@odata.nextLink":"https://graph.microsoft.com/v1.0/r?$skiptoken=1","z":null}],
            "@odata.nextLink":"https://graph.microsoft.com/v1.0/n?$skiptoken=2"}"##,
        )
        .unwrap();
        let item = page.items().next().unwrap();
        assert_eq!(item.fields().collect::<Vec<_>>(), [("id", "\"1\""), ("ab", "1.50"), ("z", "null")]);
        assert_eq!(
            item.replies().map(|reply| reply.fields().collect()).collect::<Vec<Vec<_>>>(),
            [vec![("id", "\"2\""), ("x", "[ 1 ]")], vec![("id", "\"3\"")]]
        );
        assert_eq!((item.replies_next().unwrap().as_str(), item.replies_count()), ("/v1.0/r?$skiptoken=1", Some(2)));
        assert_eq!(page.next().unwrap().as_str(), "/v1.0/n?$skiptoken=2");
    }

    #[test]
    fn what_is_no_item_is_damage_and_leaves_its_neighbours_whole() {
        let page = page(r#"{"value":[null,"x",7,-7,1.5,true,[1],{"id":""},{"id":5},{},{"id":"1","replies":{"a":1}},{"id":"2","replies":[3,null,{"id":"4"}]},{"id":"5","replies":null}]}"#).unwrap();
        let damaged: Vec<_> = page.items().map(Item::is_damaged).collect();
        assert_eq!(damaged, [[true; 11].as_slice(), &[false; 2]].concat());
        let replies: Vec<_> = page.items().nth(11).unwrap().replies().map(Item::is_damaged).collect();
        assert_eq!(replies, [true, true, false]);
    }

    #[test]
    fn of_a_property_that_comes_twice_the_last_counts() {
        let page = page(
            r#"{"value":[{"id":"1","id":"2","lastModifiedDateTime":"a","deletedDateTime":"x\u0062","lastModifiedDateTime":null},
            {"id":"1","id":null},{"i\u0064":"\u0033","last\u0045ditedDateTime":"b","a\u0062":1}]}"#,
        )
        .unwrap();
        let ids: Vec<_> = page.items().map(Item::id).collect();
        assert_eq!(ids, [Some("2".into()), None, Some("3".into())]);
        let times: Vec<Vec<_>> = page.items().map(|item| item.times().collect()).collect();
        assert_eq!(times, [vec!["xb"], vec![], vec!["b"]]);
        assert!(page.items().map(Item::is_damaged).eq([false, true, false]));
        assert_eq!(page.items().nth(2).unwrap().value("ab"), Some("1"));
    }

    #[test]
    fn a_body_that_is_no_list_is_malformed() {
        for text in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"value":null}"#,
            r#"{"value":{}}"#,
            r#"{"value":[]"#,
            r#"{"value":[]} x"#,
            "<html>",
            r#"{"value":[{"id":"1",}]}"#,
        ] {
            assert!(matches!(page(text), Err(Malformed::Body(_))), "{text}");
        }
    }

    #[test]
    fn a_page_of_more_parts_than_graph_gives_is_no_page_and_says_where() {
        let list = |items: &str| format!(r#"{{"value":[{items}]}}"#);
        let of = |count: usize, part: &str| vec![part; count].join(",");
        let properties = |count: usize| (0..count).map(|at| format!(r#""{at}":1"#)).collect::<Vec<_>>().join(",");
        let with_replies = |replies: &str| format!(r#"{{"id":"1","replies":[{replies}]}}"#);
        let guid = r#"{"id":"00000000-0000-0000-0000-000000000000"}"#;
        // What Graph gives at most, and more.
        let reply = format!(r#"{{"id":"1616963377068","body":{{"content":"{}"}}}}"#, "x".repeat(20));
        for whole in [list(&of(999, guid)), list(&of(MOST, "{}")), list(&of(50, &with_replies(&of(1000, &reply))))] {
            let page = page(&whole).unwrap();
            assert!(page.bytes_of_index() < 2 * whole.len() + INDEX, "{} of {}", page.bytes_of_index(), whole.len());
        }
        let more = [
            list(&of(MOST + 1, "{}")),
            list(&of(MOST + 1, "7")),
            format!(r#"{{"value":[{0}],"value":[{0}]}}"#, of(MOST / 2 + 1, "{}")),
            list(&with_replies(&of(MOST + 1, "{}"))),
            list(&format!(r#"{{"id":"1","replies":[{0}],"replies":[{0}]}}"#, of(MOST / 2 + 1, "null"))),
            list(&format!("{{{}}}", properties(MOST_PROPERTIES + 1))),
            list(&with_replies(&format!("{{{}}}", properties(MOST_PROPERTIES + 1)))),
            // Each of them within its bounds, and all together not.
            list(&of(1000, &with_replies(&of(1000, "{}")))),
            list(&of(1000, &format!(r#"{{"id":"1",{}}}"#, of(500, r#""":1"#)))),
            list(&of(1000, &format!(r#"{{"id":"1",{}}}"#, of(500, r#""\n":1"#)))),
        ];
        let said: Vec<_> = more
            .iter()
            .map(|text| match page(text) {
                Err(Malformed::Body(why)) => why,
                other => panic!("{other:?}"),
            })
            .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_link_to_elsewhere_is_named() {
        for text in [
            r#"{"value":[],"@odata.nextLink":"https://evil.example/n"}"#,
            r#"{"value":[{"id":"1","replies@odata.nextLink":"https://evil.example/n"}]}"#,
        ] {
            assert!(matches!(page(text), Err(Malformed::ForeignLink(place)) if place.starts_with("https://evil.example, ")));
        }
    }

    #[test]
    fn a_removed_item_shows_whether_it_can_be_restored() {
        let removals = [
            (r#"{"reason":"deleted"}"#, Some(Removal::Final)),
            (r#"{"reason":"changed"}"#, Some(Removal::Restorable)),
            (r#"{"reason":"ch\u0061nged","x":[1]}"#, Some(Removal::Restorable)),
            (r#"{"reason":5}"#, Some(Removal::Final)),
            ("7", Some(Removal::Final)),
            ("null", None),
        ];
        for (marker, removal) in removals {
            let page = page(&format!(r#"{{"value":[{{"id":"1","@removed":{marker}}}]}}"#)).unwrap();
            assert_eq!(page.items().map(Item::removal).collect::<Vec<_>>(), [removal], "{marker}");
        }
    }
}
