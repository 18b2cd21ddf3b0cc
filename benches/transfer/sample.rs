//! What was measured.

/// One timed run.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// From the start of the command to its exit, seconds.
    pub seconds: f64,
    /// To the hosts, bytes on the wire.
    pub sent: u64,
    /// From the hosts, bytes on the wire.
    pub received: u64,
    /// Connections that the hosts' sshd let in.
    pub connections: u64,
}

/// The runs of one contender.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<Sample>);

impl Series {
    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Of each number the median; `None` without a run.
    pub fn median(&self) -> Option<Sample> {
        (!self.0.is_empty()).then(|| Sample {
            seconds: median(self.0.iter().map(|sample| sample.seconds)),
            sent: middle(self.0.iter().map(|sample| sample.sent)),
            received: middle(self.0.iter().map(|sample| sample.received)),
            connections: middle(self.0.iter().map(|sample| sample.connections)),
        })
    }

    /// The fastest run, seconds.
    pub fn fastest(&self) -> f64 {
        let seconds = self.0.iter().map(|sample| sample.seconds);
        seconds.fold(f64::INFINITY, f64::min)
    }
}

/// The median; of an even count, the mean of the middle two. NaN of nothing.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}

fn middle(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    values[values.len() / 2]
}
