//! A corpus with one message of every awkward kind, as JSON that is served byte for byte.

use crate::{
    content::{Flavour, SYSTEM_EVENTS},
    tenant::{ChangeError, MessageRef, Post, Tenant},
};

/// A message in which each kind replaces something. `$…$` are filled in when it is posted.
const FRAME: &str = r#"{"id":"$ID$","replyToId":REPLYTO,"etag":"$ID$","messageType":"message","createdDateTime":"$TIME$","lastModifiedDateTime":"$TIME$","lastEditedDateTime":null,"deletedDateTime":null,"subject":null,"summary":null,"chatId":null,"importance":"normal","locale":"en-us","webUrl":"https://teams.microsoft.com/l/message/x/$ID$","channelIdentity":{"teamId":"$TEAM$","channelId":"$CHANNEL$"},"policyViolation":null,"eventDetail":null,"from":{"application":null,"device":null,"user":{"id":"8ea0e38b-efb3-4757-924a-5f94061cf8c2","displayName":"Robin Kline","userIdentityType":"aadUser"}},"body":{"contentType":"text","content":"CONTENT"},"attachments":[],"mentions":[],"reactions":[],"messageHistory":[]}"#;

/// The name of the kind, the text of the frame to replace, and its replacement.
const ODD: [(&str, &str, &str); 31] = [
    ("body_is_a_string", r#"{"contentType":"text","content":"CONTENT"}"#, r#""just text""#),
    ("body_is_null", r#"{"contentType":"text","content":"CONTENT"}"#, "null"),
    ("body_content_is_null", r#""CONTENT""#, "null"),
    ("body_content_is_a_number", r#""CONTENT""#, "12.50"),
    ("last_edited_is_no_date", r#""lastEditedDateTime":null"#, r#""lastEditedDateTime":"yesterday, about noon""#),
    ("last_edited_is_empty", r#""lastEditedDateTime":null"#, r#""lastEditedDateTime":"""#),
    ("deleted_in_year_one", r#""deletedDateTime":null"#, r#""deletedDateTime":"0001-01-01T00:00:00Z""#),
    ("last_modified_is_null", r#""lastModifiedDateTime":"$TIME$""#, r#""lastModifiedDateTime":null"#),
    ("last_modified_in_year_one", r#""lastModifiedDateTime":"$TIME$""#, r#""lastModifiedDateTime":"0001-01-01T00:00:00Z""#),
    ("last_modified_is_no_date", r#""lastModifiedDateTime":"$TIME$""#, r#""lastModifiedDateTime":"2024-13-45T99:00:00Z""#),
    ("created_has_an_offset", r#""createdDateTime":"$TIME$""#, r#""createdDateTime":"2024-05-01T12:00:00.1234567+02:00""#),
    ("created_is_null", r#""createdDateTime":"$TIME$""#, r#""createdDateTime":null"#),
    ("times_absent", r#""createdDateTime":"$TIME$","lastModifiedDateTime":"$TIME$","#, ""),
    ("unknown_top_level", r#""summary":null,"#, r#""summary":null,"zebra":{"stripes":[1,2.50,1e3,-0,"ü"]},"apple":null,"#),
    ("unknown_nested", r#""userIdentityType":"aadUser""#, r#""userIdentityType":"aadUser","mood":{"of":"day"},"tenantId":null"#),
    (
        "annotations_at_the_top",
        r#""subject":null,"#,
        r##""@odata.type":"#microsoft.graph.chatMessage","@odata.etag":"W/\"x\"","subject@odata.count":3,"subject":null,"##,
    ),
    ("nul_in_text", "CONTENT", r"before\u0000after"),
    ("lone_high_surrogate", "CONTENT", r"broken \ud83d emoji"),
    ("lone_low_surrogate", "CONTENT", r"broken \ude00 emoji"),
    ("escaped_everything", "CONTENT", r#"\"\\\/\b\f\n\r\t\u00e9\u2028\u2029\u007f<\/script>"#),
    ("big_numbers", r#""reactions":[]"#, r#""reactions":[],"big":123456789012345678901234567890,"beyond":1e400,"fine":0.1000"#),
    ("importance_unheard_of", r#""importance":"normal""#, r#""importance":"apocalyptic""#),
    ("attachments_is_an_object", r#""attachments":[]"#, r#""attachments":{"id":"1"}"#),
    ("mentions_is_null", r#""mentions":[]"#, r#""mentions":null"#),
    ("attachment_with_null_content_type", r#""attachments":[]"#, r#""attachments":[{"id":null,"contentType":null,"content":null}]"#),
    ("subject_is_an_object", r#""subject":null"#, r#""subject":{"text":"x"}"#),
    ("etag_is_a_number", r#""etag":"$ID$""#, r#""etag":17"#),
    (
        "from_without_identity",
        r#""user":{"id":"8ea0e38b-efb3-4757-924a-5f94061cf8c2","displayName":"Robin Kline","userIdentityType":"aadUser"}"#,
        r#""user":null"#,
    ),
    ("duplicate_key", r#""subject":null,"#, r#""subject":"first","subject":"second","#),
    ("white_space", r#","chatId":null,"#, " ,\n\t\"chatId\" :\r\n null , "),
    ("deeply_nested", r#""messageHistory":[]"#, r#""messageHistory":[[[[[[[[[[[[[[[[{"a":[[[[[[{}]]]]]]}]]]]]]]]]]]]]]]]"#),
];

/// The name and the JSON of items that are not chatMessages.
const DAMAGED: [(&str, &str); 8] = [
    ("null", "null"),
    ("number", "42"),
    ("text", r#""a message""#),
    ("array", "[]"),
    ("empty_object", "{}"),
    (
        "without_id",
        r#"{"messageType":"message","createdDateTime":"$TIME$","lastModifiedDateTime":"$TIME$","body":{"contentType":"text","content":"x"}}"#,
    ),
    ("null_id", r#"{"id":null,"lastModifiedDateTime":"$TIME$"}"#),
    ("number_id", r#"{"id":$ID$,"lastModifiedDateTime":"$TIME$"}"#),
];

/// An awkward message, to be posted as a root or as a reply.
#[derive(Clone, Debug)]
pub struct Awkward {
    pub name: String,
    pub root: Post,
    pub reply: Post,
}

/// Messages that a client must not lose or change: one of every flavour and system event, and unusual ones.
pub fn corpus() -> Vec<Awkward> {
    let flavours = Flavour::all().into_iter().map(|flavour| {
        let name = match flavour {
            Flavour::SystemEvent(kind) => format!("event_{}", SYSTEM_EVENTS[usize::from(kind)]),
            other => format!("{other:?}"),
        };
        Awkward { name, root: Post::generated(flavour).seed(11), reply: Post::generated(flavour).seed(12) }
    });
    let odd = ODD.into_iter().map(|(name, from, to)| from_frame(name, from, to));
    flavours.chain(odd).chain([very_long()]).collect()
}

/// Items that are not messages: without an id, or not even objects.
pub fn damaged() -> Vec<Awkward> {
    let item = |(name, json): (&str, &str)| Awkward { name: name.to_owned(), root: Post::template(json), reply: Post::template(json) };
    DAMAGED.into_iter().map(item).collect()
}

fn from_frame(name: &str, from: &str, to: &str) -> Awkward {
    let json = FRAME.replacen(from, to, 1).replace("CONTENT", "hello");
    let post = |reply_to: &str| Post::template(json.replace("REPLYTO", reply_to));
    Awkward { name: name.to_owned(), root: post("null"), reply: post(r#""$ROOT$""#) }
}

/// Much longer than Teams allows.
fn very_long() -> Awkward {
    from_frame("very_long_body", "CONTENT", &"0123456789 äöü ".repeat(20_000))
}

impl Tenant {
    /// Posts the whole [`corpus`] to a channel, each kind as a root with a reply of the same kind, and a deleted and an edited message.
    /// Returns the name of each message and where it is.
    pub fn post_corpus(&mut self, channel: &str) -> Result<Vec<(String, MessageRef)>, ChangeError> {
        let mut posted = Vec::new();
        for Awkward { name, root, reply } in corpus() {
            let at = self.post(channel, root)?;
            let reply_at = self.reply(&at, reply)?;
            posted.push((format!("{name} (reply)"), reply_at));
            posted.push((name, at));
        }
        let deleted = self.post(channel, Post::generated(Flavour::Html))?;
        let deleted_reply = self.reply(&deleted, Post::generated(Flavour::Text))?;
        self.delete(&deleted_reply)?;
        self.delete(&deleted)?;
        let edited = self.post(channel, Post::generated(Flavour::Mention))?;
        self.edit(&edited, "edited: ü \" \\ \n \u{1f600}")?;
        posted.extend([("deleted".to_owned(), deleted), ("deleted (reply)".to_owned(), deleted_reply), ("edited".to_owned(), edited)]);
        Ok(posted)
    }
}
