//! The loudest thing the program ever prints: a host needs a person (exit code 8).

use crate::model::event::{HostOutcome, Outcome};

use super::ending::{health, release};
use super::humanize::count;
use super::paint::Paint;
use super::story::Story;
use super::wrap::{padded, width, wrapped};

/// What the walls of the box and the space beside them take, columns.
const WALLS: usize = 6;

/// A box with the hosts and the commands to run by hand. Commands stand alone on their lines,
/// without walls, so that they can be copied.
pub(super) fn block(
    story: &Story,
    paint: Paint,
    columns: Option<usize>,
    outcome: Option<&Outcome>,
) -> Vec<String> {
    let rows: &[HostOutcome] = outcome.map_or(&[], |outcome| &outcome.hosts);
    let mut needy: Vec<&HostOutcome> = rows.iter().filter(|row| !row.by_hand.is_empty()).collect();
    if needy.is_empty() {
        needy.extend(rows.iter().filter(|row| row.healthy != Some(true)));
    }
    let place = match (&story.app, &story.environment) {
        (Some(app), Some(environment)) => format!("{app} on {environment}"),
        _ => "the app".to_owned(),
    };
    let where_ = match rows.len() {
        0 => place,
        all => format!("{place}: {} of {}", needy.len(), count(all as u64, "host")),
    };
    let text = format!("{where_} could not be brought to a release that serves");
    let inside = columns.map(|columns| columns.saturating_sub(WALLS));
    let mut head = vec!["A PERSON IS NEEDED".to_owned()];
    head.extend(wrapped(&text, inside, 0));
    let inner = head.iter().map(|line| width(line)).max().unwrap_or(0);
    let rule = "━".repeat(inner + 4);

    let mut lines = vec![paint.alarm(format!("┏{rule}┓"))];
    for line in &head {
        lines.push(paint.alarm(format!("┃  {}  ┃", padded(line, inner))));
    }
    lines.push(paint.alarm(format!("┣{rule}┫")));
    for row in needy {
        lines.push(String::new());
        let state = format!(
            "  {}: was {}, is {}, {}",
            paint.strong(story.name(&row.host)),
            release(row.was),
            release(row.is),
            match health(row) {
                "-" => "its health is not known",
                health => health,
            }
        );
        let why = row.why.iter().map(|why| format!("  {why}"));
        let prose = std::iter::once(state).chain(why);
        lines.extend(prose.flat_map(|text| wrapped(&text, columns, 4)));
        if row.by_hand.is_empty() {
            continue;
        }
        lines.push("  run by hand:".to_owned());
        lines.push(String::new());
        let commands = row.by_hand.iter().flat_map(|command| command.split('\n'));
        lines.extend(commands.map(|command| format!("    {command}")));
    }
    lines.push(String::new());
    lines.push(paint.alarm(format!("┗{rule}┛")));
    lines
}
