//! Listeners: one task per listener and one per connection.

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
use crate::journal::Host;

/// Whether a listener uses TLS.
#[derive(Clone)]
pub(crate) enum Security {
    Plain,
    #[cfg(feature = "tls")]
    Tls(tokio_rustls::TlsAcceptor),
}

/// Serves a host until the runtime ends. Must be called inside the runtime.
pub(crate) fn listen(listener: std::net::TcpListener, host: Host, shared: Arc<Shared>, security: Security) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(connection(stream, host, shared.clone(), security.clone()))),
                // Out of file descriptors: wait until other connections are closed.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            }
        }
    });
    Ok(())
}

async fn connection(stream: TcpStream, host: Host, shared: Arc<Shared>, security: Security) {
    let _ = stream.set_nodelay(true);
    let (stream, abort) = Connection::new(stream);
    match security {
        Security::Plain => serve(stream, host, shared, abort).await,
        #[cfg(feature = "tls")]
        Security::Tls(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                serve(stream, host, shared, abort).await;
            }
        }
    }
}

/// Serves HTTP/1.1 or HTTP/2, as the client requests.
async fn serve<S>(stream: S, host: Host, shared: Arc<Shared>, abort: Abort)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let (shared, abort) = (shared.clone(), abort.clone());
        async move { shared.handle(host, request, abort).await }
    });
    // Disconnected clients and injected resets are not errors.
    let mut builder = Builder::new(TokioExecutor::new());
    // The `Date` header comes from the simulated clock.
    builder.http1().auto_date_header(false);
    builder.http2().auto_date_header(false);
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}
