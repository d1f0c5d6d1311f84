//! HTTPS with the throwaway CA (feature `tls`).

use std::{net::TcpStream, sync::Arc};

use graph_sim::{GraphSim, Options, TenantSpec, Tls};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};

/// Returns the protocol that ALPN negotiates.
fn handshake(tls: Tls) -> Result<String, String> {
    let sim = GraphSim::start(Options { tls, ..Options::new(TenantSpec::empty()) }).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sim.ca_pem().unwrap().as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let mut config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let address = sim.graph_url().strip_prefix("https://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from("127.0.0.1").unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream.conn.complete_io(&mut stream.sock).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(stream.conn.alpn_protocol().unwrap_or_default()).into_owned())
}

#[test]
fn tls_offers_http2() {
    assert_eq!(handshake(Tls::On), Ok("h2".to_owned()));
}

#[test]
fn the_certificate_can_be_expired() {
    let error = handshake(Tls::Expired).unwrap_err();
    assert!(error.contains("expired"), "{error}");
}

#[test]
fn the_certificate_can_be_for_another_host() {
    let error = handshake(Tls::OtherName).unwrap_err();
    assert!(error.contains("not valid for name"), "{error}");
}
