//! A deployment with one tenant, an application and an identity source, and shorthand for calls to it.

use crate::issuer::{Issuer, SigningKey};
use crate::support::{OWN_ORIGIN, SeededEntropy, TestClock, store};
use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use shared::api::{code_issuance, code_verification, phone_binding, policy_admin, sign_in, user_directory};
use shared::auth::{
    AccessTokenVerifier, Argon2Passwords, CodePeppers, Es256TokenSigner, HmacCodes, HmacRecoveryCodes,
    IssuerAddresses, OidcIdTokens, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys,
    SigningKeys, XChaChaLoginSealer, XChaChaPersonalData,
};
use shared::compose::{self, Base};
use shared::domain::audit::AuditEvent;
use shared::domain::factor::Factor;
use shared::domain::first_factor::Throttle;
use shared::domain::ids::TenantId;
use shared::domain::time::Timestamp;
use shared::domain::user::User;
use shared::dynamodb::{DynamoStore, Item};
use shared::http::Edge;
use shared::ports::login::{SignInFacts, SignInQuery, SignInStore};
use shared::ports::{
    AccessTokens, Clock, Codes, Entropy, Fault, LoginSealer, OutgoingMessage, Passwords, PersonalData,
    ProvisionStore, Provisioned, SendOutcome, SmsSender, TokenSigner,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The service's own address.
const BASE: &str = "https://mfa.example";

pub struct World {
    pub store: DynamoStore,
    pub clock: Arc<TestClock>,
    pub personal: Arc<dyn PersonalData>,
    pub counted: Arc<Counted>,
    pub issuer: Issuer,
    pub signing: SigningKey,
    pub tenant: TestTenant,
    pub application: String,
    outbox: Arc<Outbox>,
    operator: String,
    edge: Edge,
}

/// A tenant and its first owner key.
pub struct TestTenant {
    pub id: String,
    pub key: String,
}

impl TestTenant {
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/tenants/{}{rest}", self.id)
    }

    pub fn id(&self) -> TenantId {
        TenantId::parse(&self.id).expect("an id")
    }
}

/// The store as sign-in sees it, with its requests counted.
pub struct Counted {
    store: DynamoStore,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl Counted {
    /// Reads and writes since the last time.
    pub fn take(&self) -> (usize, usize) {
        (self.reads.swap(0, Ordering::SeqCst), self.writes.swap(0, Ordering::SeqCst))
    }
}

#[async_trait]
impl SignInStore for Counted {
    async fn sign_in_facts(&self, query: &SignInQuery<'_>) -> Result<SignInFacts, Fault> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.store.sign_in_facts(query).await
    }

    async fn count_failed_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        now: Timestamp,
    ) -> Result<(), Fault> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.store.count_failed_first_factor(subject, seen, now).await
    }

    async fn charge_first_factor(
        &self,
        subject: &str,
        seen: Throttle,
        attempt: &str,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.store.charge_first_factor(subject, seen, attempt, now).await
    }

    async fn uncharge_first_factor(&self, subject: &str, seen: Throttle, attempt: &str) -> Result<(), Fault> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.store.uncharge_first_factor(subject, seen, attempt).await
    }
}

#[async_trait]
impl ProvisionStore for Counted {
    async fn create_from_subject(
        &self,
        user: &User,
        factor: &Factor,
        events: &[AuditEvent],
    ) -> Result<Provisioned, Fault> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        self.store.create_from_subject(user, factor, events).await
    }
}

#[derive(Default)]
struct Outbox(Mutex<Vec<String>>);

#[async_trait]
impl SmsSender for Outbox {
    async fn send(&self, message: &OutgoingMessage) -> SendOutcome {
        let mut sent = self.0.lock().expect("no test panics with it");
        sent.push(message.body.expose().clone());
        SendOutcome::Accepted { message_id: sent.len().to_string() }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
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

/// What a token of ours says.
pub fn claims(token: &Value) -> Value {
    let part = text(token).split('.').nth(1).expect("a JWT").to_owned();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

impl World {
    pub async fn new() -> Self {
        let store = store().await;
        let clock = Arc::new(TestClock::start());
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(11));
        let base = Base { store: store.clone(), clock: clock.clone(), entropy: entropy.clone() };
        let keys = PersonalDataKeys::parse(PersonalDataKeys::generate(&*entropy).expose()).expect("keys");
        let personal: Arc<dyn PersonalData> = Arc::new(XChaChaPersonalData::new(keys, entropy.clone()));
        let keys = SealingKeys::parse(SealingKeys::generate(&*entropy).expose()).expect("keys");
        let sealer: Arc<dyn LoginSealer> = Arc::new(XChaChaLoginSealer::new(keys, entropy.clone()));
        let keys = CodePeppers::parse(CodePeppers::generate(&*entropy).expose()).expect("keys");
        let codes: Arc<dyn Codes> = Arc::new(HmacCodes::new(keys));
        let keys = RecoveryPeppers::parse(RecoveryPeppers::generate(&*entropy).expose()).expect("keys");
        let recovery = Arc::new(HmacRecoveryCodes::new(keys));
        let keys = SigningKeys::parse(SigningKeys::generate().expect("keys").expose()).expect("keys");
        let access: Arc<dyn AccessTokens> = Arc::new(AccessTokenVerifier::new(&keys.public_keys(), BASE));
        let signer: Arc<dyn TokenSigner> = Arc::new(Es256TokenSigner::new(keys, BASE, entropy.clone()));
        let passwords: Arc<dyn Passwords> =
            Arc::new(Argon2Passwords::new(entropy.clone()).expect("parameters"));
        let id_tokens = Arc::new(OidcIdTokens::new(IssuerAddresses::Any));
        let (operator, hashes) = OperatorHashes::generate(&*entropy);
        let hashes = OperatorHashes::parse(&hashes).expect("hashes").hashes().to_vec();
        let outbox = Arc::new(Outbox::default());

        let users = compose::user_directory(
            &base,
            hashes.clone(),
            OWN_ORIGIN.into(),
            passwords.clone(),
            personal.clone(),
        );
        let mut first = compose::sign_in(
            &base,
            passwords,
            id_tokens,
            personal.clone(),
            sealer.clone(),
            signer.clone(),
            access.clone(),
            BASE,
        );
        let counted = Arc::new(Counted {
            store: store.clone(),
            reads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
        });
        first.sign_in.store = counted.clone();
        first.sign_in.provision = counted.clone();
        let binding =
            compose::phone_binding(&base, personal.clone(), sealer.clone(), access, recovery.clone(), BASE);
        let issuance = compose::code_issuance(
            &base,
            codes.clone(),
            personal.clone(),
            sealer.clone(),
            outbox.clone(),
            BASE,
        );
        let verification = compose::code_verification(&base, codes, recovery, sealer, signer, BASE);
        let edge = Edge::new(clock.clone(), entropy)
            .mount(Arc::new(compose::policy_admin(&base, hashes, OWN_ORIGIN.into())), policy_admin::ROUTES)
            .mount(Arc::new(users), user_directory::ROUTES)
            .mount(Arc::new(first), sign_in::ROUTES)
            .mount(Arc::new(binding), phone_binding::ROUTES)
            .mount(Arc::new(issuance), code_issuance::ROUTES)
            .mount(Arc::new(verification), code_verification::ROUTES);

        let (issuer, signing) = (Issuer::start().await, SigningKey::p256());
        issuer.publish(&[signing.jwk("k")]);
        let mut world = Self {
            store,
            clock,
            personal,
            counted,
            issuer,
            signing,
            tenant: TestTenant { id: String::new(), key: String::new() },
            application: String::new(),
            outbox,
            operator: operator.text.into_exposed(),
            edge,
        };
        world.tenant = world.new_tenant().await;
        world.application = text(&world.new_application(json!({"name": "Shop"})).await["id"]);
        world
    }

    pub async fn new_tenant(&self) -> TestTenant {
        let body = json!({"name": "Acme", "home_country": "US"});
        let made = self.call("POST", "/v1/tenants", &self.operator, body).await.expect(201);
        TestTenant { id: text(&made["id"]), key: text(&made["admin_key"]["secret"]) }
    }

    pub async fn new_application(&self, body: Value) -> Value {
        self.admin("POST", "/applications", body).await.expect(201)
    }

    /// A new source's id. `provisioning` is left out where there is none.
    pub async fn source(&self, provisioning: Option<&str>) -> String {
        let mut body =
            json!({"kind": "oidc", "name": "Corporate", "issuer": self.issuer.url, "audience": "shop"});
        if let Some(provisioning) = provisioning {
            body["provisioning"] = json!(provisioning);
        }
        text(&self.admin("POST", "/identity-sources", body).await.expect(201)["id"])
    }

    /// A call of the tenant's owner. No body where it is null.
    pub async fn admin(&self, method: &str, below: &str, body: Value) -> Answer {
        self.call(method, &self.tenant.path(below), &self.tenant.key, body).await
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
        let response = self.edge.handle(request.body(body).expect("a request"), None, None).await;
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.map(|value| value.to_str().expect("ASCII").to_owned());
        let body = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Answer { status: response.status().as_u16(), retry_after, body }
    }

    /// A good id token for this subject.
    pub fn token(&self, sub: &str) -> String {
        let now = self.clock.now().secs();
        let claims = json!({"iss": self.issuer.url, "aud": "shop", "sub": sub, "iat": now, "exp": now + 300});
        self.signing.token("k", &claims)
    }

    pub fn offer(&self, source: &str, sub: &str) -> Value {
        json!({"application": self.application, "id_token": {"identity_source": source, "token": self.token(sub)}})
    }

    /// A first factor by this source and subject.
    pub async fn log_in(&self, source: &str, sub: &str) -> Answer {
        self.call("POST", "/v1/logins", "", self.offer(source, sub)).await
    }

    /// The code of the last message.
    pub fn last_code(&self) -> String {
        let sent = self.outbox.0.lock().expect("no test panics with it");
        let body = sent.last().expect("a message");
        body.rsplit_once('#').expect("its last line").1.to_owned()
    }

    /// All items of both tables.
    pub async fn items(&self) -> Vec<Item> {
        let mut found = Vec::new();
        for table in [self.store.directory(), self.store.logins()] {
            let pages = self.store.client().scan().table_name(table).consistent_read(true);
            let mut items = pages.into_paginator().items().send();
            while let Some(item) = items.next().await {
                found.push(item.expect("a scan"));
            }
        }
        found
    }

    /// How many items there are of a kind: what partition keys start with.
    pub async fn count(&self, kind: &str) -> usize {
        let of_kind = |item: &Item| item["pk"].as_s().expect("a string").starts_with(kind);
        self.items().await.iter().filter(|item| of_kind(item)).count()
    }

    /// Users, owners and factors.
    pub async fn counts(&self) -> [usize; 3] {
        [self.count("user#").await, self.count("owner#").await, self.count("login#").await]
    }
}
