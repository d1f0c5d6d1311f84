//! Transport faults: bodies that end early or never, trickle or are huge, and connections that are reset or go silent.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Sleep,
};

/// What follows the first bytes of a body.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Nothing; the body is complete.
    Whole,
    /// The body ends before its content-length.
    Early,
    /// The connection is reset.
    Reset(Abort),
    /// The body never ends, and nothing more is sent.
    Never,
    /// The body never ends, and a space is sent after each period of this length.
    Trickle(Duration),
    /// `part` is sent `times` times, and then `last`.
    Repeat { part: Bytes, times: u32, last: Bytes },
}

impl Ending {
    /// Whether the response has a content-length.
    pub(crate) fn has_length(&self) -> bool {
        !matches!(self, Self::Trickle(_) | Self::Repeat { .. })
    }
}

/// An empty page with this many MiB of spaces: its first bytes and the rest.
pub(crate) fn huge(mebibytes: u32, gzip: bool) -> (Bytes, Ending) {
    let (first, spaces, last) = (b"{\"value\":[", vec![b' '; 1 << 20], b"]}");
    if !gzip {
        return (Bytes::from_static(first), Ending::Repeat { part: spaces.into(), times: mebibytes, last: Bytes::from_static(last) });
    }
    let mut crc = Crc::new();
    crc.update(first);
    let mut crc_of_spaces = Crc::new();
    crc_of_spaces.update(&spaces);
    (0..mebibytes).for_each(|_| crc.combine(&crc_of_spaces));
    crc.update(last);
    let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let trailer = [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat();
    let first = [&header, deflated(first, FlushCompress::Sync).as_slice()].concat();
    let last = [deflated(last, FlushCompress::Finish), trailer].concat();
    (first.into(), Ending::Repeat { part: deflated(&spaces, FlushCompress::Sync).into(), times: mebibytes, last: last.into() })
}

/// Compresses a part of a deflate stream that refers to nothing before it, so that parts can be combined freely.
fn deflated(part: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut out = Vec::with_capacity(part.len() / 100 + 64);
    // The buffer is large enough.
    let _ = Compress::new(Compression::best(), false).compress_vec(part, &mut out, flush);
    out
}

/// The body of a response, which may break.
#[derive(Debug)]
pub(crate) struct BodyStream {
    bytes: Option<Bytes>,
    ending: Ending,
    /// A broken body yields once before it breaks, so that its first bytes are sent.
    yielded: bool,
    /// The time until the next space is sent.
    pause: Option<Pin<Box<Sleep>>>,
}

impl BodyStream {
    pub(crate) fn new(bytes: Bytes, ending: Ending) -> BodyStream {
        BodyStream { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), ending, yielded: false, pause: None }
    }

    fn trickle(&mut self, context: &mut Context<'_>, after: Duration) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        pause.as_mut().poll(context).map(|()| {
            self.pause = None;
            Some(Ok(Frame::data(Bytes::from_static(b" "))))
        })
    }
}

impl Body for BodyStream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if !self.yielded && !matches!(self.ending, Ending::Whole) {
            self.yielded = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Ending::Trickle(after) = self.ending {
            return self.trickle(context, after);
        }
        match &mut self.ending {
            Ending::Repeat { part, times: times @ 1.., .. } => {
                *times -= 1;
                Poll::Ready(Some(Ok(Frame::data(part.clone()))))
            }
            Ending::Repeat { last, .. } if !last.is_empty() => Poll::Ready(Some(Ok(Frame::data(std::mem::take(last))))),
            Ending::Whole | Ending::Repeat { .. } => Poll::Ready(None),
            Ending::Early => Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof)))),
            Ending::Never | Ending::Trickle(_) => Poll::Pending,
            Ending::Reset(abort) => {
                abort.set();
                Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::ConnectionReset))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && matches!(self.ending, Ending::Whole)
    }

    fn size_hint(&self) -> SizeHint {
        match self.ending {
            Ending::Whole => SizeHint::with_exact(self.bytes.as_ref().map_or(0, Bytes::len) as u64),
            _ => SizeHint::new(),
        }
    }
}

/// Lets a request reset its connection or make it silent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Abort(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    is_reset: AtomicBool,
    is_silent: AtomicBool,
}

impl Abort {
    pub(crate) fn set(&self) {
        self.0.is_reset.store(true, Ordering::SeqCst);
    }

    /// From now on, nothing is read from the connection, and what is written to it is discarded.
    pub(crate) fn silence(&self) {
        self.0.is_silent.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.is_reset.load(Ordering::SeqCst)
    }

    fn is_silent(&self) -> bool {
        self.0.is_silent.load(Ordering::SeqCst)
    }
}

/// A connection that is closed with RST instead of FIN when it is aborted.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    abort: Abort,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> (Connection, Abort) {
        let abort = Abort::default();
        (Connection { stream, abort: abort.clone() }, abort)
    }

    fn check(&self) -> io::Result<()> {
        if self.abort.is_set() { Err(io::Error::from(io::ErrorKind::ConnectionReset)) } else { Ok(()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.abort.is_set() {
            // Discards unsent data and sends a RST.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        if self.abort.is_silent() {
            return Poll::Pending;
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.abort.is_silent() {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if self.abort.is_silent() {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
