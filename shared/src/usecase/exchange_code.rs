//! The token endpoint: an authorization code for tokens, once.

use super::access::AllowOrigin;
use super::authorize::own_redirects;
use super::page_tokens::PageTokens;
use crate::auth::credential::{Credential, Holder};
use crate::domain::application::{Application, ApplicationType};
use crate::domain::authorization::{AuthorizationCode, Scopes};
use crate::domain::ids::{ApplicationId, TenantId, base62};
use crate::domain::time::Timestamp;
use crate::ports::authorization::{GrantStore, Redeemed, Redemption};
use crate::ports::{Clock, CodeClaims, Entropy, Fault, PolicyReader, TokenClaims, TokenSigner, Tokens};
use std::sync::Arc;

/// Exchanges codes.
#[derive(Clone)]
pub struct ExchangeCode {
    pub policy: Arc<dyn PolicyReader>,
    pub grants: Arc<dyn GrantStore>,
    pub tokens: PageTokens,
    pub signer: Arc<dyn TokenSigner>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The service's public address, without a slash at its end.
    pub base: String,
}

/// What a client sends, before anything of it is believed.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub tenant: &'a TenantId,
    pub client: &'a str,
    /// The application's secret, if one was presented.
    pub secret: Option<&'a str>,
    /// The browser's `Origin`, if there is one.
    pub origin: Option<&'a str>,
    pub code: &'a str,
    pub redirect_uri: &'a str,
    pub verifier: &'a str,
}

#[derive(Debug)]
pub struct Exchanged {
    pub tokens: Tokens,
    pub scopes: Scopes,
}

/// Why there are no tokens (RFC 6749 §5.2).
#[derive(Debug)]
pub enum NotExchanged {
    /// No such application, or not its secret.
    Client,
    /// The browser's page is not one of the application's.
    Origin,
    /// Everything that a code can lack: which of it, only its holder's own log may tell.
    Grant,
    Fault(Fault),
}

impl From<Fault> for NotExchanged {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl ExchangeCode {
    /// `allow_origin` is called as soon as the caller's origin is known to be one of the application's, so that a page can read refusals too.
    pub async fn exchange(
        &self,
        asked: Exchange<'_>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Exchanged, NotExchanged> {
        let id = ApplicationId::parse(asked.client).filter(|id| id.tenant() == *asked.tenant);
        let id = id.ok_or(NotExchanged::Client)?;
        let facts = self.policy.policy_facts(&id, None, None).await?;
        let application = facts.ok_or(NotExchanged::Client)?.application;
        admit(&application, &asked, allow_origin)?;
        self.exchange_admitted(application, &asked).await
    }

    /// The same for a page of this service itself, which takes a login's end at `redirect_uri` and shows no secret. Only a code that was made for
    /// it is taken, and only with the verifier that its own browser holds.
    pub async fn exchange_for_own_page(
        &self,
        application: &ApplicationId,
        redirect_uri: &str,
        code: &str,
        verifier: &str,
    ) -> Result<Exchanged, NotExchanged> {
        let tenant = application.tenant();
        let facts = self.policy.policy_facts(application, None, None).await?;
        let found = facts.ok_or(NotExchanged::Client)?.application;
        let asked = Exchange {
            tenant: &tenant,
            client: application.as_str(),
            secret: None,
            origin: None,
            code,
            redirect_uri,
            verifier,
        };
        self.exchange_admitted(found, &asked).await
    }

    async fn exchange_admitted(
        &self,
        application: Application,
        asked: &Exchange<'_>,
    ) -> Result<Exchanged, NotExchanged> {
        let now = self.clock.now();
        let code = self.tokens.open_code(asked.code).ok_or(NotExchanged::Grant)?;
        if !self.is_meant(&code, &application, asked) {
            return Err(NotExchanged::Grant);
        }
        self.redeem(&code, now).await?;
        let claims = TokenClaims {
            tenant: application.id.tenant(),
            application: application.id,
            user: code.user,
            login: code.login,
            auth_time: code.auth_time,
            issued_at: now,
            amr: code.proof.amr(),
            acr: code.proof.acr(),
            code: Some(CodeClaims { grant: code.grant, nonce: code.nonce, scopes: code.scopes }),
        };
        Ok(Exchanged { tokens: self.signer.sign(&claims)?, scopes: code.scopes })
    }

    /// Whether the code was made for this client, this redirect and this verifier. Whoever holds a code without these neither uses it up nor
    /// voids anything. The redirect still is one of the application's: an address that was taken away gets no tokens.
    fn is_meant(&self, code: &AuthorizationCode, application: &Application, asked: &Exchange<'_>) -> bool {
        let redirect = &code.redirect_uri;
        let registered = application.redirect_uris.contains(redirect)
            || own_redirects(&self.base, &application.id).contains(redirect);
        code.application == application.id
            && registered
            && redirect == asked.redirect_uri
            && code.challenge.is_met_by(asked.verifier)
    }

    /// Uses the code up. One that comes again, in time or not, voids what it was exchanged for (RFC 6749 §4.1.2): one of the two who had it
    /// stole it, and nobody can tell which.
    async fn redeem(&self, code: &AuthorizationCode, now: Timestamp) -> Result<(), NotExchanged> {
        let tenant = &code.application.tenant();
        if now < code.expires_at {
            let attempt = base62(22, |buffer| self.entropy.fill(buffer));
            let redemption =
                Redemption { tenant, grant: &code.grant, login: &code.login, attempt: &attempt, now };
            match self.grants.redeem(redemption).await? {
                Redeemed::First => return Ok(()),
                Redeemed::Again => {
                    tracing::warn!(login = %code.login, "an authorization code was used twice: its tokens are void");
                }
            }
        }
        self.grants.void(tenant, &code.grant, now).await?;
        Err(NotExchanged::Grant)
    }
}

/// Whether the caller may speak for the application: with one of its secrets, or as a public one. A secret that is shown has to be right in
/// any case.
fn admit(
    application: &Application,
    asked: &Exchange<'_>,
    allow_origin: AllowOrigin<'_>,
) -> Result<(), NotExchanged> {
    if let Some(origin) = asked.origin {
        if !application.origins.iter().any(|known| known == origin) {
            return Err(NotExchanged::Origin);
        }
        allow_origin(origin);
    }
    let Some(text) = asked.secret else {
        let public = application.kind == ApplicationType::Public;
        return if public { Ok(()) } else { Err(NotExchanged::Client) };
    };
    let credential = Credential::parse(text).ok_or(NotExchanged::Client)?;
    let Holder::Application { application: whose, key } = &credential.holder else {
        return Err(NotExchanged::Client);
    };
    let live = application.secrets.iter().find(|secret| secret.id == *key);
    if *whose == application.id && live.is_some_and(|secret| credential.matches(&secret.hash)) {
        Ok(())
    } else {
        Err(NotExchanged::Client)
    }
}
