//! The functions, put together as their mains do it.

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use shared::api::{code_issuance, code_verification, policy_admin, sign_in, user_directory};
use shared::auth::credential::{Credential, Holder};
use shared::auth::{
    AccessTokenVerifier, Argon2Passwords, CodePeppers, Es256TokenSigner, HmacCodes, HmacRecoveryCodes,
    IssuerAddresses, OidcIdTokens, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys,
    SigningKeys, XChaChaLoginSealer, XChaChaPersonalData,
};
use shared::compose::{self, Base};
use shared::config::{Aws, Environment};
use shared::domain::time::Timestamp;
use shared::dynamodb::DynamoStore;
use shared::http::{Edge, lambda};
use shared::ports::{AccessTokens, Clock, Codes, Entropy, LoginSealer, Passwords, PersonalData, TokenSigner};
use shared::sms::{SnsOptions, SnsSender};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BASE_URL: &str = "https://api.example.com";
/// In 2100: an engine that deletes what has expired by the real clock leaves it alone.
const NOW: i64 = 4_102_495_200_000;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(NOW)
    }
}

/// Random bytes that are the same each time (splitmix64).
#[derive(Debug, Default)]
pub struct Draws(AtomicU64);

impl Draws {
    /// What is drawn from here on follows from `seed`.
    pub fn start(&self, seed: &str) {
        let seed = seed.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(257).wrapping_add(byte.into()));
        self.0.store(seed, Ordering::Relaxed);
    }
}

impl Entropy for Draws {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Keys of nobody.
pub mod keys {
    use super::*;

    fn ring(byte: u8) -> Value {
        json!({ "current": "a", "keys": { "a": STANDARD.encode([byte; 32]) } })
    }

    pub fn codes() -> HmacCodes {
        HmacCodes::new(CodePeppers::parse(&ring(1)).expect("a ring"))
    }

    pub fn sealer(draws: &Arc<Draws>) -> XChaChaLoginSealer {
        XChaChaLoginSealer::new(SealingKeys::parse(&ring(2)).expect("a ring"), draws.clone())
    }

    pub fn personal(draws: &Arc<Draws>) -> XChaChaPersonalData {
        let keys = json!({ "sealing": ring(3), "hash_key": STANDARD.encode([4; 32]) });
        XChaChaPersonalData::new(PersonalDataKeys::parse(&keys).expect("keys"), draws.clone())
    }

    pub fn recovery() -> HmacRecoveryCodes {
        HmacRecoveryCodes::new(RecoveryPeppers::parse(&ring(5)).expect("a ring"))
    }

    /// New ones each time: nothing that is recorded is signed.
    pub fn signing() -> SigningKeys {
        let secret = SigningKeys::generate().expect("the system has random bytes");
        SigningKeys::parse(secret.expose()).expect("keys that were just made")
    }
}

/// The service over one HTTP client.
pub struct World {
    pub base: Base,
    pub draws: Arc<Draws>,
    sns: aws_sdk_sns::Client,
}

impl World {
    /// `endpoint` is the engine's; without it, requests go where AWS is, as far as `client` lets them.
    pub fn new(
        client: impl Fn(Option<SharedHttpClient>) -> SharedHttpClient,
        endpoint: Option<&str>,
    ) -> Self {
        let mut variables = vec![
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "nobody's"),
            (
                "AWS_SESSION_TOKEN",
                "nobody's, and as long as they are: 0123456789012345678901234567890123456789",
            ),
        ];
        variables.extend(endpoint.map(|url| ("AWS_ENDPOINT_URL_DYNAMODB", url)));
        let environment: Environment =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let aws: Aws = environment.aws().expect("nothing is missing");
        let (dynamodb, sns) = (aws.dynamodb(), aws.sns());
        let http = client(dynamodb.config().http_client());
        let dynamodb = dynamodb.config().to_builder().http_client(http.clone()).build();
        let sns = aws_sdk_sns::Client::from_conf(sns.config().to_builder().http_client(http).build());
        let draws = Arc::new(Draws::default());
        let base = Base {
            store: DynamoStore::new(
                aws_sdk_dynamodb::Client::from_conf(dynamodb),
                "mfa-directory",
                "mfa-logins",
            ),
            clock: Arc::new(Still),
            entropy: draws.clone(),
        };
        Self { base, draws, sns }
    }

    fn edge(&self) -> Edge {
        Edge::new(self.base.clock.clone(), self.base.entropy.clone())
    }

    fn passwords(&self) -> Arc<dyn Passwords> {
        Arc::new(Argon2Passwords::new(self.draws.clone()).expect("its parameters are right"))
    }

    fn personal(&self) -> Arc<dyn PersonalData> {
        Arc::new(keys::personal(&self.draws))
    }

    fn finishing(&self) -> (Arc<dyn LoginSealer>, Arc<dyn TokenSigner>, Arc<dyn AccessTokens>) {
        let signing = keys::signing();
        let sealer = keys::sealer(&self.draws).with_proofs(&signing);
        let access = AccessTokenVerifier::new(&signing.public_keys(), BASE_URL);
        (
            Arc::new(sealer),
            Arc::new(Es256TokenSigner::new(signing, BASE_URL, self.draws.clone())),
            Arc::new(access),
        )
    }

    /// `policy-admin` and `user-directory`, and the operator's key.
    pub fn administration(&self) -> (Edge, String) {
        let operator = Credential::generate(Holder::Operator, |buffer| self.draws.fill(buffer));
        let hashes = OperatorHashes::parse(&OperatorHashes::admitting(&operator)).expect("one operator");
        let hashes = hashes.hashes().to_vec();
        let policy = compose::policy_admin(&self.base, hashes.clone(), BASE_URL.to_owned());
        let users = compose::user_directory(
            &self.base,
            hashes,
            BASE_URL.to_owned(),
            self.passwords(),
            self.personal(),
        );
        let edge = self.edge().mount(Arc::new(policy), policy_admin::ROUTES);
        (edge.mount(Arc::new(users), user_directory::ROUTES), operator.text.expose().clone())
    }

    pub fn sign_in(&self) -> Edge {
        let (sealer, signer, access) = self.finishing();
        let id_tokens = Arc::new(OidcIdTokens::new(IssuerAddresses::Public));
        let personal = self.personal();
        let app = compose::sign_in(
            &self.base,
            self.passwords(),
            id_tokens,
            personal,
            sealer,
            signer,
            access,
            BASE_URL,
        );
        self.edge().mount(Arc::new(app), sign_in::ROUTES)
    }

    pub fn code_issuance(&self) -> Edge {
        let sender = Arc::new(SnsSender::new(self.sns.clone(), SnsOptions::default()));
        let codes: Arc<dyn Codes> = Arc::new(keys::codes());
        let sealer = Arc::new(keys::sealer(&self.draws));
        let app = compose::code_issuance(&self.base, codes, self.personal(), sealer, sender, BASE_URL);
        self.edge().mount(Arc::new(app), code_issuance::ROUTES)
    }

    pub fn code_verification(&self) -> Edge {
        let (sealer, signer, _) = self.finishing();
        let (codes, recovery) = (Arc::new(keys::codes()), Arc::new(keys::recovery()));
        let app = compose::code_verification(&self.base, codes, recovery, sealer, signer, BASE_URL);
        self.edge().mount(Arc::new(app), code_verification::ROUTES)
    }
}

/// The gateway's event of a call.
pub fn call(method: &str, path: &str, bearer: Option<&str>, body: &Value) -> Value {
    // One that the tests of the template have; it is replaced what differs.
    let text = include_str!("../../../events/verify_code.json");
    let mut event: Value = serde_json::from_str(text).expect("an event");
    event["rawPath"] = path.into();
    event["requestContext"]["http"]["method"] = method.into();
    event["requestContext"]["http"]["path"] = path.into();
    event["body"] = body.to_string().into();
    event["pathParameters"] = Map::new().into();
    let headers = event["headers"].as_object_mut().expect("headers");
    headers.remove("authorization");
    // A back end, or a program of the user's: the recorded application lists no origin.
    headers.remove("origin");
    if let Some(bearer) = bearer {
        headers.insert("authorization".to_owned(), format!("Bearer {bearer}").into());
    }
    event
}

impl World {
    /// What a function answers: the status, and the body.
    pub async fn answer(edge: &Edge, event: Value) -> (u16, Value) {
        let answer = lambda::answer(edge, event).await.expect("the event is one");
        let answer = serde_json::to_value(answer).expect("an answer is JSON");
        let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
        let body = answer["body"].as_str().unwrap_or_default();
        (status.expect("a status"), serde_json::from_str(body).unwrap_or(Value::Null))
    }
}
