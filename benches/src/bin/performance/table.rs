//! Writes the table of figures into a document.

use std::{fs, path::Path, thread};

use chrono::Utc;

use crate::{Result, figure::Figure};

const BEGIN: &str = "<!-- figures -->\n";
const END: &str = "<!-- /figures -->";

const FOOTNOTE: &str = "\
*Limit time*: the shortest time in which Graph's documented limits allow the minimum number of requests. It is the longest of: all message \
requests at 20 a second, all reply requests at 30, the requests of one team at 4, and those of one channel at 1; each limit times the 83 % that \
Graph allows over a longer time, and times the speed-up.

*Fair time* of two concurrent runs: the limit time of everything that both of them read.

*Minimum requests*: a token; one list of groups for every 999 teams; three for each team (the team, its channels, its members); one for the \
group without a team. For each channel in a first run: one for every 50 messages (at least one), one more if there are several pages, and for \
each thread of r > 200 replies the smaller of (r - 200) / 20 and r / 50, rounded up. For an idle channel in a second run: two.
";

pub(crate) fn line(figure: &Figure) -> String {
    let Figure { what, amount, goal, numbers } = figure;
    let goal = goal.map(|goal| format!("≤ {goal}")).unwrap_or_default();
    format!("| {what} | **{amount}** | {goal} | {numbers} |")
}

/// Replaces the table between the markers of the document.
pub(crate) fn write(path: &Path, figures: &[Figure], runs: u32) -> Result<()> {
    let document = fs::read_to_string(path)?;
    let (before, rest) = document.split_once(BEGIN).ok_or("the document has no start marker")?;
    let (_, after) = rest.split_once(END).ok_or("the document has no end marker")?;
    let lines: String = figures.iter().map(|figure| line(figure) + "\n").collect();
    let head = format!("{}; median of {runs} runs unless stated otherwise.", machine()?);
    let table = format!("{head}\n\n| what | figure | goal | absolute numbers |\n|---|---|---|---|\n{lines}\n{FOOTNOTE}");
    Ok(fs::write(path, format!("{before}{BEGIN}{table}{END}{after}"))?)
}

/// The day and the machine of the measurement.
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
    fn the_text_around_the_table_is_kept() {
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
