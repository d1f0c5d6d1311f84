//! `docs/troubleshooting.md`: what its headings quote is what the program says, and what the program says is explained there.

use std::{fs, path::Path};

use http::StatusCode;
use proc_macro2::{TokenStream, TokenTree};

use super::documents;
use crate::support::root;

/// The files whose sentences a user can meet when something goes wrong.
const FILES: &[&str] = &[
    "command/config.rs",
    "command/extract.rs",
    "command/files.rs",
    "command/mod.rs",
    "command/named.rs",
    "command/plan/mod.rs",
    "command/ready.rs",
    "config/contradictions.rs",
    "config/ids.rs",
    "config/misspelt.rs",
    "config/mod.rs",
    "config/problem.rs",
    "config/reader.rs",
    "console/log.rs",
    "emit/output.rs",
    "error/hint.rs",
    "error/mod.rs",
    "error/refused.rs",
    "graph/answer.rs",
    "graph/attempts.rs",
    "graph/auth/token.rs",
    "graph/client.rs",
    "graph/error.rs",
    "graph/exchange.rs",
    "graph/http.rs",
    "graph/link.rs",
    "graph/page/index.rs",
    "graph/pages.rs",
    "main.rs",
    "plan/mod.rs",
    "protocol/airbyte/catalog.rs",
    "protocol/airbyte/emitter.rs",
    "protocol/airbyte/state.rs",
    "protocol/lines.rs",
    "protocol/singer/catalog.rs",
    "protocol/singer/emitter.rs",
    "protocol/singer/state.rs",
    "read/begin.rs",
    "read/channel/delta.rs",
    "read/channel/shared.rs",
    "read/channel/thread.rs",
    "read/channel/walk.rs",
    "read/context.rs",
    "read/dispatch/known.rs",
    "read/dispatch/list.rs",
    "read/outcome.rs",
    "read/parents.rs",
    "read/dispatch/teams.rs",
    "state/begin.rs",
    "state/fields.rs",
    "state/given.rs",
    "state/mod.rs",
    "state/time.rs",
    "state/version_1.rs",
    "state/version_2.rs",
    "sync/ledger.rs",
    "sync/mod.rs",
];

/// Files whose sentences may be quoted, too: a check says much that needs no explanation.
const MAY_BE_QUOTED: &[&str] = &["check/patience.rs", "check/probe.rs", "check/words.rs", "level/mod.rs"];

/// A piece of a quotation is a whole part of a sentence of the program, at least this long, ...
const WHOLE: usize = 2;
/// ... or something out of one, at least this long.
const PIECE: usize = 12;
/// Shorter parts of sentences need not be explained: they join others.
const EXPLAINED: usize = 20;

/// Texts of those files that are no sentences about something that went wrong.
const NOT_TOLD: &[&str] = &[
    "When the message was deleted, or reported as removed: what targets with hard deletes look at.",
    "/adminconsent?client_id=",
    "missing role permissions",
];

/// The texts of a source file, tests and documentation left out, split where values are put in.
fn parts(source: &str) -> Vec<String> {
    fn collect(tokens: TokenStream, parts: &mut Vec<String>) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                        parts.extend(fixed(&text.value()));
                    }
                }
                // An attribute, as which documentation comments come too: only those of errors are told.
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    tokens.next_if(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '!'));
                    let is_untold =
                        |token: &TokenTree| matches!(token, TokenTree::Group(group) if !group.stream().to_string().starts_with("error"));
                    tokens.next_if(is_untold);
                }
                TokenTree::Group(group) => collect(group.stream(), parts),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    let without_tests = source.split("#[cfg(test)]").next().unwrap_or_default();
    collect(without_tests.parse().unwrap(), &mut found);
    found
}

/// The parts of a format between its placeholders.
fn fixed(format: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for char in format.chars() {
        match char {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                parts.push(String::new());
            }
            _ if depth <= 0 => parts.last_mut().unwrap().push(char),
            _ => {}
        }
    }
    parts.iter().map(|part| part.trim_matches(joint).to_owned()).filter(|part| !part.is_empty()).collect()
}

/// What stands between the parts of a sentence.
fn joint(char: char) -> bool {
    char.is_whitespace() || ",;:()`…".contains(char)
}

/// Whether a quotation is made of parts of the program's sentences.
fn is_said(quotation: &str, parts: &[String]) -> bool {
    let rest = quotation.trim_start_matches(joint);
    if rest.is_empty() {
        return true;
    }
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).filter(|&end| end > 0 && ends_a_word(rest, end));
    let mut ends: Vec<_> = ends.collect();
    ends.reverse();
    let is_piece = |piece: &str| {
        parts.iter().any(|part| part == piece && piece.len() >= WHOLE)
            || piece.len() >= PIECE && parts.iter().any(|part| part.contains(piece))
    };
    ends.into_iter().any(|end| is_piece(&rest[..end]) && is_said(&rest[end..], parts))
}

fn ends_a_word(text: &str, end: usize) -> bool {
    let is_word = |char: Option<char>| char.is_some_and(|char| char.is_alphanumeric() || char == '_');
    !(is_word(text[..end].chars().next_back()) && is_word(text[end..].chars().next()))
}

fn parts_of(files: &[&str]) -> Vec<(String, String)> {
    let of = |file: &&str| {
        let text = fs::read_to_string(root().join("src").join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        parts(&text).into_iter().map(|part| (part, (*file).to_owned())).collect::<Vec<_>>()
    };
    files.iter().flat_map(of).collect()
}

#[test]
fn every_sentence_that_troubleshooting_explains_is_one_that_the_program_says() {
    let files = [FILES, MAY_BE_QUOTED].concat();
    let mut said: Vec<_> = parts_of(&files).into_iter().map(|(part, _)| part).collect();
    let statuses = (300..600).filter_map(|status| StatusCode::from_u16(status).ok());
    said.extend(statuses.filter_map(|status| Some(format!("{} {}", status.as_u16(), status.canonical_reason()?))));
    let documents = documents();
    let document = &documents[Path::new("docs/troubleshooting.md")];
    let quoted: Vec<_> = document.headings.iter().flat_map(|heading| heading.code.iter().map(|code| (code, heading.line))).collect();
    assert!(quoted.len() > 40, "the headings quote");
    let unsaid: Vec<_> = quoted.iter().filter(|(quotation, _)| !is_said(quotation, &said)).collect();
    let lines: Vec<_> = unsaid.iter().map(|(quotation, line)| format!("{}: {quotation}", document.at(*line))).collect();
    assert!(lines.is_empty(), "the program does not say (any more):\n{}", lines.join("\n"));
}

#[test]
fn every_sentence_of_the_program_is_explained() {
    let text = fs::read_to_string(root().join("docs/troubleshooting.md")).unwrap();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_sentence = |part: &str| part.len() >= EXPLAINED && part.contains(' ') && !part.contains('%') && !NOT_TOLD.contains(&part);
    let missing = parts_of(FILES).into_iter().filter(|(part, _)| is_sentence(part) && !text.contains(part.as_str()));
    let lines: Vec<_> = missing.map(|(part, file)| format!("src/{file}: {part}")).collect();
    assert!(lines.is_empty(), "docs/troubleshooting.md does not explain what the program says:\n{}", lines.join("\n"));
}

#[test]
fn a_quotation_that_has_drifted_is_told_from_one_that_is_said() {
    let parts = parts(
        "/// Not \"this\".\nfn f() { g(\"cannot {task}: {source}\", \"list the {} of team {team}; \\\n hint: look at the id of it\"); }",
    );
    assert_eq!(parts, ["cannot", "list the", "of team", "hint: look at the id of it"]);
    assert!(is_said("cannot list the … of team …: …; hint: look at the id of it", &parts));
    assert!(!is_said("cannot list the … of team …; hint: look at the ids of it", &parts));
    assert!(!is_said("cannot list all … of team …", &parts));
}
