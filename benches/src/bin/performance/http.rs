//! A minimal HTTP client for the simulator's control port. It keeps the bench small, because a child process inherits our peak memory.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde::de::DeserializeOwned;
use url::Url;

use crate::Result;

/// Sends a request and parses the response while it is read.
pub(crate) fn request<T: DeserializeOwned>(method: &str, url: &str, kind: &str, body: &str) -> Result<T> {
    let url = Url::parse(url)?;
    let (host, port) = url.host_str().zip(url.port()).ok_or("a URL without host and port")?;
    let mut stream = TcpStream::connect((host, port))?;
    let length = body.len();
    let path = url.path();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n")?;
    write!(stream, "Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let is_good = line.split(' ').nth(1) == Some("200");
    while line.trim_end() != "" {
        line.clear();
        answer.read_line(&mut line)?;
    }
    if !is_good {
        let mut text = String::new();
        answer.take(1000).read_to_string(&mut text)?;
        return Err(format!("{method} {path}: {text}").into());
    }
    Ok(serde_json::from_reader(answer)?)
}
