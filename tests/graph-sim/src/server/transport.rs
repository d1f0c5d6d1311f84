//! Connections and bodies that can break: a body that ends early or never, a connection that is reset.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How a body ends.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Whole,
    /// Without the rest that the content-length promised.
    Early,
    /// With a reset of the connection.
    Reset(Abort),
    /// Not at all.
    Never,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct AnswerStream {
    bytes: Option<Bytes>,
    ending: Ending,
    /// A broken body yields once before it breaks, so that what came is sent.
    yielded: bool,
}

impl AnswerStream {
    pub(crate) fn new(bytes: Bytes, ending: Ending) -> AnswerStream {
        AnswerStream { bytes: Some(bytes).filter(|bytes| !bytes.is_empty()), ending, yielded: false }
    }
}

impl Body for AnswerStream {
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
        match &self.ending {
            Ending::Whole => Poll::Ready(None),
            Ending::Early => Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::UnexpectedEof)))),
            Ending::Never => Poll::Pending,
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

/// Resets a connection from within an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Abort(Arc<AtomicBool>);

impl Abort {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A connection that ends with RST instead of FIN once it is aborted.
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
            // Unsent data is thrown away and the peer gets a RST.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
