//! A report of Graph: a table in CSV with a header. Its columns have the names that Graph gives the same properties in JSON.

use csv::{Reader, StringRecord};

use super::{bodies::Held, text::Cleaned};

/// A report: the text as received, without a byte order mark.
#[derive(Debug)]
pub struct Report {
    text: String,
    names: Vec<String>,
    cleaned: Cleaned,
    held: Held,
}

/// A row of a report.
#[derive(Debug)]
pub struct Row<'r> {
    names: &'r [String],
    values: StringRecord,
}

impl Report {
    /// Takes a table that has these columns at least: what has none of them, such as a page for people, is no report.
    pub(in crate::graph) fn parse(text: String, cleaned: Cleaned, needed: &[&str], held: Held) -> Result<Self, String> {
        let header = Reader::from_reader(text.as_bytes()).headers().cloned();
        let header = header.map_err(|_| "it is no table in CSV".to_owned())?;
        let names: Vec<_> = header.iter().map(property).collect();
        match needed.iter().find(|needed| !names.iter().any(|name| name == *needed)) {
            Some(missing) => Err(format!("it is no table in CSV with a column `{missing}` in its header")),
            None => Ok(Self { text, names, cleaned, held }),
        }
    }

    /// Its rows; [`None`] for one that has other columns than the header.
    pub fn rows(&self) -> impl Iterator<Item = Option<Row<'_>>> {
        let rows = Reader::from_reader(self.text.as_bytes()).into_records();
        rows.map(|row| row.ok().map(|values| Row { names: &self.names, values }))
    }

    /// What was changed in its text.
    pub fn cleaned(&self) -> Cleaned {
        self.cleaned
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        self.held.give_back(std::mem::take(&mut self.text).into_bytes());
    }
}

impl Row<'_> {
    /// Names and texts, in the order of the header.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }
}

/// What a column of a header is called in JSON: `Report Refresh Date` is `reportRefreshDate`, `Used iOS` is `usediOS`.
fn property(column: &str) -> String {
    let joined: String = column.chars().filter(|char| char.is_alphanumeric()).collect();
    let mut chars = joined.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::page::bodies::Bodies;

    fn report(text: &str, needed: &[&str]) -> Result<Report, String> {
        Report::parse(text.to_owned(), Cleaned::default(), needed, Bodies::new().hold())
    }

    fn rows(text: &str) -> Vec<Option<Vec<(String, String)>>> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        report(text, &[]).unwrap().rows().map(|row| row.map(|row| row.fields().map(owned).collect())).collect()
    }

    #[test]
    fn columns_are_called_as_in_json() {
        for (column, name) in
            [("Report Refresh Date", "reportRefreshDate"), ("Used iOS", "usediOS"), ("Ad Hoc (All)", "adHocAll"), ("", "")]
        {
            assert_eq!(property(column), name);
        }
    }

    #[test]
    fn a_row_with_other_columns_than_the_header_is_broken_and_the_others_are_not() {
        let of = |a: &str, b: &str| Some(vec![("a".to_owned(), a.to_owned()), ("bC".to_owned(), b.to_owned())]);
        assert_eq!(rows("A,B C\r\n1,\"2, \"\"x\"\"\n3\"\r\n\r\n4\r\n5,6,7\r\n8,"), [of("1", "2, \"x\"\n3"), None, None, of("8", "")]);
        assert_eq!(rows("A,B C\n1,\"2"), [of("1", "2")]);
        assert_eq!((rows("A,B C"), rows("")), (Vec::new(), Vec::new()));
    }

    #[test]
    fn what_lacks_a_column_that_is_needed_is_no_report() {
        assert!(report("A,B\n", &["a", "b"]).is_ok());
        for text in ["", "\n", "A\n1", "<!DOCTYPE html>", "{\"error\":{}}"] {
            assert!(report(text, &["a", "b"]).unwrap_err().contains("with a column `"), "{text}");
        }
    }
}
