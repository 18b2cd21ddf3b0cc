//! The hooks of a release, with what they need of the environment of the services.

use super::guess::{Guess, HookGuess};

/// A hook has the environment of the release, not that of a service: what finds the packages is
/// said in its line.
pub(super) fn of(guess: &Guess) -> Vec<HookGuess> {
    const NEEDED: &[&str] = &["DJANGO_SETTINGS_MODULE", "PYTHONPATH"];
    let env = guess.services.first().map(|service| &service.env);
    let env = env
        .filter(|env| !env.is_empty())
        .unwrap_or(&guess.service_env);
    let paths: Vec<String> = env
        .iter()
        .filter(|(name, _)| NEEDED.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let with_paths = |hook: &HookGuess| {
        if paths.is_empty() || hook.each_host {
            return hook.clone();
        }
        let paths = paths.join(" ");
        HookGuess::once(if hook.run.contains([';', '&', '|']) {
            format!("export {paths}; {}", hook.run)
        } else {
            format!("{paths} {}", hook.run)
        })
    };
    guess.hooks.iter().map(with_paths).collect()
}
