//! Hosts that have left the environment: nothing stops what serves there.

use super::context::Context;
use super::fleet::Fleet;
use crate::model::HostName;
use crate::model::event::Event;
use crate::wire::FleetMember;

/// The hosts of the last deploy, as the hosts and this machine remember them, that the manifest has
/// no more.
#[must_use]
pub fn gone(context: &Context, fleet: &Fleet) -> Vec<HostName> {
    let on_hosts = fleet.hosts.iter().flat_map(|host| host.facts.fleet.clone());
    let mut known: Vec<FleetMember> = on_hosts.chain(context.remembered_fleet()).collect();
    known.sort_by(|a, b| a.name.cmp(&b.name));
    known.dedup_by(|a, b| a.name == b.name);
    let is_here = |member: &FleetMember| {
        let mut names = context.fleet.iter();
        names.any(|name| name.short() == member.name.short())
    };
    known.retain(|member| !is_here(member));
    known.into_iter().map(|member| member.name).collect()
}

/// Names the hosts that have left.
pub fn warn(context: &Context, fleet: &Fleet) {
    let environment = &context.environment.name;
    for host in gone(context, fleet) {
        context.sink.emit(Event::Warning {
            text: format!(
                "{host} is not in `hosts` of {environment} any more, and goes on serving what was \
                 deployed there last"
            ),
            hint: Some(format!("ship remove {environment} --host {host}")),
        });
    }
}
