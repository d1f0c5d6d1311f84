//! The curl commands of README.md.

use std::{fs, net::TcpListener, sync::Arc};

use graph_sim::{GraphSim, Options, TenantSpec, control};

use crate::client::{RUNTIME, send};

#[test]
fn every_curl_command_succeeds_on_the_default_tenant() {
    let sim = Arc::new(GraphSim::start(Options::new(TenantSpec::uniform(4, 4, 100))).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    RUNTIME.spawn(control::serve(sim, listener));

    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let commands: Vec<_> = readme.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(!commands.is_empty());
    for command in commands {
        let (options, body) = command.split_once(" -d ").unwrap_or((command, ""));
        let words: Vec<_> = options.split(' ').collect();
        let method = words.iter().position(|word| *word == "-X").map_or("GET", |at| words[at + 1]);
        let url = words.last().unwrap().replace("127.0.0.1:8803", &address);
        let reply = send(method, &url, &[], body.trim_matches('\'')).unwrap();
        assert_eq!(reply.status, 200, "{command}: {}", reply.text());
    }
}
