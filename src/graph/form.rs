//! The form that an answer should have, and what is made of its body.

use super::{
    AnswerDate, Cause, Page, Report,
    answer::quotable,
    exchange::Exchange,
    page::{
        bodies::Held,
        index::{Expected, Malformed},
        text,
    },
};

/// The form of an answer.
pub(super) trait Form: Copy {
    /// What is made of a body.
    type Made;

    /// Whether Graph may redirect to it instead of giving it.
    const MAY_BE_ELSEWHERE: bool;

    /// Makes it of a body.
    fn make(
        self,
        body: Vec<u8>,
        held: Held,
        date: AnswerDate,
        exchange: &Exchange,
    ) -> impl Future<Output = Result<Self::Made, Cause>> + Send;
}

/// A table in CSV that has at least these columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Csv(pub(super) &'static [&'static str]);

impl Form for Expected {
    type Made = Page;

    const MAY_BE_ELSEWHERE: bool = false;

    async fn make(self, body: Vec<u8>, mut held: Held, date: AnswerDate, Exchange { host, secrets, .. }: &Exchange) -> Result<Page, Cause> {
        let (text, cleaned) = text::decode(body).ok_or_else(no_text)?;
        let page = Page::parse(text, cleaned, self, host, secrets, date).map_err(|malformed| match malformed {
            Malformed::Body(text) => Cause::Malformed(text),
            Malformed::ForeignLink(place) => Cause::ForeignLink(quotable(&place, secrets)),
        })?;
        held.add(page.bytes_of_index()).await;
        Ok(page.holding(held))
    }
}

impl Form for Csv {
    type Made = Report;

    const MAY_BE_ELSEWHERE: bool = true;

    async fn make(self, body: Vec<u8>, held: Held, _: AnswerDate, _: &Exchange) -> Result<Report, Cause> {
        let (text, cleaned) = text::decode_plain(body).ok_or_else(no_text)?;
        Report::parse(text, cleaned, self.0, held).map_err(Cause::Malformed)
    }
}

fn no_text() -> Cause {
    Cause::Malformed("it is no text in UTF-8".to_owned())
}
