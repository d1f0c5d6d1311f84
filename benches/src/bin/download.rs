//! A bare download with the tap's HTTP client: bodies are read completely, but neither parsed nor written.
#![allow(clippy::print_stdout, reason = "the count is this program's output")]

use std::{
    error::Error,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use reqwest::{
    Client,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

/// Downloads each URL of a list once.
#[derive(Parser)]
struct Arguments {
    /// A file with one URL per line.
    urls: PathBuf,
    /// The bearer token.
    #[arg(long)]
    token: String,
    /// Maximum number of requests in flight.
    #[arg(long)]
    concurrency: usize,
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let Arguments { urls, token, concurrency } = Arguments::parse();
    let urls: Arc<Vec<String>> = Arc::new(fs::read_to_string(urls)?.lines().map(str::to_owned).collect());
    let client = client(&token)?;
    let requests = urls.len();
    // Like the tap: one thread per available core.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bytes = runtime.block_on(async {
        let next = Arc::new(AtomicUsize::new(0));
        let workers: Vec<_> = (0..concurrency).map(|_| tokio::spawn(work(client.clone(), urls.clone(), next.clone()))).collect();
        let mut bytes = 0;
        for worker in workers {
            bytes += worker.await??;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(bytes)
    })?;
    println!("{requests} requests, {bytes} bytes");
    Ok(())
}

fn client(token: &str) -> Result<Client, Box<dyn Error + Send + Sync>> {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let headers = HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("prefer"), HeaderValue::from_static("include-unknown-enum-members")),
        (AUTHORIZATION, HeaderValue::try_from(format!("Bearer {token}"))?),
    ]);
    let builder = Client::builder().default_headers(headers).redirect(Policy::none()).read_timeout(Duration::from_secs(100));
    Ok(builder.build()?)
}

/// Downloads URLs until the list is empty; returns the size of their bodies in bytes.
async fn work(client: Client, urls: Arc<Vec<String>>, next: Arc<AtomicUsize>) -> Result<u64, reqwest::Error> {
    let mut bytes = 0;
    while let Some(url) = urls.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut response = client.get(url).send().await?.error_for_status()?;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len() as u64;
        }
    }
    Ok(bytes)
}
