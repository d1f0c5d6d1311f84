//! Setups in which signing in fails.

use graph_sim::{Class, Fault, Rule};
use serde_json::{Value, json};

use super::{assert_snapshot, checked};
use crate::support::{everything, in_parallel, tenant};

#[test]
fn a_failed_sign_in_is_explained() {
    let id = "11111111-2222-3333-4444-555555555555";
    let cases: Vec<(&str, Value, Option<u32>)> = vec![
        ("a wrong secret", json!({"client_secret": "abc8Q~not-the-secret"}), None),
        ("the id of the secret instead of its value", json!({"client_secret": id}), None),
        ("a secret that has expired", json!({}), Some(7_000_222)),
        ("a misspelt tenant", json!({"tenant_id": "contosso.onmicrosoft.com"}), None),
        ("an unknown tenant id", json!({"tenant_id": id}), None),
        ("a tenant of another cloud", json!({"cloud": "us_gov"}), Some(900_382)),
        ("an application that is not in the tenant", json!({"client_id": id}), None),
        ("the name of the application instead of its id", json!({"client_id": "Teams extractor"}), None),
        ("tenant and application swapped", json!({"tenant_id": id, "client_id": "contoso.onmicrosoft.com"}), None),
        ("the same id twice", json!({"tenant_id": id, "client_id": id}), None),
        ("an application that is disabled", json!({}), Some(7_000_112)),
        ("Conditional Access", json!({}), Some(53003)),
    ];
    let outputs = in_parallel(cases, |(setup, settings, code)| {
        let sim = tenant(1, 1, 1);
        if let Some(code) = code {
            sim.inject(Rule::new(Fault::Aadsts(code)).class(Class::Token));
        }
        let mut all = everything();
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let output = checked(&sim, &all);
        assert_eq!((sim.count(Class::Token), sim.journal().graph_total()), (1, 0), "{setup}");
        assert!(output.contains("\nFAILED: cannot sign in: ") && output.contains("AADSTS"), "{setup}: {output}");
        (setup, output)
    });
    assert_snapshot("a_failed_sign_in_is_explained", &outputs);
}
