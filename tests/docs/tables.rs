//! Tables of Markdown.

/// The cells of every row below a heading, up to the next heading of the same level or above; without the header and its rule.
///
/// # Panics
/// If there is no such heading.
pub fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let mut lines = text.lines().skip_while(|line| *line != heading).skip(1).peekable();
    assert!(lines.peek().is_some(), "no heading {heading}");
    let ends = |line: &&str| {
        let marks = line.chars().take_while(|c| *c == '#').count();
        (1..=level).contains(&marks) && line[marks..].starts_with(' ')
    };
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let table: Vec<Vec<String>> =
        lines.take_while(|line| !ends(line)).filter(|line| line.starts_with('|')).map(cells).collect();
    table.split(|row| row.iter().any(|cell| cell.starts_with("---"))).skip(1).flatten().cloned().collect()
}

/// What stands between the first pair of backticks.
pub fn code(cell: &str) -> Option<String> {
    cell.split('`').nth(1).map(str::to_owned)
}

#[test]
fn a_table_is_read_without_its_head() {
    let text = "# A\n| a | b |\n|---|---|\n| `x` | 1 |\n| `y` y | 2 |\n## B\n| c | d |\n|---|---|\n| `z` | 3 |\n# C\n| `w` | 4 |\n";
    let first = |heading| rows(text, heading).iter().map(|row| code(&row[0]).unwrap()).collect::<Vec<_>>();
    assert_eq!(first("## B"), ["z"]);
    assert_eq!(rows(text, "# A")[1], ["`y` y", "2"]);
}
