//! A deployment with one tenant and an application that asks for codes, and shorthand for what its users do.

use crate::support::{OWN_ORIGIN, SeededEntropy, TestClock, store};
use async_trait::async_trait;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use shared::api::notifications::NotificationsApp;
use shared::api::{code_issuance, code_verification, phone_binding, policy_admin, sign_in, user_directory};
use shared::auth::{
    AccessTokenVerifier, Argon2Passwords, CodePeppers, Es256TokenSigner, HmacCodes, HmacRecoveryCodes,
    IssuerAddresses, OidcIdTokens, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys,
    SigningKeys, XChaChaLoginSealer, XChaChaPersonalData,
};
use shared::compose::{self, Base};
use shared::dynamodb::{DynamoStore, Item};
use shared::http::Edge;
use shared::ports::{
    AccessTokens, Codes, Entropy, LoginSealer, OutgoingMessage, Passwords, PersonalData, RecoveryMacs,
    SendOutcome, SmsSender, TokenSigner,
};
use std::sync::{Arc, Mutex};

pub const PASSWORD: &str = "correct horse battery";
/// Longer than the wait between any two messages of these tests to one number.
pub const PAUSE: i64 = 130;

pub struct World {
    pub store: DynamoStore,
    pub clock: Arc<TestClock>,
    pub outbox: Arc<Outbox>,
    pub tenant: String,
    pub admin: String,
    pub application: String,
    /// Another application of the tenant, which asks for no code.
    pub lax: String,
    pub notifications: NotificationsApp,
    edge: Edge,
}

/// Messages in the place of a provider.
pub struct Outbox {
    sent: Mutex<Vec<(String, String)>>,
    pub outcome: Mutex<SendOutcome>,
}

#[async_trait]
impl SmsSender for Outbox {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        let mut sent = self.sent.lock().unwrap();
        sent.push((message.to.expose().clone(), message.body.expose().clone()));
        self.outcome.lock().unwrap().clone()
    }
}

/// A login that has begun.
#[derive(Clone, Debug)]
pub struct Login {
    pub id: String,
    pub token: String,
}

impl Login {
    pub fn of(answer: &Value) -> Self {
        Self { id: text(&answer["login"]["id"]), token: text(&answer["login_token"]) }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// Status and code in one.
    pub fn outcome(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

impl World {
    pub async fn new() -> Self {
        let store = store().await;
        let clock = Arc::new(TestClock::start());
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(23));
        let base = Base { store: store.clone(), clock: clock.clone(), entropy: entropy.clone() };
        let keys = PersonalDataKeys::parse(PersonalDataKeys::generate(&*entropy).expose()).unwrap();
        let personal: Arc<dyn PersonalData> = Arc::new(XChaChaPersonalData::new(keys, entropy.clone()));
        let keys = SealingKeys::parse(SealingKeys::generate(&*entropy).expose()).unwrap();
        let sealer: Arc<dyn LoginSealer> = Arc::new(XChaChaLoginSealer::new(keys, entropy.clone()));
        let keys = CodePeppers::parse(CodePeppers::generate(&*entropy).expose()).unwrap();
        let codes: Arc<dyn Codes> = Arc::new(HmacCodes::new(keys));
        let keys = RecoveryPeppers::parse(RecoveryPeppers::generate(&*entropy).expose()).unwrap();
        let recovery: Arc<dyn RecoveryMacs> = Arc::new(HmacRecoveryCodes::new(keys));
        let keys = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let url = "https://mfa.example";
        let access: Arc<dyn AccessTokens> = Arc::new(AccessTokenVerifier::new(&keys.public_keys(), url));
        let signer: Arc<dyn TokenSigner> = Arc::new(Es256TokenSigner::new(keys, url, entropy.clone()));
        let passwords: Arc<dyn Passwords> = Arc::new(Argon2Passwords::new(entropy.clone()).unwrap());
        let (operator, hashes) = OperatorHashes::generate(&*entropy);
        let hashes = OperatorHashes::parse(&hashes).unwrap().hashes().to_vec();
        let accepted = SendOutcome::Accepted { message_id: "m".into() };
        let outbox = Arc::new(Outbox { sent: Mutex::default(), outcome: Mutex::new(accepted) });

        let users = compose::user_directory(
            &base,
            hashes.clone(),
            OWN_ORIGIN.into(),
            passwords.clone(),
            personal.clone(),
        );
        let id_tokens = Arc::new(OidcIdTokens::new(IssuerAddresses::Any));
        let first = compose::sign_in(
            &base,
            passwords,
            id_tokens,
            personal.clone(),
            sealer.clone(),
            signer.clone(),
            access.clone(),
            url,
        );
        let binding =
            compose::phone_binding(&base, personal.clone(), sealer.clone(), access, recovery.clone(), url);
        let notifications = compose::notifications(&base, personal.clone(), outbox.clone());
        let issuance =
            compose::code_issuance(&base, codes.clone(), personal, sealer.clone(), outbox.clone(), url);
        let verification = compose::code_verification(&base, codes, recovery, sealer, signer, url);
        let edge = Edge::new(clock.clone(), entropy)
            .mount(Arc::new(compose::policy_admin(&base, hashes, OWN_ORIGIN.into())), policy_admin::ROUTES)
            .mount(Arc::new(users), user_directory::ROUTES)
            .mount(Arc::new(first), sign_in::ROUTES)
            .mount(Arc::new(binding), phone_binding::ROUTES)
            .mount(Arc::new(issuance), code_issuance::ROUTES)
            .mount(Arc::new(verification), code_verification::ROUTES);
        let mut world = Self {
            store,
            clock,
            outbox,
            tenant: String::new(),
            admin: String::new(),
            application: String::new(),
            lax: String::new(),
            notifications,
            edge,
        };
        let operator = operator.text.into_exposed();
        (world.tenant, world.admin) = world.new_tenant(&operator).await;
        world.security(json!({"mfa": {"sms": {"enabled": true}}})).await;
        let application = json!({"name": "Shop", "origins": ["https://shop.example"]});
        world.application = text(&world.admin("POST", "/applications", application).await.expect(201)["id"]);
        let lax = json!({"name": "Lax", "customize_security": true});
        world.lax = text(&world.admin("POST", "/applications", lax).await.expect(201)["id"]);
        let off = json!({"mfa": {"sms": {"enabled": false}}});
        world.admin("PATCH", &format!("/applications/{}/security", world.lax), off).await.expect(200);
        world
    }

    async fn new_tenant(&self, operator: &str) -> (String, String) {
        let body = json!({"name": "Acme", "home_country": "US"});
        let made = self.call("POST", "/v1/tenants", operator, body).await.expect(201);
        (text(&made["id"]), text(&made["admin_key"]["secret"]))
    }

    /// Changes the tenant's settings.
    pub async fn security(&self, patch: Value) {
        self.admin("PATCH", "/security", patch).await.expect(200);
    }

    /// A user with a password; bound from the start where a number is given.
    pub async fn user(&self, name: &str, phone: Option<&str>) -> String {
        let mut body = json!({"username": name, "password": PASSWORD});
        if let Some(phone) = phone {
            body["phone"] = json!(phone);
        }
        text(&self.admin("POST", "/users", body).await.expect(201)["id"])
    }

    /// A call of the tenant's owner. No body where it is null.
    pub async fn admin(&self, method: &str, below: &str, body: Value) -> Answer {
        self.call(method, &format!("/v1/tenants/{}{below}", self.tenant), &self.admin, body).await
    }

    pub async fn call(&self, method: &str, path: &str, key: &str, body: Value) -> Answer {
        self.call_from(None, method, path, key, body).await
    }

    pub async fn call_from(
        &self,
        origin: Option<&str>,
        method: &str,
        path: &str,
        key: &str,
        body: Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let body = match body {
            Value::Null => Bytes::new(),
            body => {
                request = request.header("content-type", "application/json");
                Bytes::from(body.to_string())
            }
        };
        let response = self.edge.handle(request.body(body).unwrap(), None, None).await;
        let headers = response.headers().clone();
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Answer { status: response.status().as_u16(), headers, body }
    }

    /// The first factor of a user of `application`, with `more` in the body.
    pub async fn start(&self, application: &str, name: &str, more: Value) -> Answer {
        let mut body =
            json!({"application": application, "password": {"account": name, "password": PASSWORD}});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.call("POST", "/v1/logins", "", body).await
    }

    pub async fn login(&self, name: &str) -> Login {
        Login::of(&self.start(&self.application, name, json!({})).await.expect(200))
    }

    /// A step of a login: `phone`, `code`, `verification`.
    pub async fn step(&self, login: &Login, what: &str, body: Value) -> Answer {
        self.call("POST", &format!("/v1/logins/{}/{what}", login.id), &login.token, body).await
    }

    /// Sends a code and answers it.
    pub async fn sent_code(&self, login: &Login) -> String {
        self.step(login, "code", json!({})).await.expect(200);
        self.last_code()
    }

    /// Sends a code and gives it back, with `more` in the body.
    pub async fn verify(&self, login: &Login, more: Value) -> Answer {
        let mut body = json!({"code": self.sent_code(login).await});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.step(login, "verification", body).await
    }

    /// The access token of a whole login with a code.
    pub async fn signed_in(&self, name: &str) -> String {
        let login = self.login(name).await;
        let answer = self.verify(&login, json!({})).await.expect(200);
        text(&answer["tokens"]["access_token"])
    }

    /// The access token of a login without a code.
    pub async fn signed_in_laxly(&self, name: &str) -> String {
        let answer = self.start(&self.lax, name, json!({})).await.expect(200);
        text(&answer["tokens"]["access_token"])
    }

    /// A call of a user.
    pub async fn me(&self, method: &str, below: &str, token: &str, body: Value) -> Answer {
        self.call(method, &format!("/v1/me{below}"), token, body).await
    }

    /// Messages so far: to whom, and what.
    pub fn messages(&self) -> Vec<(String, String)> {
        self.outbox.sent.lock().unwrap().clone()
    }

    /// The code of the last message.
    pub fn last_code(&self) -> String {
        let (_, body) = self.messages().pop().expect("a message");
        body.rsplit_once('#').expect("its last line").1.to_owned()
    }

    pub fn last_to(&self) -> String {
        self.messages().pop().expect("a message").0
    }

    pub fn pause(&self) {
        self.clock.advance(PAUSE);
    }

    /// The user's number in full, as the administrator sees it.
    pub async fn number(&self, user: &str) -> Option<String> {
        let body = self.admin("GET", &format!("/users/{user}"), Value::Null).await.expect(200);
        body["phone"].as_str().map(str::to_owned)
    }

    /// As if so many wrong codes had been given in a row.
    pub async fn set_failures(&self, user: &str, failures: u32) {
        let key = |name: &str, value: String| (name.to_owned(), shared::dynamodb::string(value));
        let key = [key("pk", format!("login#{}#{user}", self.tenant)), key("sk", "factor".to_owned())];
        self.store
            .client()
            .update_item()
            .table_name(self.store.logins())
            .set_key(Some(key.into()))
            .update_expression("SET failures = :failures")
            .expression_attribute_values(":failures", shared::dynamodb::number(failures))
            .send()
            .await
            .unwrap();
    }

    /// All items of the logins table whose partition keys start so.
    pub async fn logins(&self, kind: &str) -> Vec<Item> {
        let pages = self.store.client().scan().table_name(self.store.logins()).consistent_read(true);
        let mut items = pages.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.unwrap();
            if item["pk"].as_s().unwrap().starts_with(kind) {
                found.push(item);
            }
        }
        found
    }

    /// The kinds of the notices that wait.
    pub async fn notices(&self) -> Vec<String> {
        let mut kinds: Vec<_> = self.logins("notice#").await;
        kinds.sort_by_key(|item| item["sk"].as_s().unwrap().clone());
        kinds.iter().map(|item| item["kind"].as_s().unwrap().clone()).collect()
    }
}
