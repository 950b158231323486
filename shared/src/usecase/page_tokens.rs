//! What a hosted login keeps in its browser and hands to the application, sealed: nothing of it is stored.

use crate::domain::authorization::{
    AuthorizationCode, AuthorizationRequest, CodeChallenge, Done, PageRequest, Scopes,
};
use crate::domain::ids::{ApplicationId, GrantId, LoginId, TransactionId, UserId};
use crate::domain::login::{FirstFactor, Proof, SecondFactor};
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::{LoginSealer, SealedAs};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Seals and opens requests, proofs and codes. Each says itself until when it holds, and is opened only before.
#[derive(Clone)]
pub struct PageTokens {
    sealer: Arc<dyn LoginSealer>,
}

impl PageTokens {
    pub fn new(sealer: Arc<dyn LoginSealer>) -> Self {
        Self { sealer }
    }

    pub fn seal_request(&self, page: &PageRequest) -> Secret<String> {
        self.seal(SealedAs::PageRequest, &RequestWire::from(page))
    }

    pub fn open_request(&self, text: &str, now: Timestamp) -> Option<PageRequest> {
        let page = self.open::<RequestWire>(SealedAs::PageRequest, text)?.page()?;
        (now < page.expires_at).then_some(page)
    }

    pub fn seal_done(&self, done: &Done) -> Secret<String> {
        self.seal(SealedAs::PageDone, &DoneWire::from(done))
    }

    pub fn open_done(&self, text: &str, now: Timestamp) -> Option<Done> {
        let done = self.open::<DoneWire>(SealedAs::PageDone, text)?.done()?;
        (now < done.expires_at).then_some(done)
    }

    pub fn seal_code(&self, code: &AuthorizationCode) -> Secret<String> {
        self.seal(SealedAs::AuthorizationCode, &CodeWire::from(code))
    }

    /// A code, also one that is over: its holder may still have used it before.
    pub fn open_code(&self, text: &str) -> Option<AuthorizationCode> {
        self.open::<CodeWire>(SealedAs::AuthorizationCode, text)?.code()
    }

    fn seal(&self, what: SealedAs, wire: &impl Serialize) -> Secret<String> {
        // Strings and numbers always serialize; an empty text opens as nothing.
        Secret::new(self.sealer.seal(what, &serde_json::to_vec(wire).unwrap_or_default()))
    }

    fn open<T: DeserializeOwned>(&self, what: SealedAs, text: &str) -> Option<T> {
        serde_json::from_slice(&self.sealer.open(what, text)?).ok()
    }
}

/// Short names, since all of it travels in headers.
#[derive(Serialize, Deserialize)]
struct RequestWire {
    v: u8,
    x: String,
    a: String,
    r: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    s: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    n: Option<String>,
    c: String,
    o: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    h: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    u: Option<String>,
    f: String,
    e: i64,
}

impl From<&PageRequest> for RequestWire {
    fn from(page: &PageRequest) -> Self {
        let request = &page.request;
        Self {
            v: 1,
            x: page.transaction.to_string(),
            a: request.application.to_string(),
            r: request.redirect_uri.clone(),
            s: request.state.clone(),
            n: request.nonce.clone(),
            c: request.challenge.as_str().to_owned(),
            o: request.scopes.text(),
            h: request.login_hint.clone(),
            u: request.ui_locales.clone(),
            f: page.csrf.expose().clone(),
            e: page.expires_at.millis(),
        }
    }
}

impl RequestWire {
    fn page(self) -> Option<PageRequest> {
        (self.v == 1).then_some(())?;
        let request = AuthorizationRequest {
            application: ApplicationId::parse(&self.a)?,
            redirect_uri: self.r,
            state: self.s,
            nonce: self.n,
            challenge: CodeChallenge::parse(&self.c)?,
            scopes: Scopes::parse(&self.o)?,
            login_hint: self.h,
            ui_locales: self.u,
        };
        Some(PageRequest {
            transaction: TransactionId::parse(&self.x)?,
            request,
            csrf: Secret::new(self.f),
            expires_at: Timestamp::from_millis(self.e),
        })
    }
}

/// Who was proven, and how.
#[derive(Serialize, Deserialize)]
struct ProvenWire {
    a: String,
    u: String,
    l: String,
    i: i64,
    f: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    s: Option<String>,
}

impl ProvenWire {
    fn new(
        application: &ApplicationId,
        user: &UserId,
        login: &LoginId,
        auth_time: Timestamp,
        proof: Proof,
    ) -> Self {
        Self {
            a: application.to_string(),
            u: user.to_string(),
            l: login.to_string(),
            i: auth_time.millis(),
            f: proof.first.as_str().to_owned(),
            s: proof.second.map(|second| second.as_str().to_owned()),
        }
    }

    fn proof(&self) -> Option<Proof> {
        let second = self.s.as_deref().map(|s| SecondFactor::parse(s).ok_or(()));
        Some(Proof { first: FirstFactor::parse(&self.f)?, second: second.transpose().ok()? })
    }
}

#[derive(Serialize, Deserialize)]
struct DoneWire {
    v: u8,
    x: String,
    p: ProvenWire,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    r: Vec<String>,
    e: i64,
}

impl From<&Done> for DoneWire {
    fn from(done: &Done) -> Self {
        Self {
            v: 1,
            x: done.transaction.to_string(),
            p: ProvenWire::new(&done.application, &done.user, &done.login, done.auth_time, done.proof),
            r: done.recovery_codes.iter().map(|code| code.expose().clone()).collect(),
            e: done.expires_at.millis(),
        }
    }
}

impl DoneWire {
    fn done(self) -> Option<Done> {
        (self.v == 1).then_some(())?;
        Some(Done {
            transaction: TransactionId::parse(&self.x)?,
            application: ApplicationId::parse(&self.p.a)?,
            user: UserId::parse(&self.p.u)?,
            login: LoginId::parse(&self.p.l)?,
            auth_time: Timestamp::from_millis(self.p.i),
            proof: self.p.proof()?,
            recovery_codes: self.r.into_iter().map(Secret::new).collect(),
            expires_at: Timestamp::from_millis(self.e),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct CodeWire {
    v: u8,
    g: String,
    p: ProvenWire,
    r: String,
    c: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    n: Option<String>,
    o: String,
    e: i64,
}

impl From<&AuthorizationCode> for CodeWire {
    fn from(code: &AuthorizationCode) -> Self {
        Self {
            v: 1,
            g: code.grant.to_string(),
            p: ProvenWire::new(&code.application, &code.user, &code.login, code.auth_time, code.proof),
            r: code.redirect_uri.clone(),
            c: code.challenge.as_str().to_owned(),
            n: code.nonce.clone(),
            o: code.scopes.text(),
            e: code.expires_at.millis(),
        }
    }
}

impl CodeWire {
    fn code(self) -> Option<AuthorizationCode> {
        (self.v == 1).then_some(())?;
        Some(AuthorizationCode {
            grant: GrantId::parse(&self.g)?,
            application: ApplicationId::parse(&self.p.a)?,
            user: UserId::parse(&self.p.u)?,
            login: LoginId::parse(&self.p.l)?,
            auth_time: Timestamp::from_millis(self.p.i),
            proof: self.p.proof()?,
            redirect_uri: self.r,
            challenge: CodeChallenge::parse(&self.c)?,
            nonce: self.n,
            scopes: Scopes::parse(&self.o)?,
            expires_at: Timestamp::from_millis(self.e),
        })
    }
}
