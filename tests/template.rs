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
        ("hosted-pages", routes(api::hosted_pages::ROUTES)),
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
    let deployed = || template.functions.values().chain([&template.setup]);
    assert_eq!(deployed().map(|function| function.name.clone()).collect::<BTreeSet<_>>(), folders);
    for function in deployed() {
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
    let mut secrets: BTreeSet<_> = template.secrets.iter().cloned().collect();
    assert!(
        secrets.remove(OPERATOR_KEY),
        "the operator's key has a place, which no function that serves reads"
    );
    assert_eq!(secrets, BTreeSet::from(wanted));
    assert_eq!(used, secrets, "each is of use to somebody");
}

/// Where the operator's key waits to be fetched.
const OPERATOR_KEY: &str = "OperatorKey";

#[test]
fn the_setup_fills_every_secret_and_reads_only_what_others_are_made_from() {
    let template = Template::load();
    let secrets: BTreeSet<_> = template.secrets.iter().cloned().collect();
    let setup = &template.setup;
    let named = setup.variables.iter().filter(|(name, _)| name.ends_with("_ARN"));
    let named: BTreeMap<_, _> = named.map(|(name, value)| (name.as_str(), &value["Ref"])).collect();
    let mut wanted: BTreeSet<_> = SecretName::ALL.map(|name| name.variable() + "_ARN").into();
    wanted.insert("OPERATOR_KEY_ARN".to_owned());
    assert_eq!(named.keys().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(), wanted);
    let of_variables: BTreeSet<_> = named.values().map(|name| name.as_str().unwrap().to_owned()).collect();
    assert_eq!(of_variables, secrets);
    let [fills, reads] = &setup.statements[..] else { panic!("{:?}", setup.statements) };
    assert_eq!(fills.actions, ["secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue"]);
    assert_eq!(fills.resources.iter().cloned().collect::<BTreeSet<_>>(), secrets);
    assert_eq!(reads.actions, ["secretsmanager:GetSecretValue"]);
    assert_eq!(reads.resources, [OPERATOR_KEY, "SigningSecret"], "for its hash, and for the public keys");
    assert!(setup.routes.is_empty(), "nobody but CloudFormation calls it");
    // CloudFormation calls it again when the list changes: a secret that is left out here would stay empty in a deployment that is there.
    let called_with = &template.resource("FirstValues")["Properties"]["Secrets"];
    let called_with: BTreeSet<_> =
        called_with.as_array().unwrap().iter().map(|it| it["Ref"].as_str().unwrap().to_owned()).collect();
    assert_eq!(called_with, secrets.into_iter().filter(|name| name != OPERATOR_KEY).collect());
}

#[test]
fn nothing_that_a_deployment_keeps_can_be_deleted_with_it_or_shown_by_it() {
    let template = Template::load();
    for secret in &template.secrets {
        let resource = template.resource(secret);
        for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
            assert_eq!(resource[policy], "Retain", "{secret}");
        }
        let value = ["SecretString", "GenerateSecretString"].map(|name| resource["Properties"].get(name));
        assert_eq!(value, [None, None], "{secret} has a value in the template");
    }
    for (name, output) in template.section("Outputs") {
        let text = output["Value"].to_string();
        assert!(!text.contains("resolve:secretsmanager"), "{name} shows a secret");
    }
}

/// A function's new version gets its traffic by and by, and gives it back where it fails; what it logs does not stay for ever.
#[test]
fn every_function_is_deployed_by_and_by_with_an_alarm_of_its_own() {
    let template = Template::load();
    let groups: BTreeSet<_> = template
        .section("Resources")
        .filter(|(_, it)| it["Type"] == "AWS::Logs::LogGroup")
        .map(|(name, it)| {
            assert_eq!(it["Properties"]["RetentionInDays"], json!({ "Ref": "LogRetentionDays" }), "{name}");
            name.clone()
        })
        .collect();
    for (name, function) in
        template.section("Resources").filter(|(_, it)| it["Type"] == "AWS::Serverless::Function")
    {
        let properties = &function["Properties"];
        let group = properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert!(groups.contains(group) && group == format!("{name}Log"), "{name}: {group}");
        let preference = &properties["DeploymentPreference"];
        if name == "SecretsSetup" {
            assert_eq!(preference["Enabled"], false);
            continue;
        }
        let own = format!("{name}Errors");
        let wanted = json!([{ "Ref": own }, { "Ref": "ApiFaults" }]);
        assert_eq!(preference["Alarms"], wanted, "{name}");
        let watched = &template.resource(&own)["Properties"]["Dimensions"];
        assert_eq!(*watched, json!([{ "Name": "FunctionName", "Value": { "Ref": name } }]), "{own}");
    }
}

#[test]
fn every_parameter_is_described_and_every_route_of_who_signs_in_is_throttled_by_itself() {
    let template = Template::load();
    for (name, parameter) in template.section("Parameters") {
        assert!(parameter["Description"].as_str().is_some_and(|text| text.len() > 20), "{name}");
        let needed = name == "DomainName";
        assert_eq!(parameter.get("Default").is_none(), needed, "{name}: is there a safe default?");
    }
    let settings = &template.resource("Api")["Properties"]["RouteSettings"];
    let throttled: BTreeSet<_> = settings.as_object().unwrap().keys().cloned().collect();
    let routes = template.functions.values().flat_map(|function| &function.routes);
    let keys: BTreeSet<_> = routes.map(|route| format!("{} {}", route.method, route.path)).collect();
    assert!(throttled.is_subset(&keys), "a route that is gone: {throttled:?}");
    // Everything else but the preflights is called by administrators, or by nobody.
    let others = ["/v1/tenants", "/v1/console", "/console", "/docs", "/t/{tenant}/experience/", "$default"];
    let of_logins: BTreeSet<_> = keys
        .into_iter()
        .filter(|key| {
            key.split_once(' ').is_some_and(|(_, path)| !others.iter().any(|it| path.starts_with(it)))
        })
        .collect();
    assert_eq!(of_logins, throttled);
}

/// What an operator rotates, reads or deletes is found by name: two secrets are the operator's, and only one of them may go.
#[test]
fn every_secret_is_an_output() {
    let template = Template::load();
    let outputs: BTreeMap<_, _> =
        template.section("Outputs").map(|(name, output)| (name.clone(), output["Value"].clone())).collect();
    for secret in &template.secrets {
        assert_eq!(outputs[&format!("{secret}Arn")], json!({ "Ref": secret }));
    }
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
    assert_eq!((audit.max_age, audit.filters.len()), (86_400, 4), "as long as the stream has it");
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
                        assert_eq!(statement.resources, std::slice::from_ref(&stream.table), "{what}");
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
    assert_eq!(sign, ["code-verification", "hosted-pages", "sign-in"]);
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
        // Every function logs at this level, and counts in this namespace.
        let mut variables = BTreeSet::from(["LOG_LEVEL".to_owned(), "METRICS_NAMESPACE".to_owned()]);
        let mut methods = main.calls_on("lambda");
        assert!(!methods.is_empty(), "{function}: it starts in another way");
        // Where every start ends.
        methods.push("start_with".to_owned());
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
