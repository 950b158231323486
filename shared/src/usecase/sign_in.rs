//! `POST /v1/logins`: the first factor, and what policy asks for after it.
//!
//! A successful sign-in writes nothing, unless its account is being throttled: a login that needs a code lives in its token until its first send. An unknown account costs the
//! same reads, the same password work and the same writes as a wrong password, and gets the same answer (OWASP ASVS 5.0, 6.3.8).

mod by_id_token;
mod by_qr;
mod shown_device;

use super::LoginFailure;
use super::access::AllowOrigin;
use super::login_token::LoginTokens;
use super::test_numbers::hashed;
use super::verify_code::claims;
use crate::auth::credential::{Credential, Holder};
use crate::domain::application::{Application, ApplicationType};
use crate::domain::audit::Provenance;
use crate::domain::factor::{Factor, owner_scope};
use crate::domain::first_factor::{Subject, Throttle};
use crate::domain::identifier::Account;
use crate::domain::ids::{ApplicationId, LoginId, SourceId, UserId, base62};
use crate::domain::limits::network;
use crate::domain::login::{FirstFactor, LoginStart, LoginState, Purpose, SecondFactor, Ticket};
use crate::domain::policy::{PolicyInput, SourceSwitch, decide, effective_rules};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::tenant::Tenant;
use crate::domain::time::Timestamp;
use crate::domain::trusted_device::TrustedDevice;
use crate::domain::user::presented_password;
use crate::ports::login::{OwnerKey, SignInQuery, SignInStore, SignInUser};
use crate::ports::qr_login::QrStore;
use crate::ports::{
    Clock, Entropy, IdTokens, Passwords, PersonalData, ProvisionStore, TokenClaims, TokenSigner, Tokens,
};
use by_id_token::OfferedToken;
use shown_device::ShownDevice;
use std::sync::Arc;

/// Takes first factors.
#[derive(Clone)]
pub struct SignIn {
    pub store: Arc<dyn SignInStore>,
    pub provision: Arc<dyn ProvisionStore>,
    pub qr: Arc<dyn QrStore>,
    pub id_tokens: Arc<dyn IdTokens>,
    pub passwords: Arc<dyn Passwords>,
    pub personal: Arc<dyn PersonalData>,
    pub tokens: LoginTokens,
    pub signer: Arc<dyn TokenSigner>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Host of the hosted pages, for messages of applications that name none of their own.
    pub own_host: Option<String>,
}

/// Who asks, before anything of it is believed.
#[derive(Debug)]
pub struct Start<'a> {
    pub application: &'a str,
    pub caller: Caller<'a>,
    /// The token of a trusted device, if one came along.
    pub trusted_device: Option<&'a Secret<String>>,
    pub provenance: Provenance,
}

/// Who starts logins.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// The application: its pages, its program, its back end.
    Client {
        /// The application's secret, if one was presented.
        secret: Option<&'a str>,
        /// The browser's `Origin`, if there is one.
        origin: Option<&'a str>,
    },
    /// The service's own page, on its own origin. The application was found in a request whose redirect is one of its own, and a confidential
    /// one shows its secret when it redeems the authorization code.
    Page,
}

/// Who was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admitted {
    /// The user's own browser or phone.
    Client,
    /// It showed the application's secret.
    BackEnd,
    OwnPage,
}

impl<'a> Caller<'a> {
    const fn secret(self) -> Option<&'a str> {
        match self {
            Caller::Client { secret, .. } => secret,
            Caller::Page => None,
        }
    }
}

/// What is offered as a first factor.
#[derive(Debug)]
pub enum FirstFactorProof {
    Password { account: String, password: Secret<String> },
    Assertion { user: String, identity_source: Option<String> },
    IdToken { identity_source: String, token: Secret<String>, nonce: Option<String> },
    Qr { id: String, secret: Secret<String> },
}

/// A login that has begun.
#[derive(Debug)]
pub enum Begun {
    /// A code is asked for.
    Challenge { state: Box<LoginState>, login_token: Secret<String> },
    /// No code is asked for: the login is done.
    Done {
        ticket: Box<Ticket>,
        second: Option<SecondFactor>,
        /// When the first factor was proven.
        auth_time: Timestamp,
        tokens: Tokens,
    },
}

/// A first factor, and when its user had proven it.
#[derive(Clone, Copy, Debug)]
struct Proven {
    factor: FirstFactor,
    at: Timestamp,
}

impl Proven {
    const fn now(factor: FirstFactor, now: Timestamp) -> Self {
        Self { factor, at: now }
    }
}

impl Start<'_> {
    fn shown_device(&self) -> ShownDevice {
        ShownDevice::parse(self.trusted_device.map(|token| token.expose().as_str()))
    }
}

impl SignIn {
    /// `allow_origin` is called as soon as the caller's origin is known to be one of the application's, so that a page can read refusals too.
    pub async fn start(
        &self,
        start: &Start<'_>,
        proof: FirstFactorProof,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Begun, LoginFailure> {
        let application = ApplicationId::parse(start.application).ok_or(Refusal::NotFound)?;
        match proof {
            FirstFactorProof::Assertion { user, identity_source } => {
                self.by_assertion(start, &application, &user, identity_source.as_deref(), allow_origin).await
            }
            FirstFactorProof::Password { account, password } => {
                self.by_password(start, &application, &account, password, allow_origin).await
            }
            FirstFactorProof::IdToken { identity_source, token, nonce } => {
                let offered =
                    OfferedToken { source: &identity_source, token: &token, nonce: nonce.as_deref() };
                self.by_id_token(start, &application, offered, allow_origin).await
            }
            FirstFactorProof::Qr { id, secret } => {
                self.by_qr(start, &application, &id, &secret, allow_origin).await
            }
        }
    }

    async fn by_assertion(
        &self,
        start: &Start<'_>,
        application: &ApplicationId,
        user: &str,
        identity_source: Option<&str>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Begun, LoginFailure> {
        let now = self.clock.now();
        // An id that can't be one reads nothing and ends like an unknown one, after the secret was checked.
        let user = UserId::parse(user);
        let source = identity_source.map(|text| SourceId::parse(text).ok_or(()));
        let device = start.shown_device();
        let query = SignInQuery {
            tenant: &application.tenant(),
            application: Some(application),
            source: source.as_ref().and_then(|s| s.as_ref().ok()),
            owner: None,
            user: user.as_ref(),
            device: device.id(),
            qr: None,
            throttles: Vec::new(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let (tenant, application) = known(facts.tenant, facts.application)?;
        if admit(&application, start.caller, allow_origin)? != Admitted::BackEnd {
            return Err(Refusal::Unauthenticated.into());
        }
        if source.is_some() && facts.source.is_none() {
            return Err(Refusal::NotFound.into());
        }
        let user = facts.user.ok_or(Refusal::NotFound)?;
        let source = source.and_then(Result::ok);
        let (first, device) = (Proven::now(FirstFactor::Assertion, now), device.recognise(facts.device));
        let by = Admitted::BackEnd;
        self.begin(&tenant, &application, source, first, by, user, facts.factor, device, now)
    }

    async fn by_password(
        &self,
        start: &Start<'_>,
        application: &ApplicationId,
        account_text: &str,
        password: Secret<String>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Begun, LoginFailure> {
        let now = self.clock.now();
        let tenant = application.tenant();
        let account = Account::parse(account_text);
        let owner = account.as_ref().map(|account| OwnerKey {
            kind: account.kind(),
            hash: self.personal.hash(&owner_scope(&tenant, account.kind()), account.canonical()),
        });
        // With the application's secret it is a back end that calls: its address is not the user's.
        let client_ip = start.provenance.client_ip.filter(|_| start.caller.secret().is_none());
        let address = client_ip.map(|ip| self.personal.hash("throttle|ip", &network(ip)));
        let query = SignInQuery {
            tenant: &tenant,
            application: Some(application),
            source: None,
            owner: owner.as_ref(),
            user: None,
            device: None,
            qr: None,
            throttles: address.as_deref().into_iter().collect(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let (tenant, application) = known(facts.tenant, facts.application)?;
        let by = admit(&application, start.caller, allow_origin)?;
        let by_address = facts.throttles.first().copied().unwrap_or_default();
        refuse_throttled(by_address, Subject::Address, now)?;

        // Throttled by what was typed, in its canonical form, and not by whose it is: whether two spellings or two identifiers share a
        // throttle would tell which accounts exist.
        let typed = account.as_ref().map_or(account_text, Account::canonical);
        let account = self.personal.hash(&format!("throttle|{}", tenant.id), typed);
        let device = start.shown_device();
        let of_device =
            device.id().map(|id| self.personal.hash(&format!("throttle|device|{}", tenant.id), id.as_str()));
        let query = SignInQuery {
            tenant: &tenant.id,
            application: None,
            source: None,
            owner: None,
            user: facts.owner.as_ref(),
            device: device.id(),
            qr: None,
            throttles: [&account].into_iter().chain(&of_device).map(String::as_str).collect(),
        };
        let facts = self.store.sign_in_facts(&query).await?;
        let device = device.recognise(facts.device);
        // Who fails elsewhere must not keep the owner waiting where the owner is known to be (OWASP, "device cookies"): a trusted device has
        // failures of its own.
        let rules = effective_rules(&tenant, &application).trusted_devices;
        let trusted = device
            .as_ref()
            .zip(facts.factor.as_ref())
            .is_some_and(|(device, factor)| device.is_trusted_at(&application.id, factor, rules, now));
        let own = of_device.filter(|_| trusted).zip(facts.throttles.get(1).copied());
        let (account, by_account) =
            own.unwrap_or_else(|| (account, facts.throttles.first().copied().unwrap_or_default()));
        refuse_throttled(by_account, Subject::Account, now)?;
        let charged = self.charge(&account, by_account, now).await?;

        let hash = facts.user.as_ref().and_then(|user| user.password_hash.clone());
        // What can't be a password is judged against nothing, at the same cost.
        let (password, hash) = match presented_password(&password) {
            Some(password) => (password, hash),
            None => (Secret::new(String::new()), None),
        };
        let right = self.passwords.verify(password, hash).await?;
        let (true, Some(user)) = (right, facts.user) else {
            let account = Some(&*account).filter(|_| charged.is_none());
            self.count_failure(account, by_account, address.as_deref(), by_address, now).await?;
            return Err(Refusal::FirstFactorFailed.into());
        };
        if let Some(attempt) = charged
            && let Err(fault) = self.store.uncharge_first_factor(&account, by_account, &attempt).await
        {
            tracing::warn!(%fault, user = %user.id, "a right first factor stays counted as a failure");
        }
        let first = Proven::now(FirstFactor::Password, now);
        self.begin(&tenant, &application, None, first, by, user, facts.factor, device, now)
    }

    /// Counts the try before it is judged, where those before it have a wait after them; answers by which attempt.
    async fn charge(
        &self,
        account: &str,
        seen: Throttle,
        now: Timestamp,
    ) -> Result<Option<String>, LoginFailure> {
        if !seen.counts_first(now, Subject::Account) {
            return Ok(None);
        }
        let attempt = base62(22, |buffer| self.entropy.fill(buffer));
        if self.store.charge_first_factor(account, seen, &attempt, now).await? {
            return Ok(Some(attempt));
        }
        let retry_at = seen.after_another(now, Subject::Account);
        Err(Refusal::RateLimited { rule: Subject::Account.rule(), retry_at }.into())
    }

    async fn count_failure(
        &self,
        account: Option<&str>,
        by_account: Throttle,
        address: Option<&str>,
        by_address: Throttle,
        now: Timestamp,
    ) -> Result<(), LoginFailure> {
        let count = async |subject: Option<&str>, seen| match subject {
            Some(subject) => self.store.count_failed_first_factor(subject, seen, now).await,
            None => Ok(()),
        };
        futures::future::try_join(count(account, by_account), count(address, by_address)).await?;
        Ok(())
    }

    /// The first factor is proven: policy decides what comes next.
    #[allow(clippy::too_many_arguments)]
    fn begin(
        &self,
        tenant: &Tenant,
        application: &Application,
        source: Option<SourceId>,
        first: Proven,
        by: Admitted,
        user: SignInUser,
        factor: Option<Factor>,
        device: Option<TrustedDevice>,
        now: Timestamp,
    ) -> Result<Begun, LoginFailure> {
        let switch =
            source.as_ref().map(|id| SourceSwitch::from(tenant.security.identity_sources.get(id).copied()));
        let decision = decide(&PolicyInput::new(tenant, application, switch));
        let bound = factor.as_ref().and_then(|factor| factor.phone.as_ref());
        let test_numbers = hashed(&*self.personal, &tenant.id, &tenant.security.test_numbers);
        let mut ticket = Ticket::new(LoginStart {
            login: LoginId::generate(|buffer| self.entropy.fill(buffer)),
            tenant,
            application,
            user: user.id,
            source,
            purpose: Purpose::SignIn,
            first: first.factor,
            sees_client: by != Admitted::BackEnd,
            bound_hint: bound.map(|phone| phone.hint.clone()),
            locale: user.locale,
            own_host: self.own_host.as_deref(),
            test_numbers,
            now,
        });
        // The code is typed where the login is. On our own page a message bound to the application's host would not be offered.
        if by == Admitted::OwnPage && self.own_host.is_some() {
            ticket.message_host.clone_from(&self.own_host);
        }
        let spared = decision.mfa_required
            && device.zip(factor).is_some_and(|(device, factor)| {
                device.spares_code(&application.id, &factor, ticket.trusted_devices, ticket.code, now)
            });
        if decision.mfa_required && !spared {
            let login_token = self.tokens.seal(&ticket);
            return Ok(Begun::Challenge { state: Box::new(LoginState::started(ticket)), login_token });
        }
        let second = spared.then_some(SecondFactor::TrustedDevice);
        let claims = TokenClaims { auth_time: first.at, ..claims(&ticket, second, now) };
        let tokens = self.signer.sign(&claims)?;
        Ok(Begun::Done { ticket: Box::new(ticket), second, auth_time: first.at, tokens })
    }
}

/// A tenant and its application; either missing is the same 404.
pub(super) fn known(
    tenant: Option<Tenant>,
    application: Option<Application>,
) -> Result<(Tenant, Application), Refusal> {
    Ok((tenant.ok_or(Refusal::NotFound)?, application.ok_or(Refusal::NotFound)?))
}

/// Whether the caller may start logins for this application.
pub(super) fn admit(
    application: &Application,
    caller: Caller<'_>,
    allow_origin: AllowOrigin<'_>,
) -> Result<Admitted, Refusal> {
    let Caller::Client { secret, origin } = caller else { return Ok(Admitted::OwnPage) };
    if let Some(origin) = origin {
        if application.origins.iter().any(|known| known == origin) {
            allow_origin(origin);
        } else {
            return Err(Refusal::Forbidden("the origin is not one of the application's"));
        }
    }
    match secret {
        Some(text) => {
            let credential = Credential::parse(text).ok_or(Refusal::Unauthenticated)?;
            let Holder::Application { application: whose, key } = &credential.holder else {
                return Err(Refusal::Forbidden("not an application's secret"));
            };
            if *whose != application.id {
                return Err(Refusal::Forbidden("the secret belongs to another application"));
            }
            let live = application.secrets.iter().find(|secret| secret.id == *key);
            if live.is_some_and(|secret| credential.matches(&secret.hash)) {
                Ok(Admitted::BackEnd)
            } else {
                Err(Refusal::Unauthenticated)
            }
        }
        None if application.kind == ApplicationType::Confidential => Err(Refusal::Unauthenticated),
        None => Ok(Admitted::Client),
    }
}

fn refuse_throttled(throttle: Throttle, subject: Subject, now: Timestamp) -> Result<(), Refusal> {
    match throttle.blocked_until(now, subject) {
        Some(retry_at) => Err(Refusal::RateLimited { rule: subject.rule(), retry_at }),
        None => Ok(()),
    }
}
