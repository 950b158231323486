//! What an application asks of a hosted login (OpenID Connect Core 1.0 §3.1, RFC 6749 §4.1, RFC 7636), and what it gets for it.

mod judge;

pub use judge::{AuthorizationError, PARAMETERS, Parameters, Refused, Unsound, redirect, request};

use super::ids::{ApplicationId, GrantId, LoginId, TenantId, TransactionId, UserId};
use super::login::{Proof, Ticket};
use super::secret::Secret;
use super::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How long a hosted login's page may stay open, in seconds. Several logins may begin and expire in it.
pub const REQUEST_SECONDS: u32 = 1800;
/// How long an authorization code lives, in seconds.
pub const CODE_SECONDS: u32 = 60;

/// A request that was found sound: its application exists and the redirect is one of the application's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// `client_id`.
    pub application: ApplicationId,
    pub redirect_uri: String,
    pub state: Option<String>,
    pub nonce: Option<String>,
    pub challenge: CodeChallenge,
    pub scopes: Scopes,
    pub login_hint: Option<String>,
    /// Languages by preference, as they came.
    pub ui_locales: Option<String>,
}

impl AuthorizationRequest {
    pub fn tenant(&self) -> TenantId {
        self.application.tenant()
    }

    /// Whether a login may end in this request: one of the same application, begun to sign in. (OWASP ASVS 5.0, 7.2.4; threat: session
    /// fixation.)
    pub fn takes(&self, ticket: &Ticket) -> bool {
        ticket.application == self.application
            && ticket.tenant == self.tenant()
            && ticket.purpose == super::login::Purpose::SignIn
    }
}

/// `code_challenge` by `S256` (RFC 7636 §4.2), the only method taken: `plain` would show the verifier to whoever sees the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// A SHA-256 in base64url: 43 characters, in the one spelling that 32 bytes have.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the challenge was made of this verifier. One that is too short to be secret, or has other characters, never is
    /// (RFC 7636 §4.1).
    pub fn is_met_by(&self, verifier: &str) -> bool {
        let sound = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        sound && bool::from(hash.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

/// The scopes that mean something here (OpenID Connect Core 1.0 §5.4). `openid` is always among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    pub profile: bool,
    pub email: bool,
    pub phone: bool,
}

impl Scopes {
    pub const SUPPORTED: [&'static str; 4] = ["openid", "profile", "email", "phone"];

    /// `None` without `openid`: then it is no login that is asked for. Scopes that nobody here knows are ignored (§3.1.2.1).
    pub fn parse(text: &str) -> Option<Self> {
        let has = |wanted: &str| text.split(' ').any(|scope| scope == wanted);
        has("openid").then(|| Self { profile: has("profile"), email: has("email"), phone: has("phone") })
    }

    /// The scopes that are granted, as `scope` names them.
    pub fn text(self) -> String {
        let Self { profile, email, phone } = self;
        let granted = [true, profile, email, phone];
        let names = Self::SUPPORTED.into_iter().zip(granted).filter(|(_, granted)| *granted);
        names.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    }
}

/// `redirect_uri` with what the application is told. It may have a query already.
pub fn back_to(redirect_uri: &str, told: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(told).finish();
    let joint = match redirect_uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some((_, before)) if before.ends_with('&') => "",
        Some(_) => "&",
    };
    format!("{redirect_uri}{joint}{query}")
}

/// A request in its browser: what is sealed into the page's own cookie.
#[derive(Debug)]
pub struct PageRequest {
    pub transaction: TransactionId,
    pub request: AuthorizationRequest,
    /// Stands in every form of the page, too.
    pub csrf: Secret<String>,
    pub expires_at: Timestamp,
}

/// Proof that a hosted login is complete: what the authorization code is made of.
#[derive(Debug)]
pub struct Done {
    pub transaction: TransactionId,
    pub application: ApplicationId,
    pub user: UserId,
    pub login: LoginId,
    pub auth_time: Timestamp,
    pub proof: Proof,
    /// That the user has not seen yet.
    pub recovery_codes: Vec<Secret<String>>,
    pub expires_at: Timestamp,
}

impl Done {
    /// The end of the login with this ticket.
    pub fn new(transaction: TransactionId, ticket: &Ticket, proof: Proof, now: Timestamp) -> Self {
        Self {
            transaction,
            application: ticket.application.clone(),
            user: ticket.user.clone(),
            login: ticket.login.clone(),
            auth_time: now,
            proof,
            recovery_codes: Vec::new(),
            expires_at: ticket.expires_at,
        }
    }

    #[must_use]
    pub fn with_recovery_codes(self, recovery_codes: Vec<Secret<String>>) -> Self {
        Self { recovery_codes, ..self }
    }
}

/// What an authorization code says. Only this service reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    pub grant: GrantId,
    pub application: ApplicationId,
    pub user: UserId,
    pub login: LoginId,
    pub auth_time: Timestamp,
    pub proof: Proof,
    pub redirect_uri: String,
    pub challenge: CodeChallenge,
    pub nonce: Option<String>,
    pub scopes: Scopes,
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn a_challenge_is_met_by_its_verifier_alone() {
        let challenge = CodeChallenge::parse(CHALLENGE).unwrap();
        assert!(challenge.is_met_by(VERIFIER));
        for wrong in ["", CHALLENGE, &VERIFIER[1..], &format!("{VERIFIER}="), &VERIFIER.to_lowercase()] {
            assert!(!challenge.is_met_by(wrong), "{wrong}");
        }
        // A verifier that could be guessed is none, whatever its hash.
        for weak in ["short", &"a".repeat(42), &"a".repeat(129), &"ä".repeat(43), &"a ".repeat(30)] {
            let text = URL_SAFE_NO_PAD.encode(Sha256::digest(weak.as_bytes()));
            assert!(!CodeChallenge::parse(&text).unwrap().is_met_by(weak), "{weak}");
        }
    }

    #[test]
    fn a_challenge_is_a_hash() {
        for bad in ["", "abc", &CHALLENGE[1..], &format!("{CHALLENGE}="), &format!("{}+", &CHALLENGE[1..])] {
            assert_eq!(CodeChallenge::parse(bad), None, "{bad}");
        }
        // 43 characters have two bits to spare; only one spelling of them is taken.
        assert_eq!(CodeChallenge::parse(&format!("{}N", &CHALLENGE[..42])), None);
    }

    #[test]
    fn what_is_told_goes_behind_what_is_there() {
        let told = [("code", "a b&c"), ("state", "é#")];
        for (redirect, joined) in [
            ("https://a.example/cb", "https://a.example/cb?"),
            ("https://a.example/cb?", "https://a.example/cb?"),
            ("https://a.example/cb?x=1", "https://a.example/cb?x=1&"),
            ("https://a.example/cb?x=1&", "https://a.example/cb?x=1&"),
            ("com.example.app:/cb", "com.example.app:/cb?"),
        ] {
            assert_eq!(back_to(redirect, &told), format!("{joined}code=a+b%26c&state=%C3%A9%23"));
        }
    }

    #[test]
    fn scopes_without_openid_are_none_and_strange_ones_are_ignored() {
        assert_eq!(Scopes::parse("openid"), Some(Scopes::default()));
        let some = Scopes::parse("phone openid offline_access openidx").unwrap();
        assert_eq!(some, Scopes { phone: true, ..Scopes::default() });
        assert_eq!(some.text(), "openid phone");
        assert_eq!(Scopes::parse("openid profile email phone").unwrap().text(), "openid profile email phone");
        for none in ["", "OPENID", "openid\tprofile", "profile email"] {
            assert_eq!(Scopes::parse(none), None, "{none}");
        }
    }
}
