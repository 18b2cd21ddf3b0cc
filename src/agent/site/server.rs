//! The little HTTP/1.1 server under the site and the demo app: listens, takes connections within
//! limits, and ends in order when it is told to.

use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{ALLOW, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::body::{self, Body};
use super::timed::{Answering, Limits, Phase, Timed};

/// What answers a `GET` or `HEAD`; may read files, as it has a thread of its own meanwhile.
pub type Answer = dyn Fn(&Parts) -> Response<Body> + Send + Sync;

/// How long requests under way may take to end once the server is told to, and what each
/// connection may take.
const GRACE: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits {
    header: Duration::from_secs(10),
    idle: Duration::from_secs(60),
};

/// The most of a request that is kept in memory, bytes.
const MAX_HEADER: usize = 32 << 10;
const MAX_CONNECTIONS: u64 = 1000;
/// Of each connection: its socket, the file that it is sent, one to spare.
const FILES_PER_CONNECTION: u64 = 3;
const FILES_BESIDES: u64 = 64;

/// Writes one line to standard error; a log that is gone is no reason to stop serving.
pub fn log(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Serves `answer` on `port` until SIGTERM or SIGINT, and says in one line that it does.
///
/// # Errors
/// When the port is taken or not allowed.
pub fn run(port: u16, what: &str, answer: Arc<Answer>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(16)
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let server = Server::bind(port)?;
        log(format_args!("serving {what} on port {}", server.port));
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        server.serve(answer, LIMITS, stop).await;
        Ok(())
    });
    // A file system that hangs must not keep the process.
    runtime.shutdown_background();
    served
}

/// A server that listens.
#[derive(Debug)]
pub struct Server {
    v4: TcpListener,
    v6: Option<TcpListener>,
    /// The port that it listens on.
    pub port: u16,
}

impl Server {
    /// Listens on all addresses of this host; on IPv4 only where there is no IPv6. Port 0 is any
    /// free one.
    ///
    /// # Errors
    /// When the port is taken, on IPv4 or IPv6, or not allowed.
    pub fn bind(port: u16) -> io::Result<Self> {
        let says = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on port {port}: {error}"),
            )
        };
        let v4 = listen_v4(port).map_err(says)?;
        let bound = v4.local_addr()?.port();
        let v6 = match listen_v6(bound) {
            Ok(v6) => Some(v6),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port != 0 => {
                return Err(says(error));
            }
            Err(_) => None,
        };
        Ok(Self {
            v4,
            v6,
            port: bound,
        })
    }

    /// Answers until `stop` is ready, then takes no new connections and returns when the requests
    /// under way have ended, after 10 s at the latest.
    pub async fn serve(self, answer: Arc<Answer>, limits: Limits, stop: impl Future<Output = ()>) {
        let slots = Arc::new(Semaphore::new(connections()));
        let (stopping, stopped) = watch::channel(());
        let mut open = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let slot = tokio::select! {
                biased;
                () = &mut stop => break,
                slot = Arc::clone(&slots).acquire_owned() => slot,
            };
            let stream = tokio::select! {
                biased;
                () = &mut stop => break,
                stream = self.accept() => stream,
            };
            let (answer, stopped) = (Arc::clone(&answer), stopped.clone());
            open.spawn(async move {
                connection(stream, answer, limits, stopped).await;
                drop(slot);
            });
            while open.try_join_next().is_some() {}
        }
        drop(self);
        drop(stopping);
        let ended = async { while open.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            log(format_args!(
                "stopping with {} requests under way",
                open.len()
            ));
        }
    }

    /// The next connection. An error says nothing about the next one (accept(2)); out of files, a
    /// pause lets some be closed.
    async fn accept(&self) -> TcpStream {
        loop {
            let accepted = match &self.v6 {
                None => self.v4.accept().await,
                Some(v6) => tokio::select! {
                    accepted = self.v4.accept() => accepted,
                    accepted = v6.accept() => accepted,
                },
            };
            match accepted {
                Ok((stream, _)) => {
                    let _ = stream.set_nodelay(true);
                    return stream;
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log(format_args!("cannot take a connection: {error}"));
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }
}

fn listen_v4(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    socket.listen(1024)
}

/// IPv6 only: the IPv4 socket is another one.
fn listen_v6(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v6()?;
    socket.set_reuseaddr(true)?;
    rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    socket.bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))?;
    socket.listen(1024)
}

/// How many connections there may be at a time: as many as files can be open for, where the limit
/// (getrlimit(2)) is raised as far as that takes and is allowed.
fn connections() -> usize {
    let wanted = MAX_CONNECTIONS * FILES_PER_CONNECTION + FILES_BESIDES;
    let limit = getrlimit(Resource::Nofile);
    let mut files = limit.current.unwrap_or(wanted);
    if files < wanted {
        let raised = limit.maximum.unwrap_or(wanted).min(wanted);
        let asked = Rlimit {
            current: Some(raised),
            maximum: limit.maximum,
        };
        if raised > files && setrlimit(Resource::Nofile, asked).is_ok() {
            files = raised;
        }
    }
    let possible = files.saturating_sub(FILES_BESIDES) / FILES_PER_CONNECTION;
    usize::try_from(possible.clamp(1, MAX_CONNECTIONS)).unwrap_or(1)
}

/// Answers the requests of one connection. What breaks it is the visitor's affair.
async fn connection(
    stream: TcpStream,
    answer: Arc<Answer>,
    limits: Limits,
    mut stopped: watch::Receiver<()>,
) {
    let phase = Phase::default();
    let stream = TokioIo::new(Timed::new(stream, phase.clone(), limits));
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, answering) = (Arc::clone(&answer), phase.answering());
        async move {
            let body = respond(request, answer).await;
            Ok::<_, io::Error>(body.map(|body| Tracked {
                body,
                _answering: answering,
            }))
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEADER)
        .half_close(true)
        .serve_connection(stream, service);
    tokio::pin!(connection);
    // In this order: a request that has come is read before the connection is closed to more.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        _ = stopped.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond(request: Request<Incoming>, answer: Arc<Answer>) -> Response<Body> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = body::text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let (parts, _) = request.into_parts();
    match tokio::task::spawn_blocking(move || answer(&parts)).await {
        Ok(response) => response,
        Err(error) => {
            log(format_args!("cannot answer: {error}"));
            body::text(StatusCode::INTERNAL_SERVER_ERROR, "cannot answer\n")
        }
    }
}

/// A body that knows when it has been sent, or given up.
struct Tracked {
    body: Body,
    _answering: Answering,
}

impl hyper::body::Body for Tracked {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
