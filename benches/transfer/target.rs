//! What `ship` has to reach.

use crate::runner::Outcome;
use crate::sample::Sample;

/// One number that `ship`'s median must not exceed.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// This part of the seconds of another contender.
    Seconds(&'static str, f64),
    /// So many bytes sent.
    Sent(u64),
    /// The bytes that another contender sent.
    SentBy(&'static str),
}

impl Target {
    /// What is wanted, for a person.
    pub fn text(self) -> String {
        match self {
            Self::Seconds("script", most) => format!("ratio <= {most}"),
            Self::Seconds(other, most) => format!("seconds / {other} <= {most}"),
            Self::Sent(most) => format!("sent <= {} kB", most / 1000),
            Self::SentBy(other) => format!("sent <= {other}"),
        }
    }

    /// What was found, and whether it is enough; `None` when a contender has no number.
    pub fn judge(self, outcome: &Outcome) -> Option<(String, bool)> {
        let of = |name: &str| -> Option<Sample> { outcome.series(name)?.median() };
        let ship = of("ship")?;
        Some(match self {
            Self::Seconds(other, most) => {
                let ratio = ship.seconds / of(other)?.seconds;
                (format!("{ratio:.3}"), ratio <= most)
            }
            Self::Sent(most) => (kilobytes(ship.sent), ship.sent <= most),
            Self::SentBy(other) => {
                let most = of(other)?.sent;
                let text = format!("{} of {}", kilobytes(ship.sent), kilobytes(most));
                (text, ship.sent <= most)
            }
        })
    }
}

fn kilobytes(bytes: u64) -> String {
    format!("{:.1} kB", bytes as f64 / 1000.0)
}
