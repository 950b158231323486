//! A deployment on DynamoDB Local in which one of everything happens once, so that it is known what each function is asked, what its items
//! were before, and what it was told.

use crate::runtime::Program;
use crate::store::Items;
use crate::stub::Canned;
use serde_json::{Value, json};
use shared::config::SecretName;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tests::aws::{SecretsManager, Sns};
use tests::engine::Engine;
use tests::events;
use tests::hosted::{CHALLENGE, encode};
use tests::http_client::Call;
use tests::proxy::{Proxy, Record};
use tests::runtime::Bootstrap;
use tests::secrets::{arn, first_values};
use tests::streams::{TableStream, passes};
use tests::tables::Tables;
use tests::template::Template;
use tests::values::text;

/// The function that serves nobody.
pub const SETUP: &str = "secrets-setup";
const CALLBACK: &str = "https://shop.example.com/callback";
const PASSWORD: &str = "correct horse battery staple";

/// One event, and all that goes with it.
#[derive(Clone)]
pub struct Case {
    pub function: &'static str,
    /// For a reader of the tables.
    pub what: &'static str,
    pub event: String,
    pub canned: Canned,
    /// The tables' items before it.
    pub before: Items,
    /// What the function has asked for.
    pub asked: Vec<Record>,
}

pub struct World {
    folder: PathBuf,
    engine: Engine,
    pub tables: Tables,
    secrets: HashMap<SecretName, String>,
    template: Template,
    sns: Sns,
    secrets_manager: SecretsManager,
    /// Functions that have started: each with its proxy, and what it asked at its start.
    functions: BTreeMap<&'static str, (Bootstrap, Proxy, Vec<Record>)>,
    pub cases: Vec<Case>,
}

/// Where a function finds the services.
pub struct Endpoints {
    pub dynamodb: String,
    pub sns: String,
    pub secrets_manager: String,
}

impl World {
    /// `folder` has the bootstraps.
    pub async fn create(folder: &Path) -> Self {
        let engine = Engine::dynamodb_local().await;
        let tables = Tables::made_up(&engine).await;
        let stream = TableStream::enable(engine.url(), &tables.logins).await;
        let (operator_key, values) = first_values();
        let secrets: HashMap<_, _> =
            values.into_iter().map(|(name, value)| (name, value.to_string())).collect();
        let by_arn = secrets.iter().map(|(name, text)| (arn(*name), text.clone()));
        let secrets_manager = SecretsManager::start(by_arn.collect()).await;
        let mut world = Self {
            folder: folder.to_owned(),
            engine,
            tables,
            secrets,
            template: Template::load(),
            sns: Sns::start().await,
            secrets_manager,
            functions: BTreeMap::new(),
            cases: Vec::new(),
        };
        world.happen(operator_key).await;
        world.take_streamed("notifications", "a notice is sent", &stream).await;
        world.take_streamed("audit-trail", "a change is kept", &stream).await;
        world
    }

    /// A tenant, three users, a login of each kind.
    async fn happen(&mut self, operator_key: String) {
        let tenant = self
            .call("policy-admin", events::load("create_tenant", &[("operator_key", &operator_key)]))
            .await;
        let (tenant, admin_key) = (text(&tenant, "/id"), text(&tenant, "/admin_key/secret"));
        let admin = [("tenant", &*tenant), ("admin_key", &*admin_key)];
        let mut create = events::load("create_application", &admin);
        create["body"] =
            json!({ "name": "Shop", "origins": ["https://shop.example.com"], "redirect_uris": [CALLBACK] })
                .to_string()
                .into();
        let application = text(&self.call("policy-admin", create).await, "/id");
        self.call("policy-admin", events::load("update_tenant_security", &admin)).await;
        self.case("policy-admin", "a tenant is read", events::load("get_tenant", &admin)).await;

        let mut users = BTreeMap::new();
        for name in ["unbound", "bound", "moved"] {
            let person = [&admin[..], &[("username", name), ("password", PASSWORD)]].concat();
            let made = self.call("user-directory", events::load("create_user", &person)).await;
            users.insert(name, text(&made, "/id"));
        }
        for (user, number) in
            [("bound", "+12025550123"), ("moved", "+12025550124"), ("moved", "+12025550125")]
        {
            let of_user = [&admin[..], &[("user", &*users[user])]].concat();
            let mut bind = events::load("bind_user_phone", &of_user);
            bind["body"] = json!({ "phone": number }).to_string().into();
            self.call("user-directory", bind).await;
        }
        let of_user = [&admin[..], &[("user", &*users["bound"])]].concat();
        self.case("user-directory", "a user is read", events::load("get_user", &of_user)).await;

        let start = |username| {
            let values = [("application", &*application), ("username", username), ("password", PASSWORD)];
            events::load("start_login", &values)
        };
        let unbound = self.call("sign-in", start("unbound")).await;
        let (login, token) = (text(&unbound, "/login/id"), text(&unbound, "/login_token"));
        let name = [("login", &*login), ("login_token", &*token), ("phone", "+12025550147")];
        self.case("phone-binding", "a number is named", events::load("set_login_phone", &name)).await;

        let begun = self.case("sign-in", "a password is checked", start("bound")).await;
        let (login, token) = (text(&begun, "/login/id"), text(&begun, "/login_token"));
        let step = [("login", &*login), ("login_token", &*token)];
        let press = [&step[..], &[("idempotency_key", "one-press-of-the-button")]].concat();
        self.case("code-issuance", "a code is sent", events::load("send_code", &press)).await;
        let code = self.sns.code_sent_to("+12025550123");
        let guess = [&step[..], &[("code", &*code)]].concat();
        self.case("code-verification", "a right code", events::load("verify_code", &guess)).await;

        let query = encode(&[
            ("client_id", &*application),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "af0ifjsldkj"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        let call = Call::get(&format!("/t/{tenant}/authorize?{query}"));
        let event = events::http_event(&call, "GET /t/{tenant}/authorize", &[("tenant".to_owned(), tenant)]);
        self.case("hosted-pages", "a hosted login begins", event).await;
    }

    /// Hands an event to a function, which is started if it isn't.
    async fn call(&mut self, function: &'static str, event: Value) -> Value {
        let answer = self.invoke(function, &event).await;
        let status = answer["statusCode"].as_u64().unwrap_or_default();
        assert!((200..400).contains(&status), "{function}: {answer}");
        serde_json::from_str(answer["body"].as_str().unwrap_or_default()).unwrap_or_default()
    }

    async fn invoke(&mut self, function: &'static str, event: &Value) -> Value {
        if !self.functions.contains_key(function) {
            let proxy = Proxy::start(self.engine.url()).await;
            let endpoints = Endpoints {
                dynamodb: proxy.url(),
                sns: self.sns.url(),
                secrets_manager: self.secrets_manager.url(),
            };
            let variables = self.variables(function, &endpoints);
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let path = self.folder.join(function);
            let bootstrap = Bootstrap::spawn_program(&path, function, &variables).await;
            bootstrap.ready().await.unwrap_or_else(|error| panic!("{function}: {error:?}"));
            let at_start = proxy.take();
            self.functions.insert(function, (bootstrap, proxy, at_start));
        }
        let (bootstrap, ..) = &self.functions[function];
        bootstrap.invoke(event).await.unwrap_or_else(|error| panic!("{function}: {error:?}"))
    }

    /// As `call`, and keeps it.
    async fn case(&mut self, function: &'static str, what: &'static str, event: Value) -> Value {
        let before = Items::read(self.engine.url(), &self.tables).await;
        if let Some((_, proxy, _)) = self.functions.get(function) {
            proxy.take();
        }
        let answer = self.call(function, event.clone()).await;
        self.keep(function, what, &event, before);
        answer
    }

    fn keep(&mut self, function: &'static str, what: &'static str, event: &Value, before: Items) {
        let (_, proxy, at_start) = &self.functions[function];
        let asked = proxy.take();
        let canned = Canned::of(&[&asked[..], at_start].concat());
        self.cases.push(Case { function, what, event: event.to_string(), canned, before, asked });
    }

    /// The same with the latest that a function would be handed of the table's stream.
    async fn take_streamed(&mut self, function: &'static str, what: &'static str, stream: &TableStream) {
        let filters = self.template.streams[function].filters.clone();
        let mut records = stream.records().await;
        records.retain(|record| filters.iter().any(|filter| passes(filter, record)));
        let event = json!({ "Records": [records.pop().expect("something for every function has happened")] });
        let before = Items::read(self.engine.url(), &self.tables).await;
        self.invoke(function, &event).await;
        self.keep(function, what, &event, before);
    }

    /// The variables that template.yaml sets for a function, with the values of this world.
    pub fn variables(&self, function: &str, endpoints: &Endpoints) -> Vec<(String, String)> {
        let of_function =
            self.template.functions.get(function).map_or(&self.template.setup, |function| function);
        let value = |name: &String| match name.as_str() {
            "DIRECTORY_TABLE" => self.tables.directory.clone(),
            "LOGINS_TABLE" => self.tables.logins.clone(),
            "KEYS_VERSION" => "1".to_owned(),
            "LOG_LEVEL" => "info".to_owned(),
            "METRICS_NAMESPACE" => "mfa/bench".to_owned(),
            "BASE_URL" => "https://api.example.com".to_owned(),
            "SMS_SENDER_ID" => "ACME".to_owned(),
            "SMS_MAX_PRICE_USD" => "0.50".to_owned(),
            // Where secrets-setup leaves the operator's key.
            "OPERATOR_KEY_ARN" => arn(SecretName::Operator),
            // As the template leaves out what is not wanted.
            other => secret(other).map(arn).unwrap_or_default(),
        };
        let mut variables: Vec<_> =
            of_function.environment.iter().map(|name| (name.clone(), value(name))).collect();
        for (service, url) in [
            ("DYNAMODB", &endpoints.dynamodb),
            ("SNS", &endpoints.sns),
            ("SECRETS_MANAGER", &endpoints.secrets_manager),
        ] {
            variables.push((format!("AWS_ENDPOINT_URL_{service}"), url.clone()));
        }
        variables
    }

    /// The same without a network: the secrets are in the variables, and nobody is at the endpoints.
    pub fn variables_alone(&self, function: &str) -> Vec<(String, String)> {
        let nowhere = || "http://127.0.0.1:9".to_owned();
        let endpoints = Endpoints { dynamodb: nowhere(), sns: nowhere(), secrets_manager: nowhere() };
        let variables = self.variables(function, &endpoints);
        let local = |(name, value): (String, String)| match secret(&name) {
            // Whoever makes the secrets has to know where they are, and asks for none at its start.
            Some(secret) if function != SETUP => (secret.variable(), self.secrets[&secret].clone()),
            _ => (name, value),
        };
        variables.into_iter().map(local).collect()
    }

    /// The text of each secret by its ARN.
    pub fn secrets_by_arn(&self) -> BTreeMap<String, String> {
        self.secrets.iter().map(|(name, text)| (arn(*name), text.clone())).collect()
    }

    pub fn secret(&self, name: SecretName) -> &str {
        &self.secrets[&name]
    }

    pub fn program(&self, name: &'static str) -> Program {
        Program { name, path: self.folder.join(name), arguments: Vec::new() }
    }

    /// The engine that all this has happened on.
    pub fn dynamodb_local(&self) -> &str {
        self.engine.url()
    }

    pub fn case_of(&self, function: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.function == function)
    }
}

/// The secret whose name a variable holds (`SECRET_…_ARN`).
fn secret(variable: &str) -> Option<SecretName> {
    SecretName::ALL.into_iter().find(|name| name.variable() + "_ARN" == variable)
}
