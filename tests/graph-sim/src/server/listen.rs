//! Listeners: one task each, one task a connection.

use std::{io, sync::Arc};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use super::{
    pipeline::Shared,
    transport::{Abort, Connection},
};
use crate::journal::Door;

/// How a listener speaks.
#[derive(Clone)]
pub(crate) enum Security {
    Plain,
    #[cfg(feature = "tls")]
    Tls(tokio_rustls::TlsAcceptor),
}

/// Serves a door until the runtime ends. Must be called within it.
pub(crate) fn listen(listener: std::net::TcpListener, door: Door, shared: Arc<Shared>, security: Security) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(connection(stream, door, shared.clone(), security.clone()))),
                // Out of file descriptors: others will be closed.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    });
    Ok(())
}

async fn connection(stream: TcpStream, door: Door, shared: Arc<Shared>, security: Security) {
    let _ = stream.set_nodelay(true);
    let (stream, abort) = Connection::new(stream);
    match security {
        Security::Plain => serve(stream, door, shared, abort).await,
        #[cfg(feature = "tls")]
        Security::Tls(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, door, shared, abort).await;
            }
        }
    }
}

/// HTTP/1.1 or HTTP/2, whatever the client begins with.
async fn serve<S>(stream: S, door: Door, shared: Arc<Shared>, abort: Abort)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let (shared, abort) = (shared.clone(), abort.clone());
        async move { shared.handle(door, request, abort).await }
    });
    // A client that goes away and an ordered reset are no errors here.
    let mut builder = Builder::new(TokioExecutor::new());
    // The date is the simulated clock's, or none.
    builder.http1().auto_date_header(false);
    builder.http2().auto_date_header(false);
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
