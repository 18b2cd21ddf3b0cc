//! Signals on their way to a command.

use futures_util::future::select_all;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Sender;

use super::local::{self, LocalTerminal};
use crate::cli::exit;
use crate::model::FailureKind;
use crate::rollout::exec::Input;
use crate::rollout::stop::Stop;
use crate::wire::ExecSignal;

/// How often a person asks a command to end before its host is left to do so.
const WISHES: u32 = 3;

/// Hears signals for as long as this program runs: those that end it go to the command once it runs
/// there, and the size of `terminal` does.
pub async fn pass_on(stop: Stop, commands: Vec<Sender<Input>>, terminal: Option<LocalTerminal>) {
    let is_at_terminal = terminal.is_some();
    let heard = [
        (SignalKind::interrupt(), Heard::Pass(ExecSignal::Interrupt)),
        (SignalKind::terminate(), Heard::Pass(ExecSignal::Terminate)),
        (SignalKind::hangup(), Heard::Pass(ExecSignal::Hangup)),
        (SignalKind::quit(), Heard::Pass(ExecSignal::Quit)),
        (SignalKind::user_defined1(), Heard::Pass(ExecSignal::User1)),
        (SignalKind::user_defined2(), Heard::Pass(ExecSignal::User2)),
        (SignalKind::window_change(), Heard::Size),
        (SignalKind::from_raw(libc::SIGCONT), Heard::Continue),
    ];
    let heard = heard.into_iter().filter_map(|(kind, meaning)| {
        let signal = signal(kind).ok()?;
        Some((signal, kind, meaning))
    });
    let mut heard: Vec<(Signal, SignalKind, Heard)> = heard.collect();
    let mut wishes = 0;
    loop {
        let next = heard.iter_mut().map(|(signal, kind, meaning)| {
            Box::pin(async move {
                signal.recv().await;
                (*kind, *meaning)
            })
        });
        let ((kind, meaning), _, _) = select_all(next).await;
        match meaning {
            Heard::Size | Heard::Continue if !is_at_terminal => {}
            Heard::Size => tell(&commands, || Input::Size(LocalTerminal::size())),
            Heard::Continue => {
                let _ = local::again();
                tell(&commands, || Input::Size(LocalTerminal::size()));
            }
            Heard::Pass(signal) => {
                let is_wish = !matches!(signal, ExecSignal::User1 | ExecSignal::User2);
                wishes += u32::from(is_wish);
                let is_over = commands.iter().all(Sender::is_closed);
                if is_wish && (is_over || wishes > WISHES) {
                    local::restore();
                    std::process::exit(match is_over {
                        true => 128 + kind.as_raw_value(),
                        false => i32::from(exit::code(FailureKind::Interrupted)),
                    });
                }
                // Heard while there is a connection to be made, this ends it; later it does not
                // matter.
                stop.ask();
                tell(&commands, || Input::Signal(signal));
            }
        }
    }
}

/// What a signal means.
#[derive(Debug, Clone, Copy)]
enum Heard {
    /// The command gets it.
    Pass(ExecSignal),
    /// The terminal has another size.
    Size,
    /// This program was stopped, and goes on.
    Continue,
}

/// Tells every command that still runs, behind the input that is on its way.
fn tell(commands: &[Sender<Input>], what: impl Fn() -> Input) {
    for command in commands {
        let (command, what) = (command.clone(), what());
        tokio::spawn(async move { command.send(what).await });
    }
}
