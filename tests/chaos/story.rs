//! What a deploy told by `--json`, while it runs and when it has ended.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::point::Point;
use crate::support::{Run, Running};

/// How long a point is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A deploy that goes on.
pub struct Story {
    pub deploy: Running,
}

/// What a deploy had said when it ended.
pub struct Told {
    pub events: Vec<Value>,
    pub run: Run,
}

impl Story {
    pub fn of(deploy: Running) -> Self {
        Self { deploy }
    }

    /// Waits for a point on a host; false when the deploy ended without it.
    pub fn reaches(&self, point: Point, host: &str) -> bool {
        let deadline = Instant::now() + PATIENCE;
        if point == Point::Spawned {
            return true;
        }
        loop {
            let ended = self.deploy.has_ended();
            let (said, _) = self.deploy.output();
            if events(&said).iter().any(|event| point.is(event, host)) {
                return true;
            }
            if ended || Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits for its end.
    pub fn end(self) -> Told {
        let run = self.deploy.wait();
        Told {
            events: events(&run.stdout),
            run,
        }
    }
}

impl Told {
    /// The exit code; `None` when a signal ended it.
    pub fn exit(&self) -> Option<i32> {
        self.run.status.code()
    }

    /// The number that the release got.
    pub fn release(&self) -> Option<u64> {
        let numbered = self.events.iter().find(|e| e["event"] == "numbered");
        numbered.and_then(|event| event["release"].as_u64())
    }

    /// Whether it said that this happened on the host.
    pub fn has(&self, what: &str, host: &str) -> bool {
        self.events
            .iter()
            .any(|event| event["what"] == what && event["host"] == host)
    }

    /// Commands for a person, of all hosts.
    pub fn by_hand(&self) -> usize {
        let hosts = self.outcome()["hosts"].as_array().cloned();
        let commands = hosts.unwrap_or_default().into_iter();
        commands
            .filter_map(|host| Some(host["by_hand"].as_array()?.len()))
            .sum()
    }

    /// The row of a host in the table at the end.
    pub fn row(&self, host: &str) -> Option<&Value> {
        let rows = self.outcome()["hosts"].as_array()?;
        rows.iter().find(|row| row["host"] == host)
    }

    /// The sentence of the failure; empty when there is none.
    pub fn failure(&self) -> &str {
        let last = self.events.last();
        last.and_then(|event| event["failure"]["message"].as_str())
            .unwrap_or_default()
    }

    fn outcome(&self) -> &Value {
        let last = self.events.last();
        last.map_or(&Value::Null, |event| &event["outcome"])
    }
}

/// The events in what was said so far; half a line is not one yet.
fn events(said: &str) -> Vec<Value> {
    let lines = said.split_inclusive('\n').filter(|l| l.ends_with('\n'));
    lines.filter_map(|l| serde_json::from_str(l).ok()).collect()
}
