//! docs/openapi.yaml, read for the tests: its operations, and as much of JSON Schema as it uses.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::repository;

/// The document as JSON.
pub struct Spec(pub Value);

/// One operation.
#[derive(Clone, Debug)]
pub struct Operation<'a> {
    pub method: String,
    pub path: &'a str,
    pub value: &'a Value,
}

impl Spec {
    pub fn read() -> Self {
        let documents = Yaml::load_from_str(&repository::read("docs/openapi.yaml")).expect("YAML");
        Self(to_json(&documents[0]))
    }

    /// Every operation by its name.
    pub fn operations(&self) -> BTreeMap<&str, Operation<'_>> {
        let mut operations = BTreeMap::new();
        for (path, item) in self.0["paths"].as_object().expect("paths") {
            for (method, value) in
                item.as_object().expect("a path").iter().filter(|(key, _)| *key != "parameters")
            {
                let name = value["operationId"].as_str().expect("operationId");
                let operation = Operation { method: method.to_uppercase(), path, value };
                assert!(operations.insert(name, operation).is_none(), "{name} twice");
            }
        }
        operations
    }

    /// What a `$ref` points to; anything else as it is.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                let found =
                    self.0.pointer(reference.strip_prefix('#').expect("a reference within the document"));
                self.resolve(found.unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => value,
        }
    }

    /// Properties and required ones of an object's schema, those of its `allOf` among them.
    fn object<'a>(&'a self, schema: &'a Value) -> (Map<String, Value>, BTreeSet<&'a str>) {
        let schema = self.resolve(schema);
        let mut properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let mut required: BTreeSet<&str> = strings(&schema["required"]).collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more, needed) = self.object(part);
            properties.extend(more);
            required.extend(needed);
        }
        (properties, required)
    }

    /// Fails where `value` is not what `schema` says. A member that it does not name fails too, unless it takes any; `{}` takes anything.
    pub fn check(&self, schema: &Value, value: &Value, at: &str) {
        let schema = self.resolve(schema);
        if schema.as_object().is_some_and(Map::is_empty) {
            return;
        }
        let types: Vec<&str> = schema["type"].as_str().into_iter().chain(strings(&schema["type"])).collect();
        let is_type = |name: &&str| match *name {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            other => panic!("{at}: a type {other}"),
        };
        assert!(types.is_empty() || types.iter().any(is_type), "{at}: {value} is not {types:?}");
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(allowed.contains(value), "{at}: {value} is not one of {allowed:?}");
        }
        assert!(
            schema["const"].is_null() || schema["const"] == *value,
            "{at}: {value} is not {}",
            schema["const"]
        );
        if let (Some(number), Some(least)) = (value.as_i64(), schema["minimum"].as_i64()) {
            assert!(number >= least, "{at}: {number} is below {least}");
        }
        if let (Some(number), Some(most)) = (value.as_i64(), schema["maximum"].as_i64()) {
            assert!(number <= most, "{at}: {number} is above {most}");
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{index}]"));
        }
        if let Some(members) = value.as_object() {
            self.check_members(schema, members, at);
        }
        for (keyword, fits) in [("anyOf", 1..=usize::MAX), ("oneOf", 1..=1)] {
            if let Some(parts) = schema[keyword].as_array() {
                let holds = |part: &&Value| strings(&part["required"]).all(|name| value.get(name).is_some());
                assert!(fits.contains(&parts.iter().filter(holds).count()), "{at}: {keyword} of {value}");
            }
        }
    }

    fn check_members(&self, schema: &Value, members: &Map<String, Value>, at: &str) {
        let (properties, required) = self.object(schema);
        for name in required {
            assert!(members.contains_key(name), "{at}: no {name}");
        }
        for (name, member) in members {
            let at = format!("{at}.{name}");
            match (properties.get(name), &schema["additionalProperties"]) {
                (Some(schema), _) => self.check(schema, member, &at),
                (None, any @ Value::Object(_)) => self.check(any, member, &at),
                _ => panic!("{at} is not in the schema"),
            }
        }
    }

    /// Every member that a request may have, by its path.
    pub fn members(&self, schema: &Value, at: &str, found: &mut BTreeSet<String>) {
        let schema = self.resolve(schema);
        for (name, member) in self.object(schema).0 {
            let at = format!("{at}.{name}");
            self.members(&member, &at, found);
            found.insert(at);
        }
    }
}

/// The members that a value has, by their paths.
pub fn members(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        members(member, &at, found);
        found.insert(at);
    }
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(members) => {
            let name = |key: &Yaml<'_>| key.as_str().expect("a member's name is text").to_owned();
            Value::Object(members.iter().map(|(key, value)| (name(key), to_json(value))).collect())
        }
        other => panic!("not plain YAML: {other:?}"),
    }
}
