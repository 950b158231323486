//! template.yaml says what the code says: functions, routes, variables, secrets, tables.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use serde_json::{Value, json};
use shared::api;
use shared::config::SecretName;
use shared::domain::notice::MAX_TRIES;
use shared::dynamodb::keys;
use shared::dynamodb::tables::{DIRECTORY, LOGINS, TableDefinition};
use std::collections::{BTreeMap, BTreeSet};
use tests::repository;
use tests::source::Source;
use tests::template::{Function, Route, Table, Template};

fn route(method: &str, path: &str) -> Route {
    Route { method: method.to_owned(), path: path.to_owned() }
}

fn routes<A>(routes: &[shared::http::Route<A>]) -> Vec<Route> {
    routes.iter().map(|it| route(it.method, it.path)).collect()
}

/// What each function's `main` serves.
fn served() -> BTreeMap<&'static str, Vec<Route>> {
    let mut sign_in = routes(api::sign_in::ROUTES);
    // Browsers' preflight requests, and so that an unknown route answers with a problem document too.
    sign_in.extend([route("OPTIONS", "/{proxy+}"), route("ANY", "$default")]);
    BTreeMap::from([
        ("policy-admin", routes(api::policy_admin::ROUTES)),
        ("user-directory", routes(api::user_directory::ROUTES)),
        ("sign-in", sign_in),
        ("phone-binding", routes(api::phone_binding::ROUTES)),
        ("code-issuance", routes(api::code_issuance::ROUTES)),
        ("code-verification", routes(api::code_verification::ROUTES)),
        // A stream calls these.
        ("notifications", Vec::new()),
        ("audit-trail", Vec::new()),
    ])
}

#[test]
fn every_function_is_deployed_as_what_cargo_builds() {
    let template = Template::load();
    let folders = std::fs::read_dir(repository::path("functions")).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    let deployed: BTreeSet<_> = template.functions.keys().cloned().collect();
    assert_eq!(deployed, folders);
    for function in template.functions.values() {
        let name = &function.name;
        assert_eq!(function.code_uri, format!("functions/{name}"));
        let manifest = repository::read(&format!("{}/Cargo.toml", function.code_uri));
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name}: another package");
        assert!(
            repository::path(&format!("{}/src/main.rs", function.code_uri)).exists(),
            "{name}: no program"
        );
        // Cargo Lambda builds the folder's one program, and names it `bootstrap`, which is what this runtime starts.
        assert_eq!(
            (function.build_method.as_str(), function.handler.as_str(), function.runtime.as_str()),
            ("rust-cargolambda", "bootstrap", "provided.al2023"),
            "{name}"
        );
    }
}

#[test]
fn each_call_goes_to_the_function_that_serves_it() {
    let template = Template::load();
    let served = served();
    assert_eq!(template.functions.keys().collect::<Vec<_>>(), served.keys().collect::<Vec<_>>());
    for (name, mut served) in served {
        let mut routed = template.functions[name].routes.clone();
        routed.sort();
        served.sort();
        assert_eq!(routed, served, "{name}");
    }
}

#[test]
fn each_function_has_the_variables_that_it_reads() {
    let reads = Reads::of_code();
    for function in Template::load().functions.values() {
        let wanted = reads.by(&function.name);
        assert_eq!(function.environment, wanted.into_iter().collect::<Vec<_>>(), "{}", function.name);
    }
}

#[test]
fn each_function_may_read_its_own_secrets_and_no_other() {
    let template = Template::load();
    let mut used = BTreeSet::new();
    for function in template.functions.values() {
        let mut named: Vec<_> = secrets(function).map(|secret| secret.as_str().unwrap().to_owned()).collect();
        named.sort();
        let of_secrets: Vec<_> = function
            .statements
            .iter()
            .filter(|it| it.actions.iter().any(|a| a.starts_with("secretsmanager:")))
            .collect();
        if named.is_empty() && of_secrets.is_empty() {
            assert_eq!(function.name, "audit-trail");
            continue;
        }
        let [statement] = &of_secrets[..] else { panic!("{}: {of_secrets:?}", function.name) };
        assert_eq!(statement.actions, ["secretsmanager:GetSecretValue"], "{}", function.name);
        let mut readable = statement.resources.clone();
        readable.sort();
        assert_eq!(readable, named, "{}", function.name);
        used.extend(named);
    }
    let wanted = SecretName::ALL.map(|name| {
        let words = name.as_str().split('-');
        words.map(|word| word[..1].to_uppercase() + &word[1..]).collect::<String>() + "Secret"
    });
    assert_eq!(template.secrets.iter().cloned().collect::<BTreeSet<_>>(), BTreeSet::from(wanted));
    assert_eq!(used, template.secrets.into_iter().collect(), "each is of use to somebody");
}

/// The secrets that a function's variables name.
fn secrets(function: &Function) -> impl Iterator<Item = &Value> {
    let secrets = function.variables.iter().filter(|(name, _)| name.starts_with("SECRET_"));
    secrets.map(|(_, value)| &value["Ref"])
}

#[test]
fn the_tables_are_those_of_the_code() {
    let template = Template::load();
    let table = |definition: TableDefinition| Table {
        partition_key: (definition.partition_key.to_owned(), "S".to_owned()),
        sort_key: Some((definition.sort_key.to_owned(), "S".to_owned())),
        ttl: definition.ttl.map(str::to_owned),
        is_kept: true,
    };
    let wanted = [("DirectoryTable", table(DIRECTORY)), ("LoginsTable", table(LOGINS))];
    assert_eq!(template.tables, wanted.map(|(name, table)| (name.to_owned(), table)).into());
    for function in template.functions.values() {
        for (variable, table) in [("DIRECTORY_TABLE", "DirectoryTable"), ("LOGINS_TABLE", "LoginsTable")] {
            assert_eq!(function.variables[variable], json!({ "Ref": table }), "{}", function.name);
        }
    }
}

/// A filter that lets more through would call a function for every login; one that lets less through would have nobody told.
#[test]
fn the_stream_calls_a_function_for_what_is_its_own_and_gives_up_in_bounds() {
    let streams = Template::load().streams;
    let notices = &streams["notifications"];
    let kind = keys::NOTICE_PREFIX;
    let filter =
        json!({ "eventName": ["INSERT"], "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": kind }] } } } });
    assert_eq!(notices.filters, [filter]);
    for (name, stream) in &streams {
        assert_eq!((&*stream.table, &*stream.failures), ("LoginsTable", "StreamFailures"), "{name}");
        assert!(stream.reports_failures && stream.bisects, "{name}");
        assert!(!stream.filters.is_empty(), "{name}");
        assert!((60..=86_400).contains(&stream.max_age), "{name}: {}", stream.max_age);
    }
    assert!(notices.max_retries >= u64::from(MAX_TRIES), "the code gives up first");
    // tests/trail holds its filters against what the table's stream really says.
    let audit = &streams["audit-trail"];
    assert_eq!((audit.max_age, audit.filters.len()), (86_400, 3), "as long as the stream has it");
}

/// What the design says of rights; tests/bootstraps checks against the functions' real requests that they suffice, and that each is used.
#[test]
fn rights_are_exact_and_the_dangerous_ones_rare() {
    let template = Template::load();
    let mut publish = Vec::new();
    let mut sign = Vec::new();
    for (name, function) in &template.functions {
        for statement in &function.statements {
            let what = format!("{name}: {}", statement.sid);
            assert_eq!(statement.effect, "Allow", "{what}");
            for action in &statement.actions {
                assert!(!action.contains('*') && !action.ends_with("Scan"), "{what}: {action}");
                match action.split_once(':').unwrap() {
                    ("dynamodb", "DescribeStream" | "GetRecords" | "GetShardIterator" | "ListStreams") => {
                        let stream =
                            template.streams.get(name).unwrap_or_else(|| panic!("{what}: no stream"));
                        assert_eq!(statement.resources, [stream.table.clone()], "{what}");
                    }
                    ("sqs", "SendMessage") => {
                        assert_eq!(statement.resources, [template.streams[name].failures.clone()], "{what}");
                    }
                    ("dynamodb", _) => {
                        let [table] = &statement.resources[..] else { panic!("{what}: not one table") };
                        assert!(template.tables.contains_key(table), "{what}: {table}");
                        let kinds = statement
                            .leading_keys
                            .as_ref()
                            .unwrap_or_else(|| panic!("{what}: every partition"));
                        assert!(!kinds.is_empty(), "{what}");
                        let of_policy =
                            table == "DirectoryTable" && kinds.iter().any(|it| it.starts_with("policy#"));
                        let reads =
                            ["BatchGetItem", "GetItem", "Query"].map(|read| format!("dynamodb:{read}"));
                        let only_policy_admin_changes_policy =
                            reads.contains(action) || name == "policy-admin";
                        assert!(!of_policy || only_policy_admin_changes_policy, "{what}: {action}");
                        let of_logins = kinds.iter().any(|it| it.starts_with("login#"));
                        assert!(!of_logins || name != "policy-admin", "{what}: it may not read challenges");
                    }
                    ("sns", "Publish") => {
                        publish.push(name.as_str());
                        let topics = r#"{"Fn::Sub":"arn:${AWS::Partition}:sns:*:*:*"}"#;
                        assert_eq!(
                            (&statement.resources[..], &statement.not_resources[..]),
                            (&[][..], &[topics.to_owned()][..])
                        );
                    }
                    ("secretsmanager", _) => {}
                    _ => panic!("{what}: {action}"),
                }
            }
        }
        if secrets(function).any(|secret| secret == "SigningSecret") {
            sign.push(name.as_str());
        }
    }
    assert_eq!(publish, ["code-issuance", "notifications"]);
    assert_eq!(sign, ["code-verification", "sign-in"]);
}

/// Which variables the code reads, taken from the code itself: a function's `main` calls methods of `Lambda` (bootstrap.rs), and those
/// name secrets and ask `Environment` (config.rs).
struct Reads {
    lambda: BTreeMap<String, Source>,
    environment: BTreeMap<String, Source>,
}

impl Reads {
    fn of_code() -> Self {
        let functions = |file: &str| Source::read("shared/src", &format!("shared/src/{file}")).functions();
        Self { lambda: functions("bootstrap.rs"), environment: functions("config.rs") }
    }

    /// The variables that this function reads; what Lambda itself sets left out.
    fn by(&self, function: &str) -> BTreeSet<String> {
        let root = format!("functions/{function}/src");
        let main = Source::read(&root, &format!("{root}/main.rs"));
        // Every function logs at this level.
        let mut variables = BTreeSet::from(["LOG_LEVEL".to_owned()]);
        let mut methods = main.calls_on("lambda");
        assert!(!methods.is_empty(), "{function}: it starts in another way");
        methods.push("start".to_owned());
        let mut done = BTreeSet::new();
        while let Some(method) = methods.pop() {
            if !done.insert(method.clone()) {
                continue;
            }
            let body = self.lambda.get(&method).unwrap_or_else(|| panic!("{function}: lambda.{method}()"));
            methods.extend(body.calls_on("self").into_iter().filter(|name| self.lambda.contains_key(name)));
            for path in &body.paths {
                if let [kind, name] = &path[..]
                    && kind == "SecretName"
                {
                    let secret = SecretName::ALL.into_iter().find(|secret| format!("{secret:?}") == *name);
                    variables.insert(secret.unwrap().variable() + "_ARN");
                }
            }
            for read in body.calls_on("environment") {
                let strings = self.environment[&read].strings.iter();
                variables.extend(strings.filter(|text| is_variable(text)).cloned());
            }
        }
        variables
    }
}

fn is_variable(text: &str) -> bool {
    let of_lambda = text.starts_with("AWS_");
    !of_lambda && text.len() > 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}
