//! Prints Markdown tables.

/// Prints a table with left-aligned names and right-aligned numbers.
pub(crate) fn print(head: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].len());
        cells.chain([head[column].len()]).max().unwrap_or_default()
    };
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", width(column)),
            _ => format!("{cell:>0$}", width(column)),
        });
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
    };
    println!();
    line(&mut head.iter().copied());
    let rule = (0..head.len())
        .map(|column| if column == 0 { "-".repeat(width(0)) } else { "-".repeat(width(column) - 1) + ":" });
    println!("| {} |", rule.collect::<Vec<_>>().join(" | "));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
}
