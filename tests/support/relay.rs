//! A long way to a host: a TCP relay that delays every byte and drops none.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Listens on a port of 127.0.0.1 until it is dropped, and then cuts the
/// connections it carries.
pub struct Relay {
    addr: SocketAddr,
    closed: Arc<AtomicBool>,
    carried: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    /// Forwards to `target`; what is sent arrives `one_way` later, in both
    /// directions, at any rate.
    pub fn start(target: SocketAddr, one_way: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("listen on loopback");
        let relay = Self {
            addr: listener.local_addr().expect("the relay's address"),
            closed: Arc::default(),
            carried: Arc::default(),
        };
        let (closed, carried) = (relay.closed.clone(), relay.carried.clone());
        thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(far) = TcpStream::connect(target) {
                    let both = [near.try_clone(), far.try_clone()];
                    let mut carried = carried.lock().expect("the relay's connections");
                    carried.extend(both.into_iter().flatten());
                    drop(carried);
                    carry(near, far, one_way);
                }
            }
        });
        relay
    }

    pub fn port(&self) -> u16 {
        self.addr.port()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is closed.
        let _ = TcpStream::connect(self.addr);
        for stream in self.carried.lock().expect("the relay's connections").iter() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Both directions of a connection, each with a reader and a writer.
fn carry(near: TcpStream, far: TcpStream, one_way: Duration) {
    for stream in [&near, &far] {
        let _ = stream.set_nodelay(true);
    }
    let back = (far.try_clone(), near.try_clone());
    delay(near, far, one_way);
    if let (Ok(from), Ok(to)) = back {
        delay(from, to, one_way);
    }
}

fn delay(mut from: TcpStream, mut to: TcpStream, one_way: Duration) {
    let (queue, due) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        // An empty message is the end of the stream, and takes as long as any.
        loop {
            let read = from.read(&mut buffer).unwrap_or(0);
            let message = (Instant::now() + one_way, buffer[..read].to_vec());
            if queue.send(message).is_err() || read == 0 {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (when, bytes) in due {
            thread::sleep(when.saturating_duration_since(Instant::now()));
            if bytes.is_empty() || to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
