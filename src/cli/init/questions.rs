//! What `ship init` asks a person, because no file says it.

use std::path::Path;

use super::ask::Ask;
use super::typed;
use crate::model::{AppName, Failure, FailureKind, HostName};
use crate::project::detect::{self, Detected};

pub(super) fn name(ask: &mut dyn Ask, detected: &Detected) -> Result<AppName, Failure> {
    let check = |text: &str| {
        AppName::try_from(text)
            .map(drop)
            .map_err(|why| why.to_string())
    };
    let text = ask.text("name of the app", Some(detected.name.as_str()), &check)?;
    AppName::try_from(text).map_err(|why| Failure::new(FailureKind::Usage, why.to_string()))
}

/// Asks for what runs when nothing was seen, and for a port when a web service has none.
pub(super) fn service(
    ask: &mut dyn Ask,
    dir: &Path,
    detected: &mut Detected,
) -> Result<(), Failure> {
    if detected.services.is_empty() {
        let is_built = !detected.build.run.is_empty();
        let check = |text: &str| typed::check(dir, text, is_built);
        let command = ask.text("command that runs it (in its folder)", None, &check)?;
        *detected = detect::detect_running(dir, command.trim());
        typed::settle(dir, command.trim(), detected);
    }
    if let [service] = detected.services.as_mut_slice()
        && service.port.is_none()
        && service.static_dir.is_none()
    {
        service.port = port(ask)?;
        if let Some(port) = service.port {
            service.name = "web".to_owned();
            detected
                .notes
                .retain(|note| !note.starts_with("no port was found"));
            let command = service.command.as_deref().unwrap_or_default();
            detected.notes.extend(typed::about_port(command, port));
        }
    }
    Ok(())
}

fn port(ask: &mut dyn Ask) -> Result<Option<u16>, Failure> {
    let check = |text: &str| match text.trim().parse::<u16>() {
        _ if text.trim().is_empty() => Ok(()),
        Ok(port) if port > 0 => Ok(()),
        _ => Err("is not a port number: expected 1 to 65535".to_owned()),
    };
    let text = ask.text("port that it listens on (empty: none)", Some(""), &check)?;
    Ok(text.trim().parse().ok())
}

pub(super) fn hosts(ask: &mut dyn Ask) -> Result<Vec<HostName>, Failure> {
    let split = |text: &str| -> Result<Vec<HostName>, String> {
        text.split([',', ' '])
            .map(str::trim)
            .filter(|host| !host.is_empty())
            .map(|host| HostName::try_from(host).map_err(|why| format!("`{host}` {why}")))
            .collect()
    };
    let check = |text: &str| split(text).map(drop);
    let prompt = "hosts, such as deploy@web1.example.com (empty: later)";
    let mut hosts = split(&ask.text(prompt, Some(""), &check)?).unwrap_or_default();
    let mut seen = std::collections::BTreeSet::new();
    hosts.retain(|host| seen.insert(host.clone()));
    Ok(hosts)
}
