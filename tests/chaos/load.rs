//! Visitors: every host is asked all the time, from outside.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::app::PORT;
use crate::support::{Host, get_within};

/// The pause between two questions.
const INTERVAL: Duration = Duration::from_millis(40);

/// A visitor waits no longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What one visitor got.
#[derive(Clone, Debug)]
pub struct Answer {
    pub asked: Instant,
    pub ended: Instant,
    /// The version that answered, or why none did.
    pub version: Result<String, String>,
}

/// The visitors of one host.
pub struct Load {
    answers: Arc<Mutex<Vec<Answer>>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// What the visitors of a host got in a while.
#[derive(Clone, Debug, Default)]
pub struct Service {
    pub failed: usize,
    /// The longest time without a good answer.
    pub longest: Duration,
    /// The versions that answered, in their order.
    pub versions: Vec<String>,
}

impl Load {
    pub fn on(host: &Host) -> Self {
        let (answers, done) = (Arc::<Mutex<Vec<Answer>>>::default(), Arc::default());
        let addr = host.addr();
        let thread = {
            let (answers, done) = (Arc::clone(&answers), Arc::clone(&done));
            thread::spawn(move || visit(addr, &answers, &done))
        };
        Self {
            answers,
            done,
            thread: Some(thread),
        }
    }

    /// What visitors get since `from`.
    pub fn since(&self, from: Instant) -> Service {
        let answers = self.answers.lock().expect("the answers");
        let answers = answers.iter().filter(|answer| answer.asked >= from);
        let mut service = Service::default();
        let mut good = from;
        for answer in answers {
            service.longest = service.longest.max(answer.ended - good);
            match &answer.version {
                Ok(version) => {
                    good = answer.ended;
                    if service.versions.last() != Some(version) {
                        service.versions.push(version.clone());
                    }
                }
                Err(_) => service.failed += 1,
            }
        }
        service
    }

    /// When this version first answered a question that was asked after `from`.
    pub fn first(&self, version: &str, from: Instant) -> Option<Instant> {
        let answers = self.answers.lock().expect("the answers");
        let mut late = answers.iter().filter(|answer| answer.asked >= from);
        late.find(|answer| answer.version.as_deref() == Ok(version))
            .map(|answer| answer.ended)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn visit(addr: Ipv4Addr, answers: &Mutex<Vec<Answer>>, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let version = ask_within(PATIENCE, addr);
        let answer = Answer {
            asked,
            ended: Instant::now(),
            version,
        };
        answers.lock().expect("the answers").push(answer);
        thread::sleep(INTERVAL);
    }
}

/// The version that answers, or why none does; asked by who judges, and not in a hurry.
pub fn ask(addr: Ipv4Addr) -> Result<String, String> {
    ask_within(Duration::from_secs(10), addr)
}

fn ask_within(patience: Duration, addr: Ipv4Addr) -> Result<String, String> {
    match get_within(patience, addr, PORT, "/") {
        // A process that is killed between its head and its body has not answered.
        Ok(response) if response.body.is_empty() => Err("half an answer".to_owned()),
        Ok(response) if response.status == 200 => Ok(response.body.trim().to_owned()),
        Ok(response) => Err(format!("status {}", response.status)),
        Err(error) => Err(error.kind().to_string()),
    }
}
