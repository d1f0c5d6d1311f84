//! The table of figures, and its place in a document.

use std::{fs, path::Path, thread};

use chrono::Utc;

use crate::{Result, figure::Figure};

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- /figures -->";

const FOOTNOTE: &str = "\
*The limits' time*: the longest that one of Graph's documented limits makes of the least possible requests: all for messages at 20 a second, \
all for replies at 30, those of one team at 4, those of one channel at 1, each times the 83 % that Graph allows in the long run, and times \
what the limits are sped up by.

*The fair time* of two runs at once: the limits' time of all that both of them read.

*The least possible*: a token, a list of groups for every 999 teams, and for each team itself, its channels and its members; one request for \
the group without a team. For each channel, in a first run: a request for every 50 messages (at least one), one more where there are several \
pages, and for each thread with r > 200 replies the lesser of (r - 200) / 20 (the pages of the simulator behind what comes with the message) \
and r / 50 (the thread from its beginning), rounded up. For an idle channel in a second run: one of the walk and one of delta.
";

/// A figure as a line of the table.
pub(crate) fn line(figure: &Figure) -> String {
    let Figure { what, amount, goal, numbers } = figure;
    let goal = goal.map(|goal| format!("≤ {goal}")).unwrap_or_default();
    format!("| {what} | **{amount}** | {goal} | {numbers} |")
}

/// Puts the figures between the marks of the document.
pub(crate) fn write(path: &Path, figures: &[Figure], runs: u32) -> Result<()> {
    let document = fs::read_to_string(path)?;
    let (before, rest) = document.split_once(BEGIN).ok_or("the document has no mark where the figures begin")?;
    let (_, after) = rest.split_once(END).ok_or("the document has no mark where the figures end")?;
    let lines: String = figures.iter().map(|figure| line(figure) + "\n").collect();
    let head = format!("{}; median of {runs} runs where nothing else is said.", machine()?);
    let table = format!("{head}\n\n| what | figure | goal | behind it |\n|---|---|---|---|\n{lines}\n{FOOTNOTE}");
    Ok(fs::write(path, format!("{before}{BEGIN}{table}{END}{after}"))?)
}

/// When and where it was measured.
fn machine() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("").trim_start_matches([' ', '\t', ':']);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let cores = thread::available_parallelism()?;
    Ok(format!("Measured on {}, {model}, {cores} cores, Linux {}", Utc::now().format("%Y-%m-%d"), kernel.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Amount;

    #[test]
    fn what_stands_around_the_figures_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("performance.md");
        fs::write(&path, format!("before\n{BEGIN}old\n{END}\nafter\n")).unwrap();
        let figure =
            Figure { what: "x".to_owned(), amount: Amount::Ratio(1.0), goal: Some(Amount::Ratio(2.0)), numbers: "1 s / 1 s".to_owned() };
        write(&path, &[figure], 3).unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert!(
            written.starts_with("before\n<!-- figures -->\nMeasured on ") && written.ends_with("<!-- /figures -->\nafter\n"),
            "{written}"
        );
        assert!(written.contains("| x | **1.00 ×** | ≤ 2.00 × | 1 s / 1 s |\n") && !written.contains("old"), "{written}");
    }
}
