//! The session of the page that plays a signed-in phone: an access token of the tenant, in a cookie that no script reads, and what its forms
//! have to repeat.

use crate::domain::ids::{QrLoginId, TenantId, base62};
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::Call;
use crate::http::cookies::SetCookie;
use crate::ports::Entropy;
use subtle::ConstantTimeEq;

/// 62^22 is about 2^131.
const CSRF_LENGTH: usize = 22;

/// Who is signed in on the page, before the token is believed.
#[derive(Debug)]
pub struct ScanSession {
    pub csrf: Secret<String>,
    pub access_token: Secret<String>,
}

impl ScanSession {
    pub fn new(access_token: Secret<String>, entropy: &dyn Entropy) -> Self {
        let csrf = Secret::new(base62(CSRF_LENGTH, |buffer| entropy.fill(buffer)));
        Self { csrf, access_token }
    }

    /// That of this browser at this tenant, if it has one.
    pub fn of(call: &Call, tenant: &TenantId) -> Result<Option<Self>, Refusal> {
        let parts = call.cookie(&name(tenant))?.and_then(|text| text.split_once('.'));
        Ok(parts.map(|(csrf, token)| Self {
            csrf: Secret::new(csrf.to_owned()),
            access_token: Secret::new(token.to_owned()),
        }))
    }

    pub fn cookie(&self, tenant: &TenantId, seconds: u32) -> SetCookie {
        SetCookie::new(
            name(tenant),
            format!("{}.{}", self.csrf.expose(), self.access_token.expose()),
            seconds,
        )
    }

    /// Whether a form is one of this session's page (threat T24).
    pub fn made(&self, csrf: &str) -> bool {
        self.csrf.expose().len() == CSRF_LENGTH
            && bool::from(csrf.as_bytes().ct_eq(self.csrf.expose().as_bytes()))
    }
}

fn name(tenant: &TenantId) -> String {
    format!("__Host-mfa-scan-{}", tenant.as_str().trim_start_matches(TenantId::PREFIX))
}

/// Where a QR login's code leads to, on our own origin. `said` is what the last step refused.
pub fn scan_path(qr: &QrLoginId, said: Option<&str>) -> String {
    let said = said.map(|code| format!("&said={code}")).unwrap_or_default();
    format!("/t/{}/scan?qr={qr}{said}", qr.tenant())
}
