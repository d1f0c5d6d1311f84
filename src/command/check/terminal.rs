//! The report of a check on a terminal.

use std::io::{self, Write};

use console::{Style, colors_enabled};
use textwrap::core::display_width;
use tracing_subscriber::filter::LevelFilter;

use crate::{
    check::{Problem, Report, Status, StreamLine},
    command::terminal_text::{lines, width},
    secrets::Secrets,
};

/// Writes the report. Failed requests and their ids are written at the level DEBUG.
pub(super) fn write(report: &Report, level: LevelFilter, secrets: &Secrets, out: &mut impl Write) -> io::Result<()> {
    let page = Page { width: width(), has_colors: colors_enabled(), has_requests: level >= LevelFilter::DEBUG };
    out.write_all(secrets.hide(&page.text(report)).as_bytes())
}

/// How a report is laid out.
struct Page {
    width: usize,
    has_colors: bool,
    has_requests: bool,
}

impl Page {
    fn text(&self, report: &Report) -> String {
        let longest = report.streams.iter().map(|line| line.stream.len()).max().unwrap_or_default();
        let mut blocks = Vec::new();
        if !report.streams.is_empty() {
            blocks.push(report.streams.iter().map(|line| self.stream(line, longest)).collect());
            blocks.push(self.styled(Style::new().bold(), &report.verdict()) + "\n");
        }
        blocks.extend(report.problems.iter().map(|problem| self.problem(problem)));
        blocks.join("\n")
    }

    fn stream(&self, line: &StreamLine, longest: usize) -> String {
        let name = format!("{:longest$}", line.stream);
        if line.status == Status::NotConfigured {
            let text = self.paragraph(&format!("{} {name}  ", symbol(line.status)), &line.text);
            return self.styled(Style::new().dim(), &text);
        }
        self.paragraph(&format!("{} {name}  ", self.mark(line.status)), &line.text)
    }

    fn problem(&self, problem: &Problem) -> String {
        let streams = if problem.streams.is_empty() { String::new() } else { format!(" ({})", problem.streams.join(", ")) };
        let title = self.paragraph(&format!("{} ", self.mark(problem.status)), &format!("{}{streams}", problem.title));
        let advice = problem.advice.iter().map(|advice| self.paragraph("  ", advice));
        let requests = problem.requests.iter().filter(|_| self.has_requests).map(|request| self.paragraph("  ", request));
        [title].into_iter().chain(advice).chain(requests).collect()
    }

    /// Lines that are indented below the first one.
    fn paragraph(&self, head: &str, text: &str) -> String {
        lines(&text.replace('`', ""), head, &" ".repeat(display_width(head)), self.width) + "\n"
    }

    fn mark(&self, status: Status) -> String {
        let style = Style::new();
        let style = match status {
            Status::Works => style.green(),
            Status::Partly => style.yellow(),
            Status::Fails => style.red(),
            Status::NotConfigured => style.dim(),
        };
        self.styled(style, symbol(status))
    }

    fn styled(&self, style: Style, text: &str) -> String {
        style.force_styling(self.has_colors).apply_to(text).to_string()
    }
}

fn symbol(status: Status) -> &'static str {
    match status {
        Status::Works => "✓",
        Status::Partly => "!",
        Status::Fails => "✗",
        Status::NotConfigured => "–",
    }
}
