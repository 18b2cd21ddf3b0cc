//! Columns that line up.

use std::fmt;

/// A table: a row of heads, then rows, columns two spaces apart. Column width is counted in
/// characters; a line never ends in a space. A column that is empty in every row is left out.
#[derive(Debug, Clone)]
pub struct Table {
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    right: Vec<bool>,
}

/// A table with these heads.
#[must_use]
pub fn table<H: Into<String>>(heads: impl IntoIterator<Item = H>) -> Table {
    let heads: Vec<String> = heads.into_iter().map(Into::into).collect();
    Table {
        right: vec![false; heads.len()],
        heads,
        rows: Vec::new(),
    }
}

impl Table {
    /// Aligns a column (counted from 0) to the right, as numbers want it.
    #[must_use]
    pub fn right(mut self, column: usize) -> Self {
        if let Some(right) = self.right.get_mut(column) {
            *right = true;
        }
        self
    }

    /// Adds a row; missing cells are empty, cells beyond the heads are dropped.
    pub fn row<C: Into<String>>(&mut self, cells: impl IntoIterator<Item = C>) {
        let mut cells: Vec<String> = cells.into_iter().map(Into::into).collect();
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines: the heads first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let shown: Vec<usize> = (0..self.heads.len())
            .filter(|&column| self.rows.iter().any(|row| !row[column].is_empty()))
            .collect();
        let widths: Vec<usize> = shown
            .iter()
            .map(|&column| {
                std::iter::once(&self.heads)
                    .chain(&self.rows)
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        std::iter::once(&self.heads)
            .chain(&self.rows)
            .map(|row| {
                let mut line = String::new();
                for (&column, &width) in shown.iter().zip(&widths) {
                    let cell = &row[column];
                    if !line.is_empty() {
                        line.push_str("  ");
                    }
                    if self.right[column] {
                        line.push_str(&format!("{cell:>width$}"));
                    } else {
                        line.push_str(&format!("{cell:<width$}"));
                    }
                }
                line.truncate(line.trim_end().len());
                line
            })
            .collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines()
            .iter()
            .try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_line_up_and_no_line_ends_in_a_space() {
        let mut releases = table(["release", "size", "note", "state"]).right(1);
        releases.row(["v42", "1.2 MB", "", "good"]);
        releases.row(["v7", "48 kB", "", ""]);
        releases.row(["v8"]);
        assert_eq!(
            releases.to_string(),
            "release    size  state\n\
             v42      1.2 MB  good\n\
             v7        48 kB\n\
             v8\n"
        );
    }

    #[test]
    fn an_empty_first_cell_keeps_its_column() {
        let mut lines = table(["a", "b"]);
        lines.row(["", "x"]);
        lines.row(["long", "y"]);
        assert_eq!(lines.to_string(), "a     b\n      x\nlong  y\n");
    }
}
