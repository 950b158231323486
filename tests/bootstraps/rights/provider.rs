//! An OpenID provider that is known by its keys: another deployment's signer, on this machine.

use shared::auth::{Es256TokenSigner, SigningKeys};
use shared::config::{OsEntropy, SystemClock};
use shared::domain::ids::{ApplicationId, LoginId, TenantId, UserId};
use shared::ports::{Clock, Entropy, TokenClaims, TokenSigner};
use std::sync::Arc;
use tests::server::{self, Server};

pub struct Provider {
    pub issuer: String,
    pub jwks_uri: String,
    /// The client id that it knows us by.
    pub application: ApplicationId,
    tenant: TenantId,
    signer: Es256TokenSigner,
    _server: Server,
}

impl Provider {
    pub async fn start() -> Self {
        let draw = |buffer: &mut [u8]| OsEntropy.fill(buffer);
        let tenant = TenantId::generate(draw);
        let keys = SigningKeys::parse(SigningKeys::generate().unwrap().expose()).unwrap();
        let jwks = keys.public_keys().jwks();
        let server = Server::start(move |_| {
            let answer = server::json(200, &jwks);
            Box::pin(async { Some(answer) })
        })
        .await;
        Self {
            issuer: format!("{}/t/{tenant}", server.url()),
            jwks_uri: format!("{}/keys", server.url()),
            application: ApplicationId::generate(&tenant, draw),
            signer: Es256TokenSigner::new(keys, &server.url(), Arc::new(OsEntropy)),
            tenant,
            _server: server,
        }
    }

    pub fn id_token(&self) -> String {
        let draw = |buffer: &mut [u8]| OsEntropy.fill(buffer);
        let now = SystemClock.now();
        let claims = TokenClaims {
            tenant: self.tenant.clone(),
            application: self.application.clone(),
            user: UserId::generate(draw),
            login: LoginId::generate(draw),
            auth_time: now,
            issued_at: now,
            amr: &["pwd"],
            acr: "aal1",
            code: None,
        };
        self.signer.sign(&claims).unwrap().id_token.into_exposed()
    }
}
