//! The QR code that a login's page shows: its secret, which stays in the browser that asked, and its end.

use crate::auth::credential::{Credential, Holder};
use crate::domain::ids::QrLoginId;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// A QR login that this browser has asked for. It comes from the browser's own cookie, and whether it is known is the store's question.
#[derive(Debug)]
pub struct ShownQr {
    pub id: QrLoginId,
    pub secret: Secret<String>,
    pub expires_at: Timestamp,
}

impl ShownQr {
    /// `None` for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (secret, expires_at) = text.split_once('.')?;
        let Holder::QrLogin { qr } = Credential::parse(secret)?.holder else { return None };
        let expires_at = Timestamp::from_millis(expires_at.parse().ok()?);
        Some(Self { id: qr, secret: Secret::new(secret.to_owned()), expires_at })
    }

    pub(super) fn text(&self) -> Secret<String> {
        Secret::new(format!("{}.{}", self.secret.expose(), self.expires_at.millis()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{DeviceId, TenantId};

    #[test]
    fn only_a_qr_logins_secret_is_one() {
        let tenant = TenantId::generate(|b| b.fill(1));
        let id = QrLoginId::generate(&tenant, |b| b.fill(1));
        let secret = Credential::generate(Holder::QrLogin { qr: id.clone() }, |b| b.fill(1)).text;
        let shown = ShownQr { id: id.clone(), secret, expires_at: Timestamp::from_millis(5) };
        let text = shown.text();
        let again = ShownQr::parse(text.expose()).unwrap();
        assert_eq!((again.id, again.expires_at), (id, Timestamp::from_millis(5)));
        let device = DeviceId::generate(|b| b.fill(1));
        let other = Credential::generate(Holder::Device { device }, |b| b.fill(1)).text.into_exposed();
        for odd in [
            text.expose().replace('.', ""),
            format!("{other}.5"),
            format!("{}x", text.expose()),
            String::new(),
        ] {
            assert!(ShownQr::parse(&odd).is_none(), "{odd}");
        }
    }
}
