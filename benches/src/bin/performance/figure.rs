//! Measured figures and their goals.

use std::fmt::{self, Display, Formatter};

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) figures: Vec<Figure>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) amount: Amount,
    /// The maximum that is acceptable.
    pub(crate) goal: Option<Amount>,
    /// The absolute numbers of the ratio.
    pub(crate) numbers: String,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Amount {
    Ratio(f64),
    /// Between 0 and 1; shown in percent.
    Share(f64),
    Bytes(u64),
    Milliseconds(f64),
}

impl Display for Amount {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(ratio) => write!(formatter, "{ratio:.2} ×"),
            Self::Share(share) => write!(formatter, "{:.2} %", share * 100.0),
            Self::Bytes(bytes) => write!(formatter, "{:.1} MB", *bytes as f64 / 1e6),
            Self::Milliseconds(millis) => write!(formatter, "{millis:.1} ms"),
        }
    }
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => middle(length / 2),
        length => f64::midpoint(middle(length / 2 - 1), middle(length / 2)),
    }
}

/// Formats 1234567 as 1,234,567.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_and_grouped() {
        assert_eq!([1_234_567, 12].map(grouped), ["1,234,567", "12"]);
        assert_eq!(Amount::Ratio(1.149).to_string(), "1.15 ×");
        assert_eq!(Amount::Share(0.0123).to_string(), "1.23 %");
        assert_eq!(Amount::Bytes(64_000_000).to_string(), "64.0 MB");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
