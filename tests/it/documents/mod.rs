//! The documents: the executable accepts every JSON block, every command runs, every relative link has a target, every message that
//! troubleshooting.md quotes exists in the program, and the output in setup.md is that of `check`.

mod commands;
mod json;
mod links;
mod outputs;
mod sentences;

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::support::root;

/// The folders with documents, in addition to the root.
const FOLDERS: &[&str] = &["docs", "examples", "fuzz", "tests"];

/// The languages of code blocks, and what checks them.
const LANGUAGES: &[(&str, &str)] = &[
    ("", "outputs.rs: outputs of check; pictures: nothing"),
    ("json", "json.rs"),
    ("python", "tests/consumers/airbyte runs PyAirbyte, tests/consumers/readers/lakes.py Delta and Iceberg; nobody runs these very lines"),
    ("rust", "nobody: examples are for reading"),
    ("sh", "commands.rs"),
    ("sql", "tests/consumers/warehouse runs those of docs/streams.md; those of docs/migration.md are about tables of other connectors"),
    ("yaml", "tests/consumers/meltano runs the project in examples/meltano; nobody runs these very lines"),
];

struct Document {
    /// Relative to the root of the repository.
    path: PathBuf,
    blocks: Vec<Block>,
    /// Inline code.
    code: Vec<Place<String>>,
    /// The targets of its links and pictures, as written.
    links: Vec<Place<String>>,
    /// The texts of its headings, without marks.
    headings: Vec<String>,
}

struct Block {
    language: String,
    text: String,
    line: usize,
}

/// A value with its line number.
struct Place<T>(T, usize);

impl Document {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(root().join(&path)).unwrap();
        let mut document = Self { path, blocks: Vec::new(), code: Vec::new(), links: Vec::new(), headings: Vec::new() };
        let line = |at: &Range<usize>| text[..at.start].matches('\n').count() + 1;
        let (mut block, mut heading): (Option<Block>, Option<String>) = (None, None);
        for (event, at) in Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = if let CodeBlockKind::Fenced(language) = kind { language.to_string() } else { String::new() };
                    block = Some(Block { language, text: String::new(), line: line(&at) });
                }
                Event::End(TagEnd::CodeBlock) => document.blocks.extend(block.take()),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => document.headings.extend(heading.take()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(Place(dest_url.to_string(), line(&at)));
                }
                Event::Text(reported) => {
                    if let Some(block) = &mut block {
                        block.text += &reported;
                    } else if let Some(heading) = &mut heading {
                        *heading += &reported;
                    }
                }
                Event::Code(reported) => {
                    if let Some(heading) = &mut heading {
                        *heading += &reported;
                    } else {
                        document.code.push(Place(reported.to_string(), line(&at)));
                    }
                }
                _ => {}
            }
        }
        document
    }

    fn blocks<'d>(&'d self, language: &'static str) -> impl Iterator<Item = &'d Block> {
        self.blocks.iter().filter(move |block| block.language == language)
    }

    /// The position of a line, for messages.
    fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }
}

/// All documents of the repository by path.
fn documents() -> BTreeMap<PathBuf, Document> {
    fn collect(folder: &Path, deep: bool, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            } else if deep && entry.file_type().unwrap().is_dir() {
                collect(&path, true, found);
            }
        }
    }
    let mut found = Vec::new();
    collect(Path::new(""), false, &mut found);
    FOLDERS.iter().for_each(|folder| collect(Path::new(folder), true, &mut found));
    found.into_iter().map(|path| (path.clone(), Document::read(path))).collect()
}

#[test]
fn every_code_block_has_a_checked_language() {
    for document in documents().values() {
        for block in &document.blocks {
            let known = LANGUAGES.iter().any(|(language, _)| *language == block.language);
            assert!(
                known,
                "{}: a block in `{}`: write `sh` for commands, or add the language and who looks at it to LANGUAGES",
                document.at(block.line),
                block.language
            );
        }
    }
}
