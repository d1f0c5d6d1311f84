//! A CSV report from Graph. Its columns are given the names that the properties have in JSON.

use csv::{Reader, StringRecord};

use super::{bodies::BufferPermit, text::Replacements};

/// A CSV table with a header.
#[derive(Debug)]
pub struct CsvReport {
    /// The text as received, without a byte order mark.
    text: String,
    names: Vec<String>,
    replacements: Replacements,
    permit: BufferPermit,
}

#[derive(Debug)]
pub struct Row<'r> {
    names: &'r [String],
    values: StringRecord,
}

impl CsvReport {
    /// Parses a table. It must have the `required` columns, because anything else, such as an HTML page, can also be parsed as CSV.
    pub(in crate::graph) fn parse(
        text: String,
        replacements: Replacements,
        required: &[&str],
        permit: BufferPermit,
    ) -> Result<Self, String> {
        let header = Reader::from_reader(text.as_bytes()).headers().cloned();
        let header = header.map_err(|_| "it is not a CSV table".to_owned())?;
        let names: Vec<_> = header.iter().map(property).collect();
        match required.iter().find(|required| !names.iter().any(|name| name == *required)) {
            Some(missing) => Err(format!("it is not a CSV table with a column `{missing}`")),
            None => Ok(Self { text, names, replacements, permit }),
        }
    }

    /// The rows. [`None`] stands for a row whose number of columns differs from the header.
    pub fn rows(&self) -> impl Iterator<Item = Option<Row<'_>>> {
        let rows = Reader::from_reader(self.text.as_bytes()).into_records();
        rows.map(|row| row.ok().map(|values| Row { names: &self.names, values }))
    }

    pub fn replacements(&self) -> Replacements {
        self.replacements
    }
}

impl Drop for CsvReport {
    fn drop(&mut self) {
        self.permit.recycle(std::mem::take(&mut self.text).into_bytes());
    }
}

impl Row<'_> {
    /// Names and values, in the order of the header.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }
}

/// The JSON name of a column: `Report Refresh Date` is `reportRefreshDate`, `Used iOS` is `usediOS`.
fn property(column: &str) -> String {
    let joined: String = column.chars().filter(|char| char.is_alphanumeric()).collect();
    let mut chars = joined.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::page::bodies::BodyBuffers;

    fn report(text: &str, required: &[&str]) -> Result<CsvReport, String> {
        CsvReport::parse(text.to_owned(), Replacements::default(), required, BodyBuffers::new().permit())
    }

    fn rows(text: &str) -> Vec<Option<Vec<(String, String)>>> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        report(text, &[]).unwrap().rows().map(|row| row.map(|row| row.fields().map(owned).collect())).collect()
    }

    #[test]
    fn columns_have_the_names_of_json_properties() {
        for (column, name) in
            [("Report Refresh Date", "reportRefreshDate"), ("Used iOS", "usediOS"), ("Ad Hoc (All)", "adHocAll"), ("", "")]
        {
            assert_eq!(property(column), name);
        }
    }

    #[test]
    fn a_row_with_too_few_or_too_many_columns_does_not_affect_the_others() {
        let row = |a: &str, b: &str| Some(vec![("a".to_owned(), a.to_owned()), ("bC".to_owned(), b.to_owned())]);
        assert_eq!(rows("A,B C\r\n1,\"2, \"\"x\"\"\n3\"\r\n\r\n4\r\n5,6,7\r\n8,"), [row("1", "2, \"x\"\n3"), None, None, row("8", "")]);
        assert_eq!(rows("A,B C\n1,\"2"), [row("1", "2")]);
        assert_eq!((rows("A,B C"), rows("")), (Vec::new(), Vec::new()));
    }

    #[test]
    fn text_without_a_required_column_is_not_a_report() {
        assert!(report("A,B\n", &["a", "b"]).is_ok());
        for text in ["", "\n", "A\n1", "<!DOCTYPE html>", "{\"error\":{}}"] {
            assert!(report(text, &["a", "b"]).unwrap_err().contains("with a column `"), "{text}");
        }
    }
}
