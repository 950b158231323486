//! The login token: a [`Ticket`], sealed.

use crate::domain::ids::{ApplicationId, LoginId, SourceId, TenantId, UserId};
use crate::domain::login::{FirstFactor, Purpose, Ticket};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::settings::{CodeRules, Limits, TrustedDevices};
use crate::domain::test_number::{Scenario, TestNumbers};
use crate::domain::time::Timestamp;
use crate::ports::{LoginSealer, SealedAs};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Seals and opens login tokens.
#[derive(Clone)]
pub struct LoginTokens {
    sealer: Arc<dyn LoginSealer>,
}

impl LoginTokens {
    pub fn new(sealer: Arc<dyn LoginSealer>) -> Self {
        Self { sealer }
    }

    pub fn seal(&self, ticket: &Ticket) -> Secret<String> {
        let wire = serde_json::to_vec(&Wire::from(ticket)).unwrap_or_default();
        Secret::new(self.sealer.seal(SealedAs::LoginToken, &wire))
    }

    /// The ticket of a token that was presented for the login in the path: 401 for anything we did not seal, 403 for another login's.
    /// Whether the login is over is the caller's question: a look at it is still allowed then.
    pub fn open(&self, token: &str, login: &str) -> Result<Ticket, Refusal> {
        let ticket = self.open_any(token)?;
        if ticket.login.as_str() == login {
            Ok(ticket)
        } else {
            Err(Refusal::Forbidden("the login token belongs to another login"))
        }
    }

    /// The ticket of a token, whichever login it is of: where the token's place says which one is meant.
    pub fn open_any(&self, token: &str) -> Result<Ticket, Refusal> {
        let plain = self.sealer.open(SealedAs::LoginToken, token).ok_or(Refusal::Unauthenticated)?;
        let wire: Wire = serde_json::from_slice(&plain).map_err(|_| Refusal::Unauthenticated)?;
        wire.ticket().ok_or(Refusal::Unauthenticated)
    }
}

/// What is inside, with short names: the token travels in a header that API Gateway limits to 10,240 bytes in all.
#[derive(Serialize, Deserialize)]
struct Wire {
    v: u8,
    l: String,
    t: String,
    a: String,
    u: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    s: Option<String>,
    p: String,
    f: String,
    i: i64,
    e: i64,
    /// Code rules: length, lifetime, attempts, cooldown, sends.
    c: (u8, u32, u8, u32, u8),
    /// Days that a device is trusted for; none where none is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    y: Option<u16>,
    b: bool,
    n: Vec<String>,
    on: bool,
    /// Recovery codes.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    r: bool,
    /// Limits, in the order of [`Limits`]' fields.
    m: [u32; 9],
    /// Whether the client's own address is seen.
    k: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    h: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    o: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    d: Option<String>,
    w: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    g: Option<String>,
    /// The tenant's own words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    z: Option<String>,
    /// Test numbers, each with its scenario.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    x: Vec<(String, String)>,
}

impl From<&Ticket> for Wire {
    fn from(ticket: &Ticket) -> Self {
        let (c, m) = (&ticket.code, &ticket.limits);
        Self {
            v: 1,
            l: ticket.login.to_string(),
            t: ticket.tenant.to_string(),
            a: ticket.application.to_string(),
            u: ticket.user.to_string(),
            s: ticket.source.as_ref().map(ToString::to_string),
            p: ticket.purpose.as_str().to_owned(),
            f: ticket.first.as_str().to_owned(),
            i: ticket.started_at.millis(),
            e: ticket.expires_at.millis(),
            c: (c.length, c.lifetime_seconds, c.max_attempts, c.resend_cooldown_seconds, c.max_sends),
            y: ticket.trusted_devices.enabled.then_some(ticket.trusted_devices.days),
            b: ticket.self_service,
            n: ticket.countries.clone(),
            on: ticket.sending_enabled,
            r: ticket.recovery_codes,
            m: [
                m.per_phone_hour,
                m.per_phone_day,
                m.per_user_hour,
                m.per_ip_hour,
                m.per_range_hour,
                m.per_country_day,
                m.per_application_day,
                m.per_tenant_day,
                m.budget_usd_day,
            ],
            k: ticket.sees_client,
            h: ticket.bound_hint.clone(),
            o: ticket.origins.clone(),
            d: ticket.message_host.clone(),
            w: ticket.sender_name.clone(),
            g: ticket.locale.clone(),
            z: ticket.template.clone(),
            x: ticket
                .test_numbers
                .entries()
                .map(|(key, scenario)| (key.to_owned(), scenario.as_str().to_owned()))
                .collect(),
        }
    }
}

impl Wire {
    /// `None` for a version or a value that this build doesn't know: the login starts again.
    fn ticket(self) -> Option<Ticket> {
        let (length, lifetime_seconds, max_attempts, resend_cooldown_seconds, max_sends) = self.c;
        (self.v == 1).then_some(())?;
        let mut test_numbers = TestNumbers::default();
        for (key, scenario) in &self.x {
            test_numbers.add(key, Scenario::parse(scenario)?);
        }
        Some(Ticket {
            login: LoginId::parse(&self.l)?,
            tenant: TenantId::parse(&self.t)?,
            application: ApplicationId::parse(&self.a)?,
            user: UserId::parse(&self.u)?,
            source: self.s.map(|s| SourceId::parse(&s).ok_or(())).transpose().ok()?,
            purpose: Purpose::parse(&self.p)?,
            first: FirstFactor::parse(&self.f)?,
            started_at: Timestamp::from_millis(self.i),
            expires_at: Timestamp::from_millis(self.e),
            code: CodeRules { length, lifetime_seconds, max_attempts, resend_cooldown_seconds, max_sends },
            trusted_devices: TrustedDevices { enabled: self.y.is_some(), days: self.y.unwrap_or(0) },
            self_service: self.b,
            countries: self.n,
            sending_enabled: self.on,
            recovery_codes: self.r,
            limits: limits(self.m),
            sees_client: self.k,
            bound_hint: self.h,
            origins: self.o,
            message_host: self.d,
            sender_name: self.w,
            locale: self.g,
            template: self.z,
            test_numbers,
        })
    }
}

fn limits(m: [u32; 9]) -> Limits {
    let [per_phone_hour, per_phone_day, per_user_hour, per_ip_hour, per_range_hour, rest @ ..] = m;
    let [per_country_day, per_application_day, per_tenant_day, budget_usd_day] = rest;
    Limits {
        per_phone_hour,
        per_phone_day,
        per_user_hour,
        per_ip_hour,
        per_range_hour,
        per_country_day,
        per_application_day,
        per_tenant_day,
        budget_usd_day,
    }
}
