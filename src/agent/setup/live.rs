//! What `ship check ENV` finds live that another tool made.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::check::{bad, ok};
use crate::agent::adopt;
use crate::agent::host::Host;
use crate::agent::service::account;
use crate::wire::{Finding, Level};

/// What `current` leads to, where that is not of ship.
pub(super) fn live(host: &Host, findings: &mut Vec<Finding>) {
    const SUBJECT: &str = "live";
    let found = adopt::find(&host.layout);
    let adoptable = match found.and_then(|found| adopt::check(host).map(|()| found)) {
        Ok(None) => return,
        Ok(Some(foreign)) => foreign.shown(),
        Err(failure) => {
            let text = failure.message();
            let hint = failure.hint.unwrap_or_default();
            findings.push(bad(Level::Failure, SUBJECT, text, hint));
            return;
        }
    };
    findings.push(ok(
        SUBJECT,
        format!("{adoptable} was made by another tool; the next deploy adopts it"),
    ));
    not_the_apps(host, findings);
}

/// The services of the other tool may have run as another user, to whom `shared/` belongs.
fn not_the_apps(host: &Host, findings: &mut Vec<Finding>) {
    if !host.deployment.manager.is_system_wide() {
        return;
    }
    let user = &host.deployment.user;
    let Some(account) = account::by_name(user) else {
        return;
    };
    let shared = host.layout.shared();
    let entries = fs::read_dir(&shared).into_iter().flatten().flatten();
    let others: Vec<String> = entries
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.uid() != account.uid))
        .map(|entry| entry.file_name().display().to_string())
        .collect();
    if let Some(first) = others.first() {
        let more = match others.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        let shared = shared.display();
        let text = format!("{shared}/{first}{more} does not belong to {user}, as the services do");
        let hint = format!(
            "as root on the host: chown -R {user} {shared}, or set `user` of this environment to \
             the one that it belongs to"
        );
        findings.push(bad(Level::Warning, "shared", text, hint));
    }
}
