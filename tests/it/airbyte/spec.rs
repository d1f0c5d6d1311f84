//! The specification: limits of forms, platforms and linters.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Tap, config, everything, tenant};

fn spec() -> Value {
    Tap::new(&json!({})).spec().only("SPEC")["spec"].clone()
}

fn walk(schema: &Value, path: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        walk(property, &format!("{path}.{name}"), visit);
    }
    for option in schema["oneOf"].as_array().into_iter().flatten() {
        walk(option, &format!("{path}|"), visit);
    }
}

#[test]
fn the_spec_needs_no_files_and_has_a_supported_protocol_version() {
    let output = Tap::new(&json!({})).run_with(&["spec"], &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
    assert_eq!((output.status, output.messages.len()), (Some(0), 1));
    let spec = spec();
    assert_eq!(spec, serde_json::from_str::<Value>(include_str!("../../../spec.json")).unwrap());
    assert!(spec.get("protocol_version").is_none_or(|version| version.as_str().unwrap() <= "0.3.0"));
    assert!(spec["documentationUrl"].as_str().unwrap().starts_with("https://"));
    assert_eq!(spec["connectionSpecification"]["additionalProperties"], true);
}

#[test]
fn the_spec_has_only_what_a_form_can_show() {
    walk(&spec()["connectionSpecification"], "", &mut |path, schema| {
        let forbidden = ["$ref", "anyOf", "allOf", "not", "if", "then", "else", "patternProperties", "prefixItems", "dependentRequired"];
        for keyword in forbidden {
            assert!(schema.get(keyword).is_none(), "{path}: {keyword}");
        }
        assert!(schema["type"].is_string(), "{path}: {}", schema["type"]);
        assert_ne!(schema["additionalProperties"], false, "{path}");
        if schema["type"] == "object" {
            assert!(
                schema["properties"].as_object().is_some_and(|properties| !properties.is_empty()) || schema["oneOf"].is_array(),
                "{path}"
            );
        }
        let orders: Vec<_> =
            schema["properties"].as_object().into_iter().flatten().map(|(_, property)| property["order"].as_u64().unwrap()).collect();
        assert_eq!(orders.iter().collect::<HashSet<_>>().len(), orders.len(), "{path}: {orders:?}");
        if let Some(choices) = schema["enum"].as_array() {
            assert_eq!(choices.iter().map(Value::to_string).collect::<HashSet<_>>().len(), choices.len(), "{path}");
        }
    });
}

#[test]
fn every_alternative_has_one_constant() {
    walk(&spec()["connectionSpecification"], "", &mut |path, schema| {
        let Some(options) = schema["oneOf"].as_array() else { return };
        assert_eq!(schema["type"], "object", "{path}");
        let constants: Vec<Vec<(&String, &Value)>> = options
            .iter()
            .map(|option| {
                let properties = option["properties"].as_object().unwrap();
                properties.iter().filter_map(|(name, property)| Some((name, property.get("const")?))).collect()
            })
            .collect();
        for (option, constants_of_it) in options.iter().zip(&constants) {
            let [(name, _)] = constants_of_it.as_slice() else { panic!("{path}: {constants_of_it:?}") };
            assert!(option["required"].as_array().unwrap().contains(&json!(name)), "{path}");
            assert_eq!(*name, constants[0][0].0, "{path}");
        }
        let values: HashSet<_> = constants.iter().map(|constants| constants[0].1.to_string()).collect();
        assert_eq!(values.len(), options.len(), "{path}");
    });
}

#[test]
fn only_secrets_are_marked_as_secret() {
    let secret = ["client_secret", "refresh_token", "certificate", "private_key"];
    let mut found = Vec::new();
    walk(&spec()["connectionSpecification"], "", &mut |path, schema| {
        let name = path.rsplit('.').next().unwrap();
        let looks_secret =
            secret.contains(&name) || ["_token", "_secret", "password", "api_key", "private_key"].iter().any(|end| name.ends_with(end));
        assert_eq!(schema.get("airbyte_secret") == Some(&json!(true)), looks_secret, "{path}");
        found.extend(looks_secret.then(|| path.to_owned()));
    });
    assert_eq!(found, [".client_secret"]);
}

#[test]
fn a_working_configuration_matches_the_spec() {
    let sim = tenant(1, 1, 1);
    let mut settings = everything();
    for (name, value) in
        [("start_date", json!("2026-01-01")), ("top", json!(20)), ("stream_options", json!({"messages": {"top": 5}})), ("foo", json!(1))]
    {
        settings[name] = value;
    }
    let config = config(&sim, settings);
    let specification = spec()["connectionSpecification"].clone();
    let validator = jsonschema::draft7::options().should_validate_formats(true).build(&specification).unwrap();
    assert!(validator.is_valid(&config), "{:?}", validator.iter_errors(&config).next());
    assert_eq!(Tap::new(&config).check().verdict().0, "SUCCEEDED");
    for (name, wrong) in
        [("top", json!(0)), ("cloud", json!("mars")), ("fetch_all_teams", json!("perhaps")), ("client_secret", json!(null))]
    {
        let mut wrong_config = config.clone();
        wrong_config[name] = wrong;
        assert!(!validator.is_valid(&wrong_config), "{name}");
    }
}

#[test]
fn unknown_keys_are_accepted() {
    let sim = tenant(1, 1, 1);
    let mut settings = everything();
    settings
        .as_object_mut()
        .unwrap()
        .extend(json!({"__injected_x": {"a": [1]}, "_limit": 5, "_page_size": "7", "foo": null}).as_object().unwrap().clone());
    let tap = Tap::new(&config(&sim, settings));
    assert_eq!(tap.check().verdict().0, "SUCCEEDED");
    assert_eq!(tap.discover().status, Some(0));
    assert_eq!(tap.read(&["teams", "messages"]).status, Some(0));
}
