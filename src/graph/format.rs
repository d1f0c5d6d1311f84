//! Parses response bodies according to the expected format.

use super::{
    Cause, CsvReport, Page, ResponseDate,
    exchange::Exchange,
    page::{
        bodies::BufferPermit,
        index::{Expected, Malformed},
        text,
    },
    response::quotable,
};

/// The expected format of a response.
pub(super) trait ResponseFormat: Copy {
    type Parsed;

    /// Whether Graph may redirect to a file instead of returning the body.
    const MAY_REDIRECT: bool;

    fn parse(
        self,
        body: Vec<u8>,
        permit: BufferPermit,
        date: ResponseDate,
        exchange: &Exchange,
    ) -> impl Future<Output = Result<Self::Parsed, Cause>> + Send;
}

/// A CSV table with at least these columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Csv(pub(super) &'static [&'static str]);

impl ResponseFormat for Expected {
    type Parsed = Page;

    const MAY_REDIRECT: bool = false;

    async fn parse(
        self,
        body: Vec<u8>,
        mut permit: BufferPermit,
        date: ResponseDate,
        Exchange { host, secrets, .. }: &Exchange,
    ) -> Result<Page, Cause> {
        let (text, replacements) = text::decode(body).ok_or_else(not_text)?;
        let page = Page::parse(text, replacements, self, host, secrets, date).map_err(|malformed| match malformed {
            Malformed::Body(text) => Cause::Malformed(text),
            Malformed::ForeignLink(place) => Cause::ForeignLink(quotable(&place, secrets)),
        })?;
        permit.add(page.bytes_of_index()).await;
        Ok(page.with_permit(permit))
    }
}

impl ResponseFormat for Csv {
    type Parsed = CsvReport;

    const MAY_REDIRECT: bool = true;

    async fn parse(self, body: Vec<u8>, permit: BufferPermit, _: ResponseDate, _: &Exchange) -> Result<CsvReport, Cause> {
        let (text, replacements) = text::decode_plain(body).ok_or_else(not_text)?;
        CsvReport::parse(text, replacements, self.0, permit).map_err(Cause::Malformed)
    }
}

fn not_text() -> Cause {
    Cause::Malformed("it is not UTF-8 text".to_owned())
}
