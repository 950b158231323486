//! `/v1/qr-logins`: a browser asks to be signed in by a QR code, and a user who is signed in elsewhere scans it and decides (acceptance F2).
//!
//! What comes of it is up to `POST /v1/logins`: nothing here makes a token.

use super::access::{AllowOrigin, Caller};
use super::sign_in::{Admitted, Caller as By, admit, known};
use crate::auth::credential::{Credential, Holder};
use crate::domain::audit::Provenance;
use crate::domain::browser::Browser;
use crate::domain::ids::{ApplicationId, QrLoginId, base62};
use crate::domain::limits::network;
use crate::domain::qr_login::{Asked, QR_SECONDS, QrLogin, QrState};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::ports::limits::Reserved;
use crate::ports::login::{SignInQuery, SignInStore};
use crate::ports::qr_login::{QrStore, StepBy, UserStep};
use crate::ports::{ApplicationOrigins, Clock, Entropy, Failure, PersonalData};
use std::sync::Arc;

/// Keeps QR logins.
#[derive(Clone)]
pub struct QrLogins {
    pub facts: Arc<dyn SignInStore>,
    pub store: Arc<dyn QrStore>,
    pub origins: Arc<dyn ApplicationOrigins>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// The service's public address, where codes lead to.
    pub base_url: String,
}

/// Who asks, before anything of it is believed.
#[derive(Debug)]
pub struct Asking<'a> {
    pub application: &'a str,
    pub caller: By<'a>,
    pub user_agent: Option<&'a str>,
    pub provenance: Provenance,
}

/// A QR login at one moment.
#[derive(Debug)]
pub struct QrLoginState {
    pub qr: QrLogin,
    pub now: Timestamp,
}

/// A new QR login, with what only its browser is told.
#[derive(Debug)]
pub struct NewQrLogin {
    pub state: QrLoginState,
    pub secret: Secret<String>,
    /// What the code says.
    pub url: String,
}

impl QrLogins {
    /// One read, and two writes: its address' limit, and the item. Started with the application's secret it is a back end's: its address and
    /// its browser are not the user's.
    pub async fn ask(
        &self,
        asking: &Asking<'_>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<NewQrLogin, Failure> {
        let now = self.clock.now();
        let id = ApplicationId::parse(asking.application).ok_or(Refusal::NotFound)?;
        let query = SignInQuery {
            tenant: &id.tenant(),
            application: Some(&id),
            source: None,
            owner: None,
            user: None,
            device: None,
            qr: None,
            throttles: Vec::new(),
        };
        let facts = self.facts.sign_in_facts(&query).await?;
        let (tenant, application) = known(facts.tenant, facts.application)?;
        let sees_client = admit(&application, asking.caller, allow_origin)? != Admitted::BackEnd;
        let address = asking.provenance.client_ip.filter(|_| sees_client);
        if let Some(address) = address {
            let subject = self.personal.hash("qr|ip", &network(address));
            let attempt = base62(22, |buffer| self.entropy.fill(buffer));
            if let Reserved::Refused { rule, retry_at } =
                self.store.count_qr_login(&subject, &attempt, now).await?
            {
                return Err(Refusal::RateLimited { rule, retry_at }.into());
            }
        }
        let id = QrLoginId::generate(&tenant.id, |buffer| self.entropy.fill(buffer));
        let secret =
            Credential::generate(Holder::QrLogin { qr: id.clone() }, |buffer| self.entropy.fill(buffer));
        let url = self.url(&id);
        let qr = QrLogin {
            id,
            application: application.id,
            asked: Asked {
                application_name: application.name,
                address,
                browser: asking.user_agent.filter(|_| sees_client).and_then(Browser::of_user_agent),
                at: now,
            },
            secret_hash: secret.hash(),
            expires_at: now.plus_secs(QR_SECONDS),
            state: QrState::Pending,
        };
        self.store.put_qr_login(&qr).await?;
        Ok(NewQrLogin { state: QrLoginState { qr, now }, secret: secret.text, url })
    }

    /// Where a QR login's code leads to.
    pub fn url(&self, id: &QrLoginId) -> String {
        format!("{}/t/{}/scan?qr={id}", self.base_url, id.tenant())
    }

    /// How far it is, for the browser that asked.
    pub async fn look(
        &self,
        id: &str,
        secret: &str,
        origin: Option<&str>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<QrLoginState, Failure> {
        let now = self.clock.now();
        let secret = Credential::parse(secret).ok_or(Refusal::Unauthenticated)?;
        let Holder::QrLogin { qr } = &secret.holder else { return Err(Refusal::Unauthenticated.into()) };
        if qr.as_str() != id {
            return Err(Refusal::Forbidden("the secret belongs to another QR login").into());
        }
        let qr = self.store.qr_login(qr).await?.filter(|qr| secret.matches(&qr.secret_hash));
        let qr = qr.ok_or(Refusal::Unauthenticated)?;
        if let Some(origin) = origin {
            if !self.origins.application_has_origin(&qr.application, origin).await? {
                return Err(Refusal::Forbidden("the origin is not one of the application's").into());
            }
            allow_origin(origin);
        }
        Ok(QrLoginState { qr, now })
    }

    /// A step of a user, of the user's own tenant.
    pub async fn scan(&self, me: &Caller, id: &str) -> Result<QrLoginState, Failure> {
        self.step(me, id, UserStep::Scan).await
    }

    /// Lets the browser that asked sign in as this user.
    pub async fn approve(&self, me: &Caller, id: &str) -> Result<QrLoginState, Failure> {
        self.step(me, id, UserStep::Approve { proven_at: me.access.auth_time }).await
    }

    pub async fn reject(&self, me: &Caller, id: &str) -> Result<QrLoginState, Failure> {
        self.step(me, id, UserStep::Reject).await
    }

    async fn step(&self, me: &Caller, id: &str, step: UserStep) -> Result<QrLoginState, Failure> {
        let now = self.clock.now();
        let access = &me.access;
        let id = QrLoginId::parse(id).filter(|id| id.tenant() == access.tenant).ok_or(Refusal::NotFound)?;
        if !access.may_approve_qr_logins() {
            return Err(
                Refusal::Forbidden("a session that came from a QR code alone signs nobody else in").into()
            );
        }
        let by = StepBy { user: &access.user, provenance: &me.provenance, now };
        let qr = match self.store.step_qr_login(&id, step, &by).await? {
            Ok(qr) => qr,
            Err(None) => return Err(Refusal::NotFound.into()),
            Err(Some(qr)) => {
                qr.judge(step.kind(), &access.user, now)?;
                qr
            }
        };
        Ok(QrLoginState { qr, now })
    }
}
