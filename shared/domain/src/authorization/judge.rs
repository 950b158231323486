//! Whether an authorization request is sound. Until client and redirect are known to belong together, nothing is sent anywhere: a mistake is
//! told to whoever looks at the page. From then on it is told to the application.

use super::{AuthorizationRequest, CodeChallenge, Scopes};
use crate::application::Application;
use std::collections::BTreeMap;

/// A request's parameters by name, each once and none of them empty.
pub type Parameters = BTreeMap<&'static str, String>;

/// The parameters that mean something here. Others are ignored (OpenID Connect Core 1.0 §3.1.2.1).
pub const PARAMETERS: [&str; 15] = [
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
    "nonce",
    "prompt",
    "redirect_uri",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "ui_locales",
];

/// The whole request travels in a cookie.
const MAX_STATE: usize = 2048;
const MAX_NONCE: usize = 512;
const MAX_HINT: usize = 320;

/// Why there is nobody to send an error to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsound {
    /// Unreadable, or a parameter stands twice.
    Malformed,
    /// No such application in this tenant.
    Client,
    /// Not one of the application's addresses.
    Redirect,
}

/// What the application is told (RFC 6749 §4.1.2.1, OpenID Connect Core 1.0 §3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizationError {
    pub code: &'static str,
    pub description: &'static str,
}

impl AuthorizationError {
    const fn new(code: &'static str, description: &'static str) -> Self {
        Self { code, description }
    }

    /// The user went back to the application.
    pub const ACCESS_DENIED: Self = Self::new("access_denied", "the user did not sign in");
}

/// A request whose redirect is the application's, with what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub redirect_uri: String,
    pub state: Option<String>,
    pub error: AuthorizationError,
}

/// The client and the redirect: first, and compared byte for byte (RFC 9700 §2.1). `own` are the pages of this service that take a login's
/// end for every application. `application` is `None` where there is none of that id in the tenant.
pub fn redirect<'a>(
    asked: &'a Parameters,
    application: Option<&Application>,
    own: &[String],
) -> Result<&'a str, Unsound> {
    let application = application.ok_or(Unsound::Client)?;
    let redirect = asked.get("redirect_uri").ok_or(Unsound::Redirect)?;
    if application.redirect_uris.contains(redirect) || own.contains(redirect) {
        Ok(redirect)
    } else {
        Err(Unsound::Redirect)
    }
}

/// The rest of a request whose redirect is known.
pub fn request(
    asked: &Parameters,
    application: &Application,
    redirect_uri: &str,
) -> Result<AuthorizationRequest, Refused> {
    let text = |name: &str| asked.get(name).map(String::as_str);
    sound(asked)
        .map(|(challenge, scopes)| AuthorizationRequest {
            application: application.id.clone(),
            redirect_uri: redirect_uri.to_owned(),
            state: text("state").map(str::to_owned),
            nonce: text("nonce").map(str::to_owned),
            challenge,
            scopes,
            // Hints: what is too long for one is none.
            login_hint: text("login_hint").filter(|hint| hint.len() <= MAX_HINT).map(str::to_owned),
            ui_locales: text("ui_locales").filter(|hint| hint.len() <= MAX_HINT).map(str::to_owned),
        })
        .map_err(|error| Refused {
            redirect_uri: redirect_uri.to_owned(),
            state: text("state").map(str::to_owned),
            error,
        })
}

/// The bytes that a text takes in the cookie, where it stands in JSON: a control character is spelled in six.
fn kept_length(text: &str) -> usize {
    let of = |c: char| match c {
        '"' | '\\' => 2,
        '\0'..='\u{1f}' => 6,
        _ => c.len_utf8(),
    };
    text.chars().map(of).sum()
}

fn sound(asked: &Parameters) -> Result<(CodeChallenge, Scopes), AuthorizationError> {
    let text = |name: &str| asked.get(name).map(String::as_str);
    let refuse = |code, description| Err(AuthorizationError::new(code, description));
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if asked.contains_key(name) {
            return refuse(code, "parameters are taken from the query only");
        }
    }
    match text("response_type") {
        Some("code") => {}
        None => return refuse("invalid_request", "response_type is missing"),
        Some(_) => return refuse("unsupported_response_type", "response_type must be code"),
    }
    if text("response_mode").is_some_and(|mode| mode != "query") {
        return refuse("invalid_request", "response_mode must be query");
    }
    let longer = |name, limit| text(name).is_some_and(|value| kept_length(value) > limit);
    if longer("state", MAX_STATE) || longer("nonce", MAX_NONCE) {
        return refuse("invalid_request", "state may have 2048 bytes and nonce 512");
    }
    let Some(scopes) = text("scope").and_then(Scopes::parse) else {
        return refuse("invalid_scope", "scope must hold openid");
    };
    let Some(challenge) = text("code_challenge") else {
        return refuse("invalid_request", "code_challenge is missing: PKCE is asked of every client");
    };
    if text("code_challenge_method") != Some("S256") {
        return refuse("invalid_request", "code_challenge_method must be S256");
    }
    let Some(challenge) = CodeChallenge::parse(challenge) else {
        return refuse("invalid_request", "code_challenge is not a SHA-256 in base64url");
    };
    let prompts: Vec<&str> = text("prompt").into_iter().flat_map(|prompt| prompt.split(' ')).collect();
    match prompts[..] {
        // Nobody is signed in here: each login proves its user anew.
        ["none"] => refuse("login_required", "every login is made on the page"),
        _ if prompts.contains(&"none") => refuse("invalid_request", "prompt=none stands alone"),
        _ => Ok((challenge, scopes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::tests::application;

    const CALLBACK: &str = "https://shop.example/callback?tab=1";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// Ways to write an address that is nearly another.
    fn variants(address: &str) -> Vec<String> {
        let (start, query) = address.split_once('?').unwrap();
        let host = "shop.example";
        vec![
            String::new(),
            start.to_owned(),
            format!("{start}/?{query}"),
            format!("{address}/"),
            format!("{address}&x=1"),
            format!("{address}#"),
            format!("{address}#fragment"),
            format!(" {address}"),
            format!("{address} "),
            format!("{address}\n"),
            address.to_uppercase(),
            address.replace("https", "HTTPS"),
            address.replace("https:", "http:"),
            address.replace("https:", "javascript:"),
            address.replace("https://", "//"),
            address.replace("https://", "https:"),
            address.replace("https://", "https:\\\\"),
            address.replace(host, "Shop.example"),
            address.replace(host, "shop.example."),
            address.replace(host, "shop.example:443"),
            address.replace(host, "user@shop.example"),
            address.replace(host, "shop.example@evil.example"),
            address.replace(host, "shop.example.evil.example"),
            address.replace(host, "evil.example\\@shop.example"),
            address.replace("/callback", "/./callback"),
            address.replace("/callback", "/x/../callback"),
            address.replace("/callback", "/callback/../evil"),
            address.replace("/callback", "//callback"),
            address.replace("/callback", "/%63allback"),
            address.replace("/callback", "/callback%00"),
            address.replace("tab=1", "tab=2"),
            address.replace("tab=1", "tab=1%20"),
            format!("https://evil.example/?{address}"),
            format!("https://evil.example/#{address}"),
        ]
    }

    fn asked(changes: &[(&'static str, &str)]) -> Parameters {
        let mut asked: Parameters = [
            ("client_id", "app"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "st"),
            ("nonce", "no"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        for (name, value) in changes {
            if value.is_empty() {
                asked.remove(name);
            } else {
                asked.insert(name, (*value).to_owned());
            }
        }
        asked
    }

    fn shop() -> Application {
        Application { redirect_uris: vec![CALLBACK.into(), "com.example.shop:/cb".into()], ..application() }
    }

    fn error(changes: &[(&'static str, &str)]) -> &'static str {
        let refused = request(&asked(changes), &shop(), CALLBACK).expect_err("sound");
        assert_eq!(refused.redirect_uri, CALLBACK);
        refused.error.code
    }

    #[test]
    fn t26_a_redirect_is_one_of_the_applications_byte_for_byte() {
        let own = vec!["https://mfa.example/own".to_owned()];
        let go =
            |uri: &str| redirect(&asked(&[("redirect_uri", uri)]), Some(&shop()), &own).map(str::to_owned);
        for good in [CALLBACK, "com.example.shop:/cb", "https://mfa.example/own"] {
            assert_eq!(go(good).as_deref(), Ok(good));
        }
        for variant in variants(CALLBACK) {
            assert_eq!(go(&variant), Err(Unsound::Redirect), "{variant}");
        }
        assert_eq!(redirect(&asked(&[]), None, &own), Err(Unsound::Client));
        assert_eq!(redirect(&asked(&[]), Some(&application()), &[]), Err(Unsound::Redirect), "it lists none");
    }

    #[test]
    fn a_sound_request_keeps_what_was_asked() {
        let long = "x".repeat(MAX_HINT + 1);
        let asked = asked(&[("login_hint", "ana"), ("ui_locales", &long), ("prompt", "login consent")]);
        let request = request(&asked, &shop(), CALLBACK).unwrap();
        assert_eq!((request.state.as_deref(), request.nonce.as_deref()), (Some("st"), Some("no")));
        assert_eq!((request.login_hint.as_deref(), request.ui_locales), (Some("ana"), None));
        assert_eq!(request.scopes, Scopes { email: true, ..Scopes::default() });
        assert_eq!(request.challenge.as_str(), CHALLENGE);
    }

    #[test]
    fn what_is_wrong_with_a_request_has_its_code() {
        assert_eq!(error(&[("response_type", "")]), "invalid_request");
        for kind in ["token", "id_token", "code id_token", "CODE", "none"] {
            assert_eq!(error(&[("response_type", kind)]), "unsupported_response_type");
        }
        for mode in ["fragment", "form_post", "web_message"] {
            assert_eq!(error(&[("response_mode", mode)]), "invalid_request");
        }
        for scope in ["", "email", "OpenID"] {
            assert_eq!(error(&[("scope", scope)]), "invalid_scope");
        }
        assert_eq!(error(&[("request", "x")]), "request_not_supported");
        assert_eq!(error(&[("request_uri", "https://x.example")]), "request_uri_not_supported");
        assert_eq!(error(&[("registration", "{}")]), "registration_not_supported");
        assert_eq!(error(&[("prompt", "none")]), "login_required");
        assert_eq!(error(&[("prompt", "none login")]), "invalid_request");
        assert_eq!(error(&[("state", &"s".repeat(MAX_STATE + 1))]), "invalid_request");
        assert_eq!(error(&[("nonce", &"n".repeat(MAX_NONCE + 1))]), "invalid_request");
        // What is short as it comes, and long as it is kept.
        assert_eq!(error(&[("state", &"\u{1}".repeat(MAX_STATE / 6 + 1))]), "invalid_request");
        assert_eq!(error(&[("nonce", &"\"".repeat(MAX_NONCE / 2 + 1))]), "invalid_request");
    }

    #[test]
    fn pkce_is_asked_of_everybody_and_plain_is_not_taken() {
        assert_eq!(error(&[("code_challenge", "")]), "invalid_request");
        for method in ["", "plain", "s256", "S512"] {
            assert_eq!(error(&[("code_challenge_method", method)]), "invalid_request");
        }
        assert_eq!(error(&[("code_challenge", "too-short")]), "invalid_request");
    }
}
