//! Temporary faults, which the tap must handle by itself.

use graph_sim::{Fault, RetryAfter};

use crate::dice::Dice;

/// A fault for a short history. Unless `waits` is set, it is one after which the tap retries at once.
pub fn quick(dice: &mut Dice, waits: bool) -> (&'static str, Fault) {
    let at_once = |status| Fault::status(status).retry_after(RetryAfter::Seconds(0));
    match dice.within(0..=if waits { 8 } else { 3 }) {
        0 | 1 => ("429", Fault::throttled(RetryAfter::Seconds(0))),
        2 => ("503", at_once(503)),
        3 => ("empty page", Fault::EmptyPage),
        4 => ("502", at_once(502)),
        5 => ("reset", Fault::Reset),
        6 => ("reset in the body", Fault::ResetInBody),
        7 => ("truncated body", Fault::Truncate),
        _ => ("malformed body", Fault::MalformedJson),
    }
}

/// Whether the tap uses its own backoff after this fault.
pub fn makes_wait(fault: &Fault) -> bool {
    matches!(fault, Fault::Reset | Fault::ResetInBody | Fault::Truncate | Fault::MalformedJson)
}

/// A fault of any kind.
pub fn any(dice: &mut Dice) -> (&'static str, Fault) {
    match dice.within(0..=18) {
        0 => ("429 without Retry-After", Fault::throttled(RetryAfter::Absent)),
        1 => ("429, Retry-After in seconds", Fault::throttled(RetryAfter::Seconds(dice.within(0..=1)))),
        2 => ("429, Retry-After as a date", Fault::throttled(RetryAfter::Date(1))),
        3 => ("500", Fault::status(500)),
        4 => ("502", Fault::status(502)),
        5 => ("503", Fault::status(503).retry_after(RetryAfter::Seconds(1))),
        6 => ("504", Fault::status(504)),
        7 => ("401", Fault::status(401)),
        8 => ("reset", Fault::Reset),
        9 => ("reset in the body", Fault::ResetInBody),
        10 => ("truncated body", Fault::Truncate),
        11 => ("malformed body", Fault::MalformedJson),
        12 => ("damaged gzip", Fault::BrokenGzip),
        13 => ("HTML with 200", Fault::Html { status: 200 }),
        14 => ("HTML with 503", Fault::Html { status: 503 }),
        15 => ("no body", Fault::Empty { status: 200 }),
        16 => ("error in a 200", Fault::ErrorIn200),
        17 => ("delay", Fault::Delay(dice.within(50..=500))),
        _ => ("empty page", Fault::EmptyPage),
    }
}
