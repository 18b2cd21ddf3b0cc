//! A visitor who sends what the test says, byte by byte.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// What came back until the connection ended.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The header, as it came.
    pub head: String,
    pub bytes: Vec<u8>,
}

impl Response {
    pub fn body(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Reads an answer until the connection ends.
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let bytes = answer.split_off(end);
        let head = String::from_utf8(answer).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head,
            bytes,
        }
    }
}

/// A connection; each step of it within 20 s.
pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .set_write_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// One request on a connection of its own.
pub fn ask(port: u16, method: &str, path: &str, headers: &str) -> Response {
    let mut stream = connect(port);
    let request =
        format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    Response::read(&mut stream)
}
