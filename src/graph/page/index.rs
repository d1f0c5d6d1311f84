//! A page from Graph: the received text and an index of its items, which is built in one pass without copying values.

use std::{borrow::Cow, fmt, num::NonZero, ops::Range};

use memchr::memchr;
use serde::{
    Deserialize,
    de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{error::Category, value::RawValue};
use xxhash_rust::xxh3::Xxh3Default;

use super::text::Replacements;
use crate::{
    graph::{BufferPermit, Host, Link, ResponseDate},
    secrets::Secrets,
};

/// Visitor methods for scalars, which are all handled alike.
macro_rules! scalars {
    ($value:ty, $handle:expr) => {
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<$value, E> {
            ($handle)(self)
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<$value, E> {
            ($handle)(self)
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<$value, E> {
            ($handle)(self)
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<$value, E> {
            ($handle)(self)
        }

        fn visit_str<E: de::Error>(self, _: &str) -> Result<$value, E> {
            ($handle)(self)
        }
    };
}

/// One page of a list, or one object as a page with one item.
#[derive(Debug)]
pub struct Page {
    text: String,
    items: Index,
    /// One entry per item.
    expanded: Vec<ExpandedReplies>,
    replies: Index,
    next: Option<Link>,
    delta: Option<Link>,
    date: ResponseDate,
    replacements: Replacements,
    permit: Option<BufferPermit>,
}

/// An item of a page: its properties without OData annotations, and its expanded replies.
#[derive(Clone, Copy, Debug)]
pub struct Item<'p> {
    page: &'p Page,
    index: &'p Index,
    entry: &'p IndexEntry,
    /// [`None`] for a reply.
    expanded: Option<&'p ExpandedReplies>,
}

/// Why a body is not a page.
#[derive(Debug)]
pub(in crate::graph) enum Malformed {
    /// The reason.
    Body(String),
    /// A link points to this other host.
    ForeignLink(String),
}

/// The expected form of a body.
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
            Self::List => EXPECTED_LIST,
            Self::Object => "an object",
        }
    }
}

/// The times that determine the activity of a message.
const TIMES: [&str; 3] = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];

const EXPECTED_LIST: &str = "an object with a list `value`";

const CREATED: &str = "createdDateTime";

/// Maximum number of items on a page, and of expanded replies of an item. Twice as many as Graph returns: another server might send more, and
/// the index could then use many times the memory of the text.
const MAX_ITEMS: usize = 2000;

/// Maximum number of properties of an item.
const MAX_PROPERTIES: usize = 10_000;

/// How much larger than the text the index may be, in bytes.
const MAX_INDEX_EXCESS: usize = 256 * 1024;

/// The positions of items or replies, and of their fields, in the text.
#[derive(Debug, Default)]
struct Index {
    entries: Vec<IndexEntry>,
    fields: Vec<Field>,
    /// The unescaped form of names that contain escapes.
    unescaped: Vec<String>,
}

/// An item or a reply. A page may contain hundreds of thousands.
#[derive(Debug, Default)]
struct IndexEntry {
    /// The position of the first field.
    first: u32,
    /// The number of fields.
    fields: u16,
    // The positions of properties that are read several times per item.
    id: FieldNumber,
    times: [FieldNumber; TIMES.len()],
    created: FieldNumber,
    removal: Option<Removal>,
    /// Whether the entry is not an object, has no id, or has expanded replies that are not a list.
    malformed: bool,
}

/// How Graph reports an entity as removed (`@removed`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Removal {
    /// The deletion can be undone (`reason` is `changed`). Lists may still contain the entity, with its `deletedDateTime`.
    Restorable,
    /// The deletion is permanent, or its reason is undocumented.
    Final,
}

impl Removal {
    fn from_marker(value: &RawValue) -> Option<Self> {
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

/// The number of a field of an entry, counted from 1.
type FieldNumber = Option<NonZero<u16>>;

/// The expanded replies of an item.
#[derive(Debug, Default)]
struct ExpandedReplies {
    replies: Range<usize>,
    next: Option<Link>,
    /// Graph's count of the replies, if present.
    count: Option<u64>,
}

#[derive(Debug)]
struct Field {
    /// The range in the text, or the index in `unescaped` if the end is [`UNESCAPED`].
    name: Span,
    value: Span,
}

/// The `end` that marks a name with escapes. No text is that long.
const UNESCAPED: u32 = u32::MAX;

/// A range of the text, in half the size of a [`Range`], because each name and value of a page needs one.
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
        replacements: Replacements,
        expected: Expected,
        host: &Host,
        secrets: &Secrets,
        date: ResponseDate,
    ) -> Result<Self, Malformed> {
        if u32::try_from(text.len()).is_err() {
            return Err(Malformed::Body("the body is larger than 4 GiB".to_owned()));
        }
        let mut builder = Builder {
            text: &text,
            host,
            secrets,
            items: Index::default(),
            expanded: Vec::new(),
            replies: Index::default(),
            first_reply: 0,
            next: None,
            delta: None,
            foreign: None,
            problem: None,
        };
        let mut json = serde_json::Deserializer::from_str(&text);
        let parsed = match expected {
            Expected::List => ListSeed(&mut builder).deserialize(&mut json),
            Expected::Object => EntrySeed { builder: &mut builder, kind: EntryKind::Item }.deserialize(&mut json),
        };
        parsed.and_then(|()| json.end()).map_err(|error| Malformed::Body(describe(&text, expected, builder.problem.as_deref(), &error)))?;
        let Builder { items, expanded, replies, next, delta, foreign, problem, .. } = builder;
        if let Some(problem) = problem {
            return Err(Malformed::Body(problem.into_owned()));
        }
        if matches!(expected, Expected::Object) && items.entries.iter().any(|entry| entry.malformed) {
            return Err(Malformed::Body("it is not an object with an id".to_owned()));
        }
        match foreign {
            Some(target) => Err(Malformed::ForeignLink(target)),
            None => Ok(Self { text, items, expanded, replies, next, delta, date, replacements, permit: None }),
        }
    }

    pub(in crate::graph) fn with_permit(self, permit: BufferPermit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Drops the page, but keeps its memory permit for data that was derived from the page.
    pub fn into_permit(self) -> Option<BufferPermit> {
        let permit = self.permit?;
        permit.recycle(self.text.into_bytes());
        Some(permit)
    }

    /// The items in Graph's order, including malformed ones.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let entries = self.items.entries.iter().zip(&self.expanded);
        entries.map(|(entry, expanded)| Item { page: self, index: &self.items, entry, expanded: Some(expanded) })
    }

    pub(in crate::graph) fn bytes_of_index(&self) -> usize {
        self.items.bytes() + self.replies.bytes() + self.expanded.capacity() * size_of::<ExpandedReplies>()
    }

    /// The size of the text in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether the page has no items. There may still be a next page.
    pub fn is_empty(&self) -> bool {
        self.items.entries.is_empty()
    }

    /// The nextLink.
    pub fn next(&self) -> Option<&Link> {
        self.next.as_ref()
    }

    /// The deltaLink, on the last page of a delta round (graph.md 4.1).
    pub fn delta(&self) -> Option<&Link> {
        self.delta.as_ref()
    }

    /// The date of the response.
    pub fn date(&self) -> ResponseDate {
        self.date
    }

    pub fn replacements(&self) -> Replacements {
        self.replacements
    }
}

impl<'p> Item<'p> {
    /// The names and JSON values in Graph's order, without OData annotations and expanded replies.
    pub fn fields(self) -> impl Iterator<Item = (&'p str, &'p str)> {
        let (text, index) = (&self.page.text, self.index);
        index.fields_of(self.entry).iter().map(|field| (index.name(field, text), field.value.of(text)))
    }

    /// The JSON text of a field.
    fn at(self, number: FieldNumber) -> Option<&'p str> {
        self.index.value(self.entry, number, &self.page.text)
    }

    /// The JSON text of a property.
    pub fn value(self, name: &str) -> Option<&'p str> {
        self.fields().filter(|(field, _)| *field == name).last().map(|(_, value)| value)
    }

    /// The value of a string property.
    pub fn text(self, name: &str) -> Option<Cow<'p, str>> {
        string(self.value(name)?)
    }

    /// The id. An item without a usable id is malformed.
    pub fn id(self) -> Option<Cow<'p, str>> {
        self.index.id(self.entry, &self.page.text)
    }

    /// A hash of all names and values.
    pub fn hash(self) -> u64 {
        let mut hasher = Xxh3Default::new();
        for (name, value) in self.fields() {
            hasher.update(name.as_bytes());
            hasher.update(value.as_bytes());
        }
        hasher.digest()
    }

    /// The times that determine the activity of a message, except for times that are not strings.
    pub fn times(self) -> impl Iterator<Item = Cow<'p, str>> {
        self.entry.times.into_iter().filter_map(move |time| string(self.at(time)?))
    }

    /// Whether a message has a deletion time.
    pub fn is_deleted(self) -> bool {
        let [_, _, deleted] = self.entry.times;
        self.at(deleted).is_some_and(|time| time != "null")
    }

    /// Whether a message was modified after it was created: edited, deleted, or reacted to.
    pub fn is_changed(self) -> bool {
        let [modified, ..] = self.entry.times;
        self.at(modified).zip(self.at(self.entry.created)).is_some_and(|(modified, created)| ![created, "null"].contains(&modified))
    }

    /// Whether the item cannot be converted to a record.
    pub fn is_malformed(self) -> bool {
        self.entry.malformed
    }

    /// How Graph reports the entity as removed; [`None`] if it does not.
    pub fn removal(self) -> Option<Removal> {
        self.entry.removal
    }

    /// The expanded replies of a message.
    pub fn replies(self) -> impl Iterator<Item = Item<'p>> {
        let (page, range) = (self.page, self.expanded.map_or(0..0, |expanded| expanded.replies.clone()));
        page.replies.entries[range].iter().map(move |entry| Item { page, index: &page.replies, entry, expanded: None })
    }

    /// The creation time, if it is a string.
    pub fn created(self) -> Option<Cow<'p, str>> {
        string(self.at(self.entry.created)?)
    }

    /// Graph's count of the replies (`replies@odata.count`), which usually includes only the expanded ones (graph.md 2.5).
    pub fn replies_count(self) -> Option<u64> {
        self.expanded?.count
    }

    /// The link to further replies, if not all were expanded.
    pub fn replies_next(self) -> Option<&'p Link> {
        self.expanded?.next.as_ref()
    }
}

impl Index {
    fn name<'p>(&'p self, field: &Field, text: &'p str) -> &'p str {
        match field.name {
            Span { start, end: UNESCAPED } => &self.unescaped[start as usize],
            span => span.of(text),
        }
    }

    fn fields_of(&self, entry: &IndexEntry) -> &[Field] {
        let first = entry.first as usize;
        &self.fields[first..first + usize::from(entry.fields)]
    }

    fn value<'t>(&self, entry: &IndexEntry, number: FieldNumber, text: &'t str) -> Option<&'t str> {
        let field = &self.fields[entry.first as usize + usize::from(number?.get()) - 1];
        Some(field.value.of(text))
    }

    fn id<'t>(&self, entry: &IndexEntry, text: &'t str) -> Option<Cow<'t, str>> {
        string(self.value(entry, entry.id, text)?).filter(|id| !id.is_empty())
    }

    fn bytes(&self) -> usize {
        let unescaped = self.unescaped.capacity() * size_of::<String>() + self.unescaped.iter().map(String::capacity).sum::<usize>();
        self.entries.capacity() * size_of::<IndexEntry>() + self.fields.capacity() * size_of::<Field>() + unescaped
    }
}

/// The value of a JSON string. [`None`] for other JSON.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let plain = json.strip_prefix('"')?.strip_suffix('"')?;
    if plain.contains('\\') { serde_json::from_str(json).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(plain)) }
}

/// A string that is borrowed from the text if it contains no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Builder<'t> {
    text: &'t str,
    host: &'t Host,
    secrets: &'t Secrets,
    items: Index,
    expanded: Vec<ExpandedReplies>,
    replies: Index,
    /// The first reply of the current item.
    first_reply: usize,
    next: Option<Link>,
    delta: Option<Link>,
    foreign: Option<String>,
    /// Why the body is not a page, if the parser cannot report it.
    problem: Option<Cow<'static, str>>,
}

/// The index that an entry belongs to.
#[derive(Clone, Copy, PartialEq)]
enum EntryKind {
    Item,
    Reply,
}

impl Builder<'_> {
    fn index(&mut self, kind: EntryKind) -> &mut Index {
        match kind {
            EntryKind::Item => &mut self.items,
            EntryKind::Reply => &mut self.replies,
        }
    }

    /// The position of a substring of the text.
    fn span(&self, part: &str) -> Span {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        // The length was checked to fit into 32 bits.
        Span { start: start as u32, end: (start + part.len()) as u32 }
    }

    /// Adds a property to the index and to its entry.
    fn field<E: de::Error>(&mut self, kind: EntryKind, entry: &mut IndexEntry, name: Text<'_>, value: &str) -> Result<(), E> {
        if usize::from(entry.fields) == MAX_PROPERTIES {
            return Err(self.fail(format!("an item has more than {MAX_PROPERTIES} properties")));
        }
        let value = self.span(value);
        entry.fields += 1;
        let number = NonZero::new(entry.fields);
        if name.0 == "id" {
            entry.id = number;
        } else if let Some(at) = TIMES.iter().position(|time| *time == name.0) {
            entry.times[at] = number;
        } else if name.0 == CREATED {
            entry.created = number;
        }
        let name = match name.0 {
            Cow::Borrowed(name) => self.span(name),
            Cow::Owned(name) => {
                let unescaped = &mut self.index(kind).unescaped;
                unescaped.push(name);
                Span { start: unescaped.len() as u32 - 1, end: UNESCAPED }
            }
        };
        self.index(kind).fields.push(Field { name, value });
        self.check_size()
    }

    /// Adds an item or a reply to the index.
    fn entry<E: de::Error>(&mut self, kind: EntryKind, entry: IndexEntry, expanded: ExpandedReplies) -> Result<(), E> {
        self.index(kind).entries.push(entry);
        if kind == EntryKind::Item {
            self.expanded.push(expanded);
        }
        if self.items.entries.len() > MAX_ITEMS {
            return Err(self.fail(format!("it has more than {MAX_ITEMS} items")));
        }
        if self.replies.entries.len() - self.first_reply > MAX_ITEMS {
            return Err(self.fail(format!("an item has more than {MAX_ITEMS} replies")));
        }
        self.check_size()
    }

    /// Fails if the index is much larger than the text, which then consists of many tiny values that Graph would not send.
    fn check_size<E: de::Error>(&mut self) -> Result<(), E> {
        let (fields, names) =
            (self.items.fields.len() + self.replies.fields.len(), self.items.unescaped.len() + self.replies.unescaped.len());
        let index = self.replies.entries.len() * size_of::<IndexEntry>() + fields * size_of::<Field>() + names * 2 * size_of::<String>();
        if index > self.text.len() + MAX_INDEX_EXCESS {
            return Err(self.fail("it has too many replies and properties for its size"));
        }
        Ok(())
    }

    fn fail<E: de::Error>(&mut self, problem: impl Into<Cow<'static, str>>) -> E {
        self.problem = Some(problem.into());
        E::custom("")
    }

    /// Parses a link, which may be null.
    fn link<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<Link>, A::Error> {
        let text = map.next_value::<Option<Text<'de>>>().inspect_err(|_| self.problem = Some("a link is not a string".into()))?;
        Ok(text.and_then(|text| self.checked(&text.0)))
    }

    fn checked(&mut self, text: &str) -> Option<Link> {
        // The link would be stored in a state, where other programs might log its path.
        if self.secrets.are_in(text) {
            self.problem = Some("a link contains a secret".into());
            return None;
        }
        match self.host.link(text) {
            Ok(link) => Some(link),
            Err(target) => {
                self.foreign.get_or_insert(target);
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
        formatter.write_str(EXPECTED_LIST)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let builder = self.0;
        let mut has_value = false;
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "value" => {
                    has_value = true;
                    if !map.next_value_seed(EntriesSeed { builder, kind: EntryKind::Item })? {
                        return Err(builder.fail("its `value` is not a list"));
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
            return Err(builder.fail("it has no `value`"));
        }
        Ok(())
    }
}

/// Why a body is not a page. The parser's own messages are not shown, because they quote the body.
fn describe(text: &str, expected: Expected, problem: Option<&str>, error: &serde_json::Error) -> String {
    let kind = match text.trim_ascii_start().bytes().next() {
        None => return "it is empty".to_owned(),
        Some(b'{') => "an object",
        Some(b'[') => "a list",
        Some(b'"') => "a string",
        _ => "a plain value",
    };
    let problem = match (error.classify(), problem) {
        (Category::Eof, _) => "it ends too early".to_owned(),
        (Category::Data, Some(problem)) => problem.to_owned(),
        (Category::Data, None) => format!("it is {kind}, not {}", expected.name()),
        (Category::Syntax | Category::Io, _) => "it is not JSON".to_owned(),
    };
    format!("{problem}, at line {}, column {} of {} bytes", error.line(), error.column(), text.len())
}

/// Whether a name is an OData annotation, such as `@odata.type` or `from@odata.type`. Searching for `@` first is fast, because few names contain it.
fn is_annotation(name: &str) -> bool {
    memchr(b'@', name.as_bytes()).is_some_and(|at| name[at..].contains("@odata."))
}

/// Parses a list of items or of expanded replies. Returns false for anything else.
struct EntriesSeed<'b, 't> {
    builder: &'b mut Builder<'t>,
    kind: EntryKind,
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
        while seq.next_element_seed(EntrySeed { builder: self.builder, kind: self.kind })?.is_some() {}
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    /// Graph may send null instead of an empty list of replies.
    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.kind == EntryKind::Reply)
    }

    scalars!(bool, |_| Ok(false));
}

/// Parses an item or a reply. Anything other than an object is indexed as malformed.
struct EntrySeed<'b, 't> {
    builder: &'b mut Builder<'t>,
    kind: EntryKind,
}

impl EntrySeed<'_, '_> {
    fn malformed<E: de::Error>(self) -> Result<(), E> {
        self.builder.entry(self.kind, IndexEntry { malformed: true, ..IndexEntry::default() }, ExpandedReplies::default())
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
        let Self { builder, kind } = self;
        // The length of the text fits into 32 bits, and the text has fewer fields than bytes.
        let first = builder.index(kind).fields.len() as u32;
        let (mut entry, mut expanded) = (IndexEntry { first, ..IndexEntry::default() }, ExpandedReplies::default());
        if kind == EntryKind::Item {
            builder.first_reply = builder.replies.entries.len();
        }
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "replies" if kind == EntryKind::Item => {
                    entry.malformed |= !map.next_value_seed(EntriesSeed { builder, kind: EntryKind::Reply })?;
                    expanded.replies = builder.first_reply..builder.replies.entries.len();
                }
                "replies@odata.nextLink" if kind == EntryKind::Item => {
                    expanded.next = builder.link(&mut map)?;
                }
                "replies@odata.count" if kind == EntryKind::Item => {
                    expanded.count = map.next_value::<&RawValue>()?.get().parse().ok();
                }
                "@removed" => entry.removal = Removal::from_marker(map.next_value()?),
                annotation if is_annotation(annotation) => {
                    map.next_value::<IgnoredAny>()?;
                }
                _ => {
                    let value = map.next_value::<&RawValue>()?;
                    builder.field(kind, &mut entry, name, value.get())?;
                }
            }
        }
        // Ids are logged and stored in states, so an id that contains a secret is rejected.
        let (text, secrets) = (builder.text, builder.secrets);
        let id = builder.index(kind).id(&entry, text).filter(|id| !secrets.are_in(id));
        if id.is_none() {
            (entry.id, entry.malformed) = (None, true);
        }
        builder.entry(kind, entry, expanded)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        self.malformed()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.malformed()
    }

    scalars!((), Self::malformed);
}

#[cfg(test)]
impl Page {
    /// Creates a list page with this date, for tests in other modules.
    pub fn of_list(body: &serde_json::Value, date: chrono::DateTime<chrono::Utc>) -> Self {
        let host = Host::new(&"https://graph.microsoft.com".parse().unwrap()).unwrap();
        let date = ResponseDate::new(Some(date), date);
        Self::parse(body.to_string(), Replacements::default(), Expected::List, &host, &Secrets::default(), date).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn page(text: &str) -> Result<Page, Malformed> {
        let host = Host::new(&Url::parse("https://graph.microsoft.com").unwrap()).unwrap();
        Page::parse(text.to_owned(), Replacements::default(), Expected::List, &host, &Secrets::default(), ResponseDate::default())
    }

    #[test]
    fn items_keep_their_values_as_text_without_annotations() {
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
    fn a_malformed_item_does_not_affect_the_others() {
        let page = page(r#"{"value":[null,"x",7,-7,1.5,true,[1],{"id":""},{"id":5},{},{"id":"1","replies":{"a":1}},{"id":"2","replies":[3,null,{"id":"4"}]},{"id":"5","replies":null}]}"#).unwrap();
        let malformed: Vec<_> = page.items().map(Item::is_malformed).collect();
        assert_eq!(malformed, [[true; 11].as_slice(), &[false; 2]].concat());
        let replies: Vec<_> = page.items().nth(11).unwrap().replies().map(Item::is_malformed).collect();
        assert_eq!(replies, [true, true, false]);
    }

    #[test]
    fn the_last_one_of_repeated_properties_counts() {
        let page = page(
            r#"{"value":[{"id":"1","id":"2","lastModifiedDateTime":"a","deletedDateTime":"x\u0062","lastModifiedDateTime":null},
            {"id":"1","id":null},{"i\u0064":"\u0033","last\u0045ditedDateTime":"b","a\u0062":1}]}"#,
        )
        .unwrap();
        let ids: Vec<_> = page.items().map(Item::id).collect();
        assert_eq!(ids, [Some("2".into()), None, Some("3".into())]);
        let times: Vec<Vec<_>> = page.items().map(|item| item.times().collect()).collect();
        assert_eq!(times, [vec!["xb"], vec![], vec!["b"]]);
        assert!(page.items().map(Item::is_malformed).eq([false, true, false]));
        assert_eq!(page.items().nth(2).unwrap().value("ab"), Some("1"));
    }

    #[test]
    fn a_body_without_a_list_is_malformed() {
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
    fn a_page_with_too_many_parts_is_malformed() {
        let list = |items: &str| format!(r#"{{"value":[{items}]}}"#);
        let of = |count: usize, part: &str| vec![part; count].join(",");
        let properties = |count: usize| (0..count).map(|at| format!(r#""{at}":1"#)).collect::<Vec<_>>().join(",");
        let with_replies = |replies: &str| format!(r#"{{"id":"1","replies":[{replies}]}}"#);
        let guid = r#"{"id":"00000000-0000-0000-0000-000000000000"}"#;
        // The most that Graph returns.
        let reply = format!(r#"{{"id":"1616963377068","body":{{"content":"{}"}}}}"#, "x".repeat(20));
        for whole in [list(&of(999, guid)), list(&of(MAX_ITEMS, "{}")), list(&of(50, &with_replies(&of(1000, &reply))))] {
            let page = page(&whole).unwrap();
            assert!(page.bytes_of_index() < 2 * whole.len() + MAX_INDEX_EXCESS, "{} of {}", page.bytes_of_index(), whole.len());
        }
        let too_many = [
            list(&of(MAX_ITEMS + 1, "{}")),
            list(&of(MAX_ITEMS + 1, "7")),
            format!(r#"{{"value":[{0}],"value":[{0}]}}"#, of(MAX_ITEMS / 2 + 1, "{}")),
            list(&with_replies(&of(MAX_ITEMS + 1, "{}"))),
            list(&format!(r#"{{"id":"1","replies":[{0}],"replies":[{0}]}}"#, of(MAX_ITEMS / 2 + 1, "null"))),
            list(&format!("{{{}}}", properties(MAX_PROPERTIES + 1))),
            list(&with_replies(&format!("{{{}}}", properties(MAX_PROPERTIES + 1)))),
            // Each part is within its limits, but their sum is not.
            list(&of(1000, &with_replies(&of(1000, "{}")))),
            list(&of(1000, &format!(r#"{{"id":"1",{}}}"#, of(500, r#""":1"#)))),
            list(&of(1000, &format!(r#"{{"id":"1",{}}}"#, of(500, r#""\n":1"#)))),
        ];
        let reasons: Vec<_> = too_many
            .iter()
            .map(|text| match page(text) {
                Err(Malformed::Body(reason)) => reason,
                other => panic!("{other:?}"),
            })
            .collect();
        insta::assert_snapshot!(reasons.join("\n"));
    }

    #[test]
    fn a_foreign_link_is_reported() {
        for text in [
            r#"{"value":[],"@odata.nextLink":"https://evil.example/n"}"#,
            r#"{"value":[{"id":"1","replies@odata.nextLink":"https://evil.example/n"}]}"#,
        ] {
            assert!(matches!(page(text), Err(Malformed::ForeignLink(target)) if target.starts_with("https://evil.example, ")));
        }
    }

    #[test]
    fn a_removed_item_is_restorable_or_final() {
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
