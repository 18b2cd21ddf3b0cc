//! Questions to a person.

use std::io::ErrorKind;

use crate::model::{Failure, FailureKind};

/// Says what is wrong with an answer.
pub(super) type Check<'a> = &'a dyn Fn(&str) -> Result<(), String>;

/// Somebody who answers.
pub(super) trait Ask {
    /// A line of text that `check` takes; with a `default`, an empty answer is the default.
    fn text(
        &mut self,
        prompt: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, Failure>;

    /// Yes or no; an empty answer is yes.
    fn confirm(&mut self, prompt: &str) -> Result<bool, Failure>;
}

/// A person at a terminal, asked on stderr.
pub(super) struct Terminal;

impl Ask for Terminal {
    fn text(
        &mut self,
        prompt: &str,
        default: Option<&str>,
        check: Check<'_>,
    ) -> Result<String, Failure> {
        let mut input = dialoguer::Input::<String>::new()
            .with_prompt(prompt)
            .validate_with(|text: &String| check(text));
        if let Some(default) = default {
            input = input
                .allow_empty(true)
                .default(default.to_owned())
                .show_default(!default.is_empty());
        }
        input.interact_text().map_err(broken_off)
    }

    fn confirm(&mut self, prompt: &str) -> Result<bool, Failure> {
        let question = dialoguer::Confirm::new().with_prompt(prompt).default(true);
        question.interact().map_err(broken_off)
    }
}

fn broken_off(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    match error.kind() {
        ErrorKind::Interrupted | ErrorKind::UnexpectedEof => {
            Failure::interrupted("interrupted; no ship.toml was written")
        }
        ErrorKind::NotConnected => {
            Failure::new(FailureKind::Usage, "there is no terminal to ask on")
                .hint("ship init --yes takes what is detected, and the flags")
        }
        _ => Failure::unexpected(format!("the terminal cannot be read: {error}")),
    }
}
