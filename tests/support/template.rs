//! template.yaml as data: what would be deployed, for tests that compare it with the code or stand in for what it sets up.

use crate::repository;
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The function that makes the secrets' first values.
const SETUP: &str = "secrets-setup";

/// What a deployment is made of, as far as anything here looks at it.
#[derive(Clone, Debug)]
pub struct Template {
    /// Those that serve, by name, which is the name of the crate.
    pub functions: BTreeMap<String, Function>,
    /// The one that CloudFormation calls at a deployment.
    pub setup: Function,
    /// By logical name.
    pub tables: BTreeMap<String, Table>,
    /// The logical names of the secrets.
    pub secrets: Vec<String>,
    /// By the name of the function that is called.
    pub streams: BTreeMap<String, Stream>,
    /// All of it, tags in their long form.
    whole: Value,
}

/// What calls a function with the changes of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The table's logical name.
    pub table: String,
    /// Each as JSON.
    pub filters: Vec<Value>,
    /// Whether the function says which records it could not handle.
    pub reports_failures: bool,
    pub bisects: bool,
    /// How long, in seconds, and how often a record is handed out.
    pub max_age: u64,
    pub max_retries: u64,
    /// Logical name of where it is told what was given up.
    pub failures: String,
}

/// One Lambda function, with what `Globals` adds to it.
#[derive(Clone, Debug)]
pub struct Function {
    /// The crate: `sign-in`.
    pub name: String,
    /// Its folder: `functions/sign-in`.
    pub code_uri: String,
    pub runtime: String,
    pub handler: String,
    /// How `sam build` makes it.
    pub build_method: String,
    pub routes: Vec<Route>,
    /// The names of its variables, sorted.
    pub environment: Vec<String>,
    /// What each variable is set to, in long form: `{"Ref": "LoginsTable"}`.
    pub variables: BTreeMap<String, Value>,
    pub statements: Vec<Statement>,
}

/// A route of the HTTP API. One for whatever has no other is `ANY` of `$default`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    pub method: String,
    pub path: String,
}

/// One statement of a function's policy.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sid: String,
    pub effect: String,
    pub actions: Vec<String>,
    /// Logical names, or what else stands there in long form. Empty where the statement names what it is not about.
    pub resources: Vec<String>,
    pub not_resources: Vec<String>,
    /// The partition keys that it is about, if it says so: patterns.
    pub leading_keys: Option<Vec<String>>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Attribute and type (`S`).
    pub partition_key: (String, String),
    pub sort_key: Option<(String, String)>,
    /// The TTL attribute, if that is on.
    pub ttl: Option<String>,
    /// Whether neither a mistake nor a deleted stack can take it.
    pub is_kept: bool,
}

impl Template {
    /// # Panics
    /// If the file isn't a template as this one is written.
    pub fn load() -> Self {
        Self::parse(&repository::read("template.yaml"))
    }

    /// Reads a template's text.
    ///
    /// # Panics
    /// As [`Template::load`].
    pub fn parse(text: &str) -> Self {
        let template = long_form_of(text);
        let of_type = |wanted: &'static str| {
            let resources = template["Resources"].as_object().expect("Resources");
            resources.iter().filter(move |(_, resource)| resource["Type"] == wanted)
        };
        let globals = &template["Globals"]["Function"];
        let functions = of_type("AWS::Serverless::Function").map(|(name, resource)| {
            let function = function(globals, resource);
            assert!(is_camel_case_of(name, &function.name), "{name} is not {}", function.name);
            (function.name.clone(), function)
        });
        let mut functions: BTreeMap<_, _> = functions.collect();
        let streams = of_type("AWS::Lambda::EventSourceMapping").map(|(name, mapping)| {
            // The version that is being deployed is tried on some of the stream only, as on some of the requests.
            let function = resource(&mapping["Properties"]["FunctionName"]);
            let function = function.strip_suffix(".Alias").expect("an alias").to_owned();
            assert_eq!(*name, format!("{function}Stream"));
            let called = functions.keys().find(|name| is_camel_case_of(&function, name));
            (called.expect("a function of ours").clone(), stream(&mapping["Properties"]))
        });
        let streams = streams.collect();
        Self {
            streams,
            setup: functions.remove(SETUP).expect("a function that makes the secrets' first values"),
            functions,
            tables: of_type("AWS::DynamoDB::Table").map(|(name, it)| (name.clone(), table(it))).collect(),
            secrets: of_type("AWS::SecretsManager::Secret").map(|(name, _)| name.clone()).collect(),
            whole: template.clone(),
        }
    }

    /// A resource as it stands.
    ///
    /// # Panics
    /// If there is none of this logical name.
    pub fn resource(&self, name: &str) -> &Value {
        self.whole["Resources"].get(name).unwrap_or_else(|| panic!("no resource {name}"))
    }

    /// The entries of `Parameters`, `Resources` or `Outputs`.
    pub fn section(&self, name: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.whole[name].as_object().into_iter().flatten()
    }
}

impl Statement {
    /// Whether it allows this action on this table for all of these partition keys.
    pub fn allows(&self, action: &str, table: &str, partitions: &[&str]) -> bool {
        let in_reach = |partition: &&str| match &self.leading_keys {
            None => true,
            Some(patterns) => patterns.iter().any(|pattern| is_like(pattern, partition)),
        };
        self.effect == "Allow"
            && self.actions.iter().any(|allowed| allowed == action)
            && self.resources.iter().any(|resource| resource == table)
            && partitions.iter().all(in_reach)
    }
}

/// IAM's `StringLike`, with a `*` at the end and nowhere else.
fn is_like(pattern: &str, text: &str) -> bool {
    let (start, rest) = pattern.split_once('*').unwrap_or((pattern, "-"));
    match rest {
        "" => text.starts_with(start),
        "-" => text == pattern,
        _ => panic!("{pattern}: only a * at the end is understood here"),
    }
}

fn function(globals: &Value, resource: &Value) -> Function {
    let properties = &resource["Properties"];
    let inherited = |name: &str| {
        let own = properties.get(name).or_else(|| globals.get(name));
        text(own.unwrap_or_else(|| panic!("no {name}: {properties}")))
    };
    let code_uri = text(&properties["CodeUri"]);
    let mut variables = BTreeMap::new();
    for level in [globals, properties] {
        let all = level["Environment"]["Variables"].as_object().into_iter().flatten();
        variables.extend(all.map(|(name, value)| (name.clone(), value.clone())));
    }
    let events = properties["Events"].as_object().into_iter().flatten();
    let policies = properties["Policies"].as_array().into_iter().flatten();
    Function {
        name: code_uri.rsplit('/').next().unwrap_or_default().to_owned(),
        runtime: inherited("Runtime"),
        handler: inherited("Handler"),
        build_method: text(&resource["Metadata"]["BuildMethod"]),
        routes: events.map(|(_, event)| route(event)).collect(),
        environment: variables.keys().cloned().collect(),
        variables,
        statements: policies.flat_map(|policy| all(&policy["Statement"])).map(statement).collect(),
        code_uri,
    }
}

fn route(event: &Value) -> Route {
    assert_eq!(event["Type"], "HttpApi", "{event}");
    let properties = &event["Properties"];
    assert_eq!(properties["ApiId"], json!({"Ref": "Api"}), "{event}");
    match (properties.get("Method"), properties.get("Path")) {
        (Some(method), Some(path)) => Route { method: text(method), path: text(path) },
        (None, None) => Route { method: "ANY".to_owned(), path: "$default".to_owned() },
        _ => panic!("a method without a path, or the reverse: {event}"),
    }
}

fn statement(statement: &Value) -> Statement {
    let known = ["Sid", "Effect", "Action", "Resource", "NotResource", "Condition"];
    let members = statement.as_object().expect("a statement");
    assert!(members.keys().all(|member| known.contains(&member.as_str())), "{statement}");
    let leading_keys = statement.get("Condition").map(|condition| {
        let keys = &condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
        assert_eq!(*condition, json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": keys}}));
        all(keys).map(text).collect()
    });
    Statement {
        sid: text(&statement["Sid"]),
        effect: text(&statement["Effect"]),
        actions: all(&statement["Action"]).map(text).collect(),
        resources: all(&statement["Resource"]).map(resource).collect(),
        not_resources: all(&statement["NotResource"]).map(resource).collect(),
        leading_keys,
    }
}

fn stream(properties: &Value) -> Stream {
    let filters = properties["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
    let pattern =
        |filter: &Value| serde_json::from_str(&text(&filter["Pattern"])).expect("a pattern is JSON");
    let number = |name: &str| properties[name].as_u64().unwrap_or_else(|| panic!("no {name}"));
    Stream {
        table: resource(&properties["EventSourceArn"]),
        filters: filters.map(pattern).collect(),
        reports_failures: properties["FunctionResponseTypes"] == json!(["ReportBatchItemFailures"]),
        bisects: properties["BisectBatchOnFunctionError"] == true,
        max_age: number("MaximumRecordAgeInSeconds"),
        max_retries: number("MaximumRetryAttempts"),
        failures: resource(&properties["DestinationConfig"]["OnFailure"]["Destination"]),
    }
}

/// The logical name behind a reference to a resource, to its ARN or to its stream's.
fn resource(value: &Value) -> String {
    let is_arn = |path: &&Vec<Value>| path.get(1).is_some_and(|it| it == "Arn" || it == "StreamArn");
    let attribute = value["Fn::GetAtt"].as_array().filter(is_arn);
    let name = value["Ref"].as_str().or_else(|| attribute?.first()?.as_str());
    name.map_or_else(|| value.to_string(), str::to_owned)
}

fn table(resource: &Value) -> Table {
    let properties = &resource["Properties"];
    let key = |role: &str| {
        let keys = properties["KeySchema"].as_array().into_iter().flatten();
        let name = &keys.clone().find(|key| key["KeyType"] == role)?["AttributeName"];
        let attributes = properties["AttributeDefinitions"].as_array().into_iter().flatten();
        let attribute = attributes.clone().find(|attribute| attribute["AttributeName"] == *name);
        Some((text(name), text(&attribute.expect("a defined attribute")["AttributeType"])))
    };
    let ttl = &properties["TimeToLiveSpecification"];
    let recovery = &properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
    Table {
        partition_key: key("HASH").expect("a partition key"),
        sort_key: key("RANGE"),
        ttl: (ttl["Enabled"] == true).then(|| text(&ttl["AttributeName"])),
        is_kept: resource["DeletionPolicy"] == "Retain"
            && resource["UpdateReplacePolicy"] == "Retain"
            && properties["DeletionProtectionEnabled"] == true
            && *recovery == true,
    }
}

/// One value, or each of several: both are the same to CloudFormation. None at all, if it is absent.
fn all(value: &Value) -> impl Iterator<Item = &Value> {
    let (one, several) = match value {
        Value::Array(values) => (None, &values[..]),
        Value::Null => (None, &[][..]),
        other => (Some(other), &[][..]),
    };
    one.into_iter().chain(several)
}

#[track_caller]
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

/// `SignIn` of `sign-in`.
fn is_camel_case_of(camel: &str, kebab: &str) -> bool {
    let capitalised = kebab.split('-').map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    capitalised.collect::<String>() == camel
}

/// A template's text as JSON, the short tags in their long form.
///
/// # Panics
/// If it isn't one document of YAML.
pub fn long_form_of(text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("a template: {error}"));
    let [document] = &documents[..] else { panic!("a template: not one document") };
    long_form(document)
}

/// As JSON, the short tags in their long form: `!GetAtt Table.Arn` is `{"Fn::GetAtt": ["Table", "Arn"]}`.
fn long_form(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.0),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(values) => values.iter().map(long_form).collect(),
        Yaml::Mapping(members) => {
            let member = |(name, value): (&Yaml<'_>, &Yaml<'_>)| {
                (name.as_str().expect("names are texts").to_owned(), long_form(value))
            };
            Value::Object(members.iter().map(member).collect())
        }
        Yaml::Tagged(tag, value) => {
            let value = match (tag.suffix.as_str(), long_form(value)) {
                ("GetAtt", Value::String(path)) => path.split('.').collect(),
                (_, value) => value,
            };
            let name = match tag.suffix.as_str() {
                plain @ ("Ref" | "Condition") => plain.to_owned(),
                function => format!("Fn::{function}"),
            };
            Value::Object(Map::from_iter([(name, value)]))
        }
        Yaml::Alias(_) | Yaml::Representation(..) | Yaml::BadValue => panic!("not a template's: {yaml:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_are_read_in_their_long_form() {
        let text = "a: !GetAtt Table.Arn\nb: !Sub https://${Host}\nc: !If [X, !Ref Y, 5]\nd: {e: !Not [!Equals [!Ref Y, '']]}";
        let read = long_form(&Yaml::load_from_str(text).unwrap()[0]);
        let long = json!({
            "a": {"Fn::GetAtt": ["Table", "Arn"]},
            "b": {"Fn::Sub": "https://${Host}"},
            "c": {"Fn::If": ["X", {"Ref": "Y"}, 5]},
            "d": {"e": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Y"}, ""]}]}},
        });
        assert_eq!(read, long);
    }

    #[test]
    fn a_statement_is_about_its_partitions_only() {
        let statement = statement(&json!({
            "Sid": "Logins",
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": {"Fn::GetAtt": ["LoginsTable", "Arn"]},
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["login#*", "limit#tenant#*"]}},
        }));
        let allows = |action, partitions: &[&str]| statement.allows(action, "LoginsTable", partitions);
        assert!(allows("dynamodb:Query", &["login#a", "limit#tenant#a"]));
        assert!(!allows("dynamodb:Query", &["login#a", "limit#number#a"]));
        assert!(!allows("dynamodb:Scan", &["login#a"]));
        assert!(!statement.allows("dynamodb:Query", "DirectoryTable", &["login#a"]));
    }
}
