//! The control API.

use std::{net::TcpListener, sync::Arc};

use graph_sim::{GraphSim, Options, TenantSpec, control};
use serde_json::{Value, json};

use crate::client::{RUNTIME, send};

fn request(url: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
    let reply = send(method, &format!("{url}{path}"), &[], &body.to_string()).unwrap();
    (reply.status, reply.json())
}

#[test]
fn the_control_api_has_the_functions_of_the_handle() {
    let sim = Arc::new(GraphSim::start(Options::new(TenantSpec::uniform(1, 1, 2)).manual_clock()).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    RUNTIME.spawn(control::serve(sim.clone(), listener));

    let (_, tree) = request(&url, "GET", "/tree", Value::Null);
    let channel = tree[0]["channels"][0]["id"].clone();
    assert_eq!((&tree[0]["channels"][0]["roots"], tree[0]["channels"][0]["long_threads"].as_array().unwrap().len()), (&json!(2), 1));
    let (status, posted) =
        request(&url, "POST", "/changes", json!({ "op": "post", "channel": channel, "text": "hi", "time": "2024-11-25T07:00:00Z" }));
    assert_eq!((status, &posted["message"]["id"]), (200, &json!(1_732_518_000_000_u64)));
    for change in [
        json!({ "op": "reply", "message": posted["message"], "html": "<p>x</p>" }),
        json!({ "op": "react", "message": posted["message"], "kind": "like" }),
        json!({ "op": "post_corpus", "channel": channel }),
        json!({ "op": "block_channel", "channel": channel, "block": null }),
        json!({ "op": "expire_links" }),
    ] {
        assert_eq!(request(&url, "POST", "/changes", change.clone()).0, 200, "{change}");
    }
    let (status, refused) = request(&url, "POST", "/changes", json!({ "op": "delete_channel", "channel": "19:none" }));
    assert_eq!((status, &refused["error"]), (400, &json!("there is no channel 19:none")));

    let truth = send("GET", &format!("{url}/truth"), &[], "").unwrap().text();
    assert!(truth.contains(r#""content":"hi""#) && truth.contains(r"broken \ud83d emoji"));

    let (_, switches) = request(&url, "POST", "/switches", json!({ "paging": "offset", "delta": { "shuffle": true } }));
    assert_eq!(
        (&switches["paging"], &switches["delta"]["shuffle"], &switches["delta"]["page"]),
        (&json!("offset"), &json!(true), &json!(20))
    );
    assert_eq!(request(&url, "POST", "/switches", json!({ "no_such": 1 })).0, 400);
    let rule = json!({ "fault": { "graph": { "status": 503, "code": "x", "message": "y", "retry_after": { "seconds": 3 } } }, "class": "token", "times": 1 });
    assert_eq!(request(&url, "POST", "/faults", rule).0, 200);
    let token = send("POST", &format!("{}/x/oauth2/v2.0/token", sim.login_url()), &[], "").unwrap();
    assert_eq!((token.status, token.header("retry-after")), (503, "3"));
    assert_eq!(request(&url, "GET", "/journal", Value::Null).1["entries"][0]["status"], 503);
    assert_eq!(request(&url, "POST", "/clock", json!({ "advance": 1.5 })).1["now"], "2024-11-25T08:00:01.5Z");
    for (path, body) in [
        ("/limits", json!({ "per_channel": 2, "sustained": { "seconds": 30 } })),
        ("/limits", Value::Null),
        ("/roles", json!(["Group.Read.All"])),
        ("/latency", json!("none")),
    ] {
        assert_eq!(request(&url, "POST", path, body).0, 200, "{path}");
    }
    assert_eq!(request(&url, "DELETE", "/zebras", Value::Null).0, 400);
}
