//! `ship host trust`.

use std::io::IsTerminal;

use clap::{Args, Subcommand};

use super::globals::Globals;
use super::session::{Session, connect_options};
use crate::model::event::Event;
use crate::model::{Failure, FailureKind, HostName};
use crate::pipeline;
use crate::transport::pins::Pins;
use crate::transport::ssh::host_keys::{self, HostKey};

/// Hosts and their keys
#[derive(Debug, Clone, Subcommand)]
pub enum HostCommand {
    Trust(TrustArgs),
}

/// Shows the fingerprints of a host's keys, and pins those that you vouch for
///
/// The host is asked by ssh itself, so that aliases, ports and jump hosts of ssh_config(5) count,
/// and only keys that it proves to have can be pinned.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// Host, as in the manifest
    #[arg(value_name = "HOST")]
    pub host: String,

    /// Pins the key with this fingerprint (SHA256:…) without asking, and no other; may be repeated
    #[arg(long, value_name = "FINGERPRINT")]
    pub fingerprint: Vec<String>,

    /// Forgets the keys that were pinned for the host before
    #[arg(long)]
    pub replace: bool,
}

/// Runs it; the exit code.
pub fn run(globals: &Globals, command: &HostCommand) -> u8 {
    let HostCommand::Trust(args) = command;
    let session = match Session::start(globals) {
        Ok(session) => session,
        Err(code) => return code,
    };
    let result = trust(&session, globals.json, args);
    session.done(result)
}

/// A key as `--json` prints it; `docs/events.md` has its fields.
fn object(session: &Session, host: &HostName, key: &HostKey, pinned: bool) {
    let fingerprint = &key.fingerprint;
    let object = serde_json::json!({ "host": host, "fingerprint": fingerprint, "pinned": pinned });
    session.reporter.json(&object);
}

fn trust(session: &Session, json: bool, args: &TrustArgs) -> Result<(), Failure> {
    let host = HostName::try_from(args.host.as_str())
        .map_err(|why| Failure::new(FailureKind::Usage, format!("host `{}` {why}", args.host)))?;
    let folder = session.folder();
    let options = connect_options(folder.clone(), true)?;
    let shown = session.block_on(host_keys::ask(&host, &options))?;
    let (keys, claimed): (Vec<HostKey>, Vec<HostKey>) =
        shown.into_iter().partition(|key| key.is_proven);
    for key in &keys {
        match json {
            true => object(session, &host, key, false),
            false => session.reporter.data(&format!("{}\n", key.described)),
        }
    }
    let mut pins = Pins::read(&folder)?;
    let other = session.block_on(pinned_otherwise(&pins, &keys))?;
    if !args.replace && !other.is_empty() {
        return Err(changed(&host, &other));
    }
    let vouched = match args.fingerprint.as_slice() {
        [] if !claimed.is_empty() => return Err(impostor(&host, &claimed)),
        [] => asked(session, &host, &keys)?,
        wanted => named(&host, wanted, &keys, &claimed)?,
    };
    let (pinned, left_out): (Vec<&HostKey>, Vec<&HostKey>) =
        keys.iter().partition(|key| vouched.contains(key));
    if args.replace {
        pinned.iter().for_each(|key| pins.forget(&key.line));
    }
    let lines: Vec<String> = pinned.iter().map(|key| key.line.clone()).collect();
    pins.add(&lines);
    pipeline::state_folder(&folder)?;
    pins.write()?;
    for key in left_out.into_iter().filter(|key| !pins.has(&key.line)) {
        say(session, format!("left out: {}", key.described));
    }
    for key in &claimed {
        let why = "the host did not prove that it has it";
        say(session, format!("left out: {}: {why}", key.described));
    }
    for key in pinned {
        if json {
            object(session, &host, key, true);
            continue;
        }
        let what = format!("pinned {} in {}\n", key.fingerprint, pins.path().display());
        session.reporter.data(&what);
    }
    const FILE: &str = ".ship/known_hosts";
    let tracked = pipeline::git::tracked(&folder, &[FILE]);
    if !json && tracked.is_some_and(|tracked| tracked.is_empty()) {
        let text = format!("commit {FILE}: then everybody who deploys knows the host");
        session.sink.emit(Event::Note { text });
    }
    Ok(())
}

/// The keys that are pinned for the host and that it did not show now.
async fn pinned_otherwise(pins: &Pins, keys: &[HostKey]) -> Result<Vec<HostKey>, Failure> {
    let Some(first) = keys.first() else {
        return Ok(Vec::new());
    };
    let pinned = HostKey::in_lines(&pins.same_name(&first.line), false).await?;
    let is_shown = |old: &HostKey| keys.iter().any(|key| key.fingerprint == old.fingerprint);
    Ok(pinned.into_iter().filter(|old| !is_shown(old)).collect())
}

fn changed(host: &HostName, other: &[HostKey]) -> Failure {
    let was = other.iter().map(|key| format!("pinned: {}", key.described));
    Failure::refused(format!(
        "{host} is pinned with another key than it shows; nothing was pinned"
    ))
    .details(was)
    .hint(format!(
        "somebody may be listening in; if the host was really reinstalled: ship host trust {host} --replace"
    ))
}

fn impostor(host: &HostName, claimed: &[HostKey]) -> Failure {
    let claims = claimed.iter().map(|key| key.described.clone());
    Failure::refused(format!(
        "{host} shows a key and does not prove that it has it; nothing was pinned"
    ))
    .details(claims)
    .hint("somebody may be listening in: whose key this is can be seen on the host's console")
}

/// The keys with the fingerprints that somebody vouches for.
fn named(
    host: &HostName,
    wanted: &[String],
    keys: &[HostKey],
    claimed: &[HostKey],
) -> Result<Vec<HostKey>, Failure> {
    let find = |wanted: &String| {
        let is_it = |key: &&HostKey| key.fingerprint == *wanted;
        match keys.iter().find(is_it) {
            Some(key) => Ok(key.clone()),
            None if claimed.iter().any(|key| is_it(&key)) => Err(impostor(host, claimed)),
            None => Err(Failure::refused(format!(
                "{host} has no key with the fingerprint {wanted}"
            ))
            .details(keys.iter().map(|key| key.described.clone()))),
        }
    };
    wanted.iter().map(find).collect()
}

/// Asks the person which keys are the host's, as ssh(1) does: `yes` is for all that were shown, and
/// a fingerprint is for its own key.
fn asked(session: &Session, host: &HostName, keys: &[HostKey]) -> Result<Vec<HostKey>, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(
            Failure::refused("nobody is here to compare the fingerprints")
                .hint(format!("ship host trust {host} --fingerprint SHA256:…")),
        );
    }
    let all = match keys.len() {
        1 => "yes, if it is what the console or provider of the host shows".to_owned(),
        n => format!("yes, if all {n} are what the console or provider of the host shows"),
    };
    let question = format!("is this {host}? ({all}; or the fingerprints that are; else no)");
    let answer = session.reporter.suspend(|| {
        dialoguer::Input::<String>::new()
            .with_prompt(question)
            .default("no".to_owned())
            .interact_text()
            .unwrap_or_default()
    });
    let words: Vec<String> = answer
        .split([' ', ','])
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    match words.as_slice() {
        [word] if word.eq_ignore_ascii_case("yes") => Ok(keys.to_vec()),
        [word, ..] if word.starts_with("SHA256:") => named(host, &words, keys, &[]),
        _ => Err(Failure::refused(format!(
            "{host} was not trusted; nothing was pinned"
        ))),
    }
}

fn say(session: &Session, text: String) {
    session.sink.emit(Event::Warning { text, hint: None });
}
