//! `infra/config/tocsin.schema.json`: it is what the reader reads.
//!
//! Invariant: to write it anew, run this test with `TOCSIN_UPDATE=1`.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

fn root(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(below)
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it is read").path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
}

fn read_yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("UTF-8");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    json_of(documents.first().expect("a document"))
}

fn json_of(node: &Yaml<'_>) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(json_of).collect(),
        Yaml::Mapping(entries) => {
            let named =
                entries.iter().map(|(key, value)| (json_of(key).as_str().expect("text").to_owned(), json_of(value)));
            Value::Object(named.collect::<Map<_, _>>())
        }
        other => panic!("{other:?} has no JSON"),
    }
}

/// The places where a value does not fit, by the part of JSON Schema that the schema uses.
fn unfit(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(place) = schema["$ref"].as_str() {
        let whole = tocsin_config::schema();
        return unfit(whole.pointer(place.trim_start_matches('#')).expect("it leads somewhere"), value, at);
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        let tried: Vec<Vec<String>> = forms.iter().map(|form| unfit(form, value, at)).collect();
        return if tried.iter().any(Vec::is_empty) { Vec::new() } else { tried.concat() };
    }
    let wrong = |why: &str| vec![format!("{at}: {why}")];
    let kind_fits = match schema["type"].as_str() {
        None => true,
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some(other) => panic!("{other}: unknown to this test"),
    };
    if !kind_fits {
        return wrong("another type");
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return wrong("another word");
    }
    if schema["enum"].as_array().is_some_and(|known| !known.contains(value)) {
        return wrong("an unknown word");
    }
    if let (Some(pattern), Some(text)) = (schema["pattern"].as_str(), value.as_str())
        && !matches(pattern, text)
    {
        return wrong("another form");
    }
    let number = value.as_f64();
    if schema["minimum"].as_f64().zip(number).is_some_and(|(min, own)| own < min)
        || schema["maximum"].as_f64().zip(number).is_some_and(|(max, own)| own > max)
    {
        return wrong("out of bounds");
    }
    let length = value.as_array().map(Vec::len).or_else(|| value.as_object().map(Map::len));
    let beyond = |name: &str, fits: fn(u64, u64) -> bool| {
        let bound = schema[name].as_u64();
        bound.zip(length).is_some_and(|(bound, length)| !fits(length as u64, bound))
    };
    if ["minItems", "minProperties"].iter().any(|name| beyond(name, |own, min| own >= min))
        || ["maxItems", "maxProperties"].iter().any(|name| beyond(name, |own, max| own <= max))
    {
        return wrong("too few or too many");
    }
    let mut found = Vec::new();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(unfit(&schema["items"], item, &format!("{at}[{index}]")));
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, own) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match (schema["properties"].get(name), &schema["additionalProperties"]) {
            (None, Value::Bool(false)) => found.push(format!("{at}: no such field")),
            (Some(form), _) | (None, form) => found.extend(unfit(form, own, &at)),
        }
    }
    found
}

/// The three patterns that the schema uses.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^([0-9]+(d|h|m|s))+$" => {
            let parts: Vec<&str> = text.split_inclusive(['d', 'h', 'm', 's']).collect();
            let whole =
                |part: &&str| part[..part.len() - 1].parse::<u64>().is_ok() && !part.ends_with(char::is_numeric);
            !parts.is_empty() && parts.iter().all(whole)
        }
        "^https?://" => text.starts_with("https://") || text.starts_with("http://"),
        r"^\$\{[A-Z_][A-Z0-9_]*\}$" => {
            let name = text.strip_prefix("${").and_then(|text| text.strip_suffix('}')).unwrap_or_default();
            let fits = name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            fits && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
        }
        other => panic!("{other}: unknown to this test"),
    }
}

#[test]
fn the_committed_schema_is_up_to_date() {
    let path = root("infra/config/tocsin.schema.json");
    let text = serde_json::to_string_pretty(&tocsin_config::schema()).expect("JSON") + "\n";
    if std::env::var_os("TOCSIN_UPDATE").is_some() {
        fs::write(&path, &text).expect("it is written");
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "run this test with TOCSIN_UPDATE=1");
}

#[test]
fn every_good_config_fits_it() {
    let mut good = Vec::new();
    files(&root("infra/config"), "yaml", &mut good);
    // These are cases for the config.
    good.retain(|path| !path.ends_with("routes.yaml"));
    let examples = good.len();
    good.extend(["tests/acceptance/src/config.yaml", "tests/storm/storm.yaml"].map(root));
    assert!(examples >= 2);
    for path in good {
        assert_eq!(unfit(&tocsin_config::schema(), &read_yaml(&path), ""), [""; 0], "{}", path.display());
        let first = fs::read_to_string(&path).expect("UTF-8").lines().next().unwrap_or_default().to_owned();
        let named = first == "# yaml-language-server: $schema=tocsin.schema.json";
        assert!(named || !path.starts_with(root("infra/config")), "{}: {first}", path.display());
    }
}

#[test]
fn a_field_that_nobody_knows_does_not_fit_it() {
    let mut bad = Vec::new();
    files(&root("shared/config/tests/bad"), "yaml", &mut bad);
    bad.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("unknown_")));
    assert!(bad.len() > 20, "{}", bad.len());
    for path in bad {
        let told = fs::read_to_string(path.with_extension("txt")).expect("told");
        let field = told.split(": there is no such field here").next().and_then(|text| text.rsplit(['.', ' ']).next());
        let field = field.expect("a field");
        let found = unfit(&tocsin_config::schema(), &read_yaml(&path), "");
        assert!(
            found.iter().any(|at| at.ends_with(&format!(".{field}: no such field"))),
            "{}: {found:?}",
            path.display()
        );
    }
}

/// Each list of fields that the reader takes is the fields of one object of the schema, and the other way round.
#[test]
fn the_reader_and_the_schema_know_the_same_fields() {
    let mut sources = Vec::new();
    files(&root("shared/config/src/sections"), "rs", &mut sources);
    sources.push(root("shared/config/src/sections.rs"));
    let mut of_reader: BTreeSet<BTreeSet<String>> = BTreeSet::new();
    for path in sources {
        let text = fs::read_to_string(&path).expect("UTF-8");
        let marked = ["fields(&[", "FIELDS: &[&str] =", "SECTIONS: &[&str] ="].into_iter();
        for after in marked.flat_map(|marker| text.split(marker).skip(1)) {
            let list = after.split([';', ')']).next().unwrap_or_default();
            of_reader.insert(list.split('"').skip(1).step_by(2).map(str::to_owned).collect());
        }
    }
    let mut schema = tocsin_config::schema();
    // What reads a receiver's fields describes them, too: there is no list to differ from.
    schema["properties"]["receivers"].take();
    let mut of_schema = BTreeSet::new();
    collect(&schema, &mut of_schema);
    // By detector, by severity and by an alert's field the reader has no list of its own.
    let known = |fields: &BTreeSet<String>| {
        ["direction", "auto", "critical", "observed_at"].iter().any(|name| fields.contains(*name))
    };
    of_schema.retain(|fields| !known(fields));
    let missing: Vec<_> = of_reader.difference(&of_schema).collect();
    assert!(missing.is_empty(), "the schema lacks {missing:?}: add a line in shared/config/src/schema");
    let unknown: Vec<_> = of_schema.difference(&of_reader).collect();
    assert!(unknown.is_empty(), "no reader takes {unknown:?}");
}

fn collect(schema: &Value, found: &mut BTreeSet<BTreeSet<String>>) {
    if let Some(properties) = schema["properties"].as_object().filter(|_| schema["additionalProperties"] == false) {
        found.insert(properties.keys().cloned().collect());
    }
    match schema {
        Value::Object(fields) => fields.values().for_each(|value| collect(value, found)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}
