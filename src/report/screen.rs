//! The lines that are drawn over again while something goes on.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use super::humanize::elapsed;
use super::output::Output;
use super::paint::Paint;
use super::progress::{Item, Key, Progress};
use super::story::Story;
use super::untrusted::{Colours, line};
use super::wrap::{cut, padded, width};

/// The fewest columns that the name of a host is given.
const LEAST_NAME: usize = 8;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// A line per item of [`Progress`], cut to the width of the terminal.
pub(super) struct Screen {
    bars: MultiProgress,
    shown: HashMap<Key, ProgressBar>,
    style: ProgressStyle,
    paint: Paint,
    terminal: Terminal,
}

impl Screen {
    /// A screen of `width` columns; `None` asks the terminal each time.
    pub fn new(output: Arc<dyn Output>, paint: Paint, width: Option<u16>) -> Self {
        let terminal = Terminal { output, width };
        let drawn = Box::new(terminal.clone());
        let target = ProgressDrawTarget::term_like_with_hz(drawn, 20);
        Self {
            bars: MultiProgress::with_draw_target(target),
            shown: HashMap::new(),
            style: ProgressStyle::with_template("{wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
            paint,
            terminal,
        }
    }

    /// What has to step aside for lines that stay.
    pub fn bars(&self) -> MultiProgress {
        self.bars.clone()
    }

    /// Draws what goes on at `now` (ms).
    pub fn show(&mut self, now: u64, progress: &Progress, story: &Story) {
        let items = progress.items();
        let bars = &self.bars;
        self.shown.retain(|key, bar| {
            let goes_on = items.iter().any(|item| item.key == *key);
            if !goes_on {
                bar.finish_and_clear();
                bars.remove(bar);
            }
            goes_on
        });
        let hosts: Vec<String> = items
            .iter()
            .filter_map(|item| match &item.key {
                Key::Host(host) => Some(story.name(host)),
                _ => None,
            })
            .collect();
        let widest = hosts.iter().map(|name| width(name)).max().unwrap_or(0);
        // Steps and waits above the hosts: they come first, and there are few.
        let (below, above): (Vec<&Item>, Vec<&Item>) = items
            .iter()
            .partition(|item| matches!(item.key, Key::Host(_)));
        for (at, item) in above.into_iter().chain(below).enumerate() {
            let text = self.line(now, item, story, widest);
            let bar = self.shown.entry(item.key.clone()).or_insert_with(|| {
                let bar = ProgressBar::no_length().with_style(self.style.clone());
                self.bars.insert(at, bar)
            });
            if bar.message() != text {
                bar.set_message(text);
            }
        }
    }

    /// Takes everything off the screen.
    pub fn clear(&mut self) {
        for (_, bar) in self.shown.drain() {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        // What cannot be cleared is on a terminal that is gone.
        let _ = self.bars.clear();
    }

    /// The line of `item`, which takes no more than the terminal has: what was last seen gives way
    /// first, then the subject; how long it takes stays.
    fn line(&self, now: u64, item: &Item, story: &Story, widest: usize) -> String {
        let frame = usize::try_from(now / 100 % 10).unwrap_or(0);
        let mark = if item.busy { SPINNER[frame] } else { "·" };
        let time = item.busy.then(|| elapsed(now.saturating_sub(item.since)));
        let time_takes = time.as_deref().map_or(0, |time| 2 + width(time));
        let columns = usize::from(self.terminal.width());
        let room = columns.saturating_sub(width(mark) + 1 + time_takes);
        let subject = match &item.key {
            Key::Step(phase, name) => format!("{:<5}  {name}", phase.as_str()),
            Key::Wait(text) => text.clone(),
            Key::Host(host) => {
                // Where there is not room for both, what is being done says more.
                let most = room.saturating_sub(width(&item.doing) + 2).max(LEAST_NAME);
                let name = cut(&story.name(host), most);
                format!("{}  {}", padded(&name, widest.min(most)), item.doing)
            }
        };
        let subject = cut(&subject, room);
        let room = room - width(&subject);
        let time = time.map_or_else(String::new, |time| format!("  {}", self.paint.faint(time)));
        // Colours of others end at the edge of their own line only if it is not cut off.
        let seen = line(&item.seen, Colours::Strip).replace('\t', " ");
        // Two columns for what stands before it, and no less than a word.
        let seen = match (&item.key, cut(seen.trim(), room.saturating_sub(2)).as_str()) {
            (_, "" | "…") => String::new(),
            (Key::Step(..), seen) => format!("  {}", self.paint.faint(seen)),
            (_, seen) => format!(": {seen}"),
        };
        match item.key {
            Key::Step(..) => format!("{mark} {subject}{time}{seen}"),
            _ => format!("{mark} {subject}{seen}{time}"),
        }
    }
}

/// The terminal as indicatif wants it, through the one place where bytes leave the program.
#[derive(Clone)]
struct Terminal {
    output: Arc<dyn Output>,
    width: Option<u16>,
}

impl Terminal {
    fn csi(&self, n: usize, end: char) -> io::Result<()> {
        if n > 0 {
            self.output.draw(format!("\x1b[{n}{end}").as_bytes());
        }
        Ok(())
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Terminal")
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        let asked = || match self.output.size().0 {
            0 => 80,
            columns => columns,
        };
        self.width.unwrap_or_else(asked)
    }

    fn height(&self) -> u16 {
        match self.output.size().1 {
            0 => 24,
            rows => rows,
        }
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.csi(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.csi(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.csi(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.csi(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.output.draw(format!("{s}\n").as_bytes());
        Ok(())
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.output.draw(s.as_bytes());
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.output.draw(b"\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}
