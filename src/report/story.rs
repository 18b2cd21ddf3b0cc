//! What the stream has told so far and later sentences need.

use crate::model::HostName;
use crate::model::event::{Diagnosis, Event, HostEvent};

use super::untrusted::{Colours, line};

/// The command, its hosts and what was found on them.
#[derive(Debug, Default)]
pub(super) struct Story {
    /// `deploy`, `rollback`…
    pub command: Option<String>,
    /// The app's name.
    pub app: Option<String>,
    /// The environment's name.
    pub environment: Option<String>,
    hosts: Vec<HostName>,
    /// In the order of their arrival.
    pub diagnoses: Vec<(HostName, Diagnosis)>,
    /// Whether it was said that the release is live already.
    pub unchanged: bool,
}

impl Story {
    /// Remembers what matters later.
    pub fn hear(&mut self, event: &Event) {
        match event {
            Event::Started {
                command,
                app,
                environment,
                hosts,
                ..
            } => {
                self.command = Some(command.clone());
                self.app = Some(app.to_string());
                self.environment = Some(environment.to_string());
                self.hosts.clone_from(hosts);
            }
            Event::Host {
                host,
                what: HostEvent::Unproven { diagnosis },
            } => self.diagnoses.push((host.clone(), diagnosis.clone())),
            Event::Unchanged { .. } => self.unchanged = true,
            _ => {}
        }
    }

    /// The hosts of the command.
    pub fn hosts(&self) -> &[HostName] {
        &self.hosts
    }

    /// What a person calls the host: without its user, unless that is what tells two apart.
    pub fn name(&self, host: &HostName) -> String {
        let twins = self.hosts.iter().filter(|h| h.short() == host.short());
        let name = if twins.count() > 1 {
            host.as_str()
        } else {
            host.short()
        };
        line(name, Colours::Strip)
    }

    /// What a line about this host begins with: nothing where there is only the one.
    pub fn prefix(&self, host: &HostName) -> String {
        match self.hosts.as_slice() {
            [only] if only == host => String::new(),
            _ => format!("{}: ", self.name(host)),
        }
    }
}
