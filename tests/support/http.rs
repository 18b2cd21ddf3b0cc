//! An HTTP request as a visitor of the app makes it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub body: String,
}

/// One `GET` on a connection of its own; 5 seconds for each step. Errors are those
/// of the socket, and `InvalidData` for an answer that is no HTTP.
pub fn get(ip: Ipv4Addr, port: u16, path: &str) -> io::Result<Response> {
    get_within(TIMEOUT, ip, port, path)
}

/// [`get`] with so much time for each step.
///
/// # Errors
/// As [`get`].
pub fn get_within(timeout: Duration, ip: Ipv4Addr, port: u16, path: &str) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((ip, port)), timeout)?;
    stream.set_read_timeout(Some(timeout))?;
    stream.set_write_timeout(Some(timeout))?;
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    // In one piece, as clients send it.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {ip}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    answer(stream)
}

/// One `POST` of `body` as this media type; times and errors as [`get`].
///
/// # Errors
/// As [`get`].
pub fn post(ip: Ipv4Addr, port: u16, path: &str, media: &str, body: &str) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((ip, port)), TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {ip}:{port}\r\nContent-Type: {media}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    answer(stream)
}

fn answer(mut stream: TcpStream) -> io::Result<Response> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, answer.into_owned()))
}

fn parse(answer: &str) -> Option<Response> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head
        .strip_prefix("HTTP/1.")?
        .split_ascii_whitespace()
        .nth(1)?;
    Some(Response {
        status: status.parse().ok()?,
        body: body.to_owned(),
    })
}
