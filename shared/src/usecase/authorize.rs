//! The authorization endpoint: what an application asks of a hosted login, and how the browser gets back to it.

use super::page_tokens::PageTokens;
use crate::domain::authorization::{
    self as rules, AuthorizationCode, AuthorizationError, AuthorizationRequest, CODE_SECONDS, Done,
    Parameters, Unsound,
};
use crate::domain::ids::{ApplicationId, GrantId, TenantId};
use crate::domain::refusal::Refusal;
use crate::ports::{Clock, Entropy, Fault, PolicyReader};
use std::sync::Arc;

/// Takes authorization requests and ends them.
#[derive(Clone)]
pub struct Authorize {
    pub policy: Arc<dyn PolicyReader>,
    pub tokens: PageTokens,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The service's public address, without a slash at its end.
    pub base: String,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Judged {
    /// A hosted login begins.
    Begin(AuthorizationRequest),
    /// The browser goes to this address of the application, which is told what is wrong.
    Back(String),
    /// Whoever looks at the page is told.
    Unsound(Unsound),
}

impl Authorize {
    /// Reads the application and decides. Nothing is written.
    pub async fn judge(&self, tenant: &TenantId, asked: &Parameters) -> Result<Judged, Fault> {
        let client = asked.get("client_id").and_then(|id| ApplicationId::parse(id));
        let application = match client.filter(|id| id.tenant() == *tenant) {
            Some(id) => self.policy.policy_facts(&id, None, None).await?.map(|facts| facts.application),
            None => None,
        };
        let own = application.iter().flat_map(|application| own_redirects(&self.base, &application.id));
        let own: Vec<String> = own.collect();
        let redirect_uri = match rules::redirect(asked, application.as_ref(), &own) {
            Ok(redirect_uri) => redirect_uri,
            Err(unsound) => return Ok(Judged::Unsound(unsound)),
        };
        let Some(application) = &application else { return Ok(Judged::Unsound(Unsound::Client)) };
        Ok(match rules::request(asked, application, redirect_uri) {
            Ok(request) => Judged::Begin(request),
            Err(refused) => Judged::Back(self.back(
                &refused.redirect_uri,
                tenant,
                refused.state.as_deref(),
                &error_pairs(&refused.error),
            )),
        })
    }

    /// The address that a completed login goes on to, with a new code. Nothing is written: whether a code was used is told by what it was
    /// exchanged for.
    ///
    /// # Errors
    /// [`Refusal::LoginExpired`] for a proof that is over or not of this request's application. Such a one never leaves its cookie.
    pub fn finish(&self, request: &AuthorizationRequest, done: &Done) -> Result<String, Refusal> {
        let now = self.clock.now();
        if done.application != request.application || now >= done.expires_at {
            return Err(Refusal::LoginExpired);
        }
        let code = AuthorizationCode {
            grant: GrantId::generate(|buffer| self.entropy.fill(buffer)),
            application: request.application.clone(),
            user: done.user.clone(),
            login: done.login.clone(),
            auth_time: done.auth_time,
            proof: done.proof,
            redirect_uri: request.redirect_uri.clone(),
            challenge: request.challenge.clone(),
            nonce: request.nonce.clone(),
            scopes: request.scopes,
            expires_at: now.plus_secs(CODE_SECONDS),
        };
        let code = self.tokens.seal_code(&code);
        let told = [("code", code.expose().as_str())];
        Ok(self.back(&request.redirect_uri, &request.tenant(), request.state.as_deref(), &told))
    }

    /// The address that a login goes back to which its user gave up.
    pub fn give_up(&self, request: &AuthorizationRequest, error: &AuthorizationError) -> String {
        let (tenant, state) = (request.tenant(), request.state.as_deref());
        self.back(&request.redirect_uri, &tenant, state, &error_pairs(error))
    }

    /// With the state as it came, and the issuer, so that no other provider's answer passes for ours (RFC 9207).
    fn back(
        &self,
        redirect_uri: &str,
        tenant: &TenantId,
        state: Option<&str>,
        told: &[(&str, &str)],
    ) -> String {
        let issuer = format!("{}/t/{tenant}", self.base);
        let mut pairs = told.to_vec();
        pairs.extend(state.map(|state| ("state", state)));
        pairs.push(("iss", &issuer));
        rules::back_to(redirect_uri, &pairs)
    }
}

/// The result page of *Experience login* (acceptance E1), which is a client like any other.
pub fn experience_redirect(base: &str, application: &ApplicationId) -> String {
    format!("{base}/t/{}/experience/{application}/result", application.tenant())
}

/// The page that plays a signed-in phone (acceptance F2), another such client. It is the same for every application of a tenant.
pub fn scan_redirect(base: &str, tenant: &TenantId) -> String {
    format!("{base}/t/{tenant}/scan/signed-in")
}

/// Pages of ours that take a login's end, for every application.
pub(super) fn own_redirects(base: &str, application: &ApplicationId) -> [String; 2] {
    [experience_redirect(base, application), scan_redirect(base, &application.tenant())]
}

fn error_pairs(error: &AuthorizationError) -> [(&'static str, &'static str); 2] {
    [("error", error.code), ("error_description", error.description)]
}
