//! A page as an answer: rendered, with the policy that it is shown under.

use super::HostedPagesApp;
use crate::domain::ids::base62;
use crate::domain::tenant::Tenant;
use crate::http::{Problem, Reply};
use crate::pages::{Frame, Language, Said, Step, render};
use crate::ports::Fault;
use http::{HeaderName, HeaderValue, StatusCode, header};
use url::Url;

/// What a page may use of the browser: nothing but reading a message's code. (The one that shows recovery codes writes to the clipboard,
/// which needs the user's click anyway.)
const PERMISSIONS: &str =
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), otp-credentials=(self)";

/// 62^22 is about 2^131.
const NONCE_LENGTH: usize = 22;

/// What lets the one style in a page pass that is its tenant's: nobody else can guess it.
pub(super) fn nonce(app: &HostedPagesApp) -> String {
    base62(NONCE_LENGTH, |buffer| app.entropy.fill(buffer))
}

/// What is around every page of a tenant's, as long as it has no forms.
pub(super) fn frame<'a>(
    app: &HostedPagesApp,
    language: Language,
    tenant: &'a Tenant,
    application: &'a str,
    nonce: &'a str,
) -> Frame<'a> {
    Frame {
        language,
        tenant: &tenant.name,
        application,
        logo_url: tenant.branding.logo_url.as_deref(),
        accent: tenant.branding.accent(),
        nonce,
        base: "",
        csrf: "",
        now: app.pages.now(),
    }
}

/// `redirect_uri` is where the login goes on to: browsers hold a redirect that follows a form against the form's own policy.
pub(super) fn reply(
    status: StatusCode,
    frame: &Frame<'_>,
    step: &Step,
    said: Option<&Said<'_>>,
    redirect_uri: Option<&str>,
) -> Result<Reply, Problem> {
    let html = render(frame, step, said).map_err(Fault::new)?;
    let policy = HeaderValue::try_from(policy(frame, redirect_uri)).map_err(Fault::new)?;
    Ok(Reply::html(status, html)
        .with_header(header::CONTENT_SECURITY_POLICY, policy)
        .with_header(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"))
        .with_header(HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS)))
}

/// Nothing from anywhere else, no script or style in the page, no frame around it (threats T25, T26).
fn policy(frame: &Frame<'_>, redirect_uri: Option<&str>) -> String {
    let source = |text: &str| Url::parse(text).ok().and_then(|url| source(&url));
    let next = redirect_uri.and_then(source).map(|source| format!(" {source}")).unwrap_or_default();
    let logo = frame.logo_url.and_then(source).map(|source| format!(" {source}")).unwrap_or_default();
    let style = frame.accent.map(|_| format!(" 'nonce-{}'", frame.nonce)).unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'{style}; img-src 'self' data:{logo}; \
         connect-src 'self'; form-action 'self'{next}; frame-ancestors 'none'; base-uri 'none'"
    )
}

/// How a policy names where an address leads: its origin; of an app's own scheme, that.
fn source(url: &Url) -> Option<String> {
    let origin = url.origin();
    let text = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
    text.bytes().all(|b| b.is_ascii_graphic() && !b";,'\"".contains(&b)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_is_named_by_its_origin_or_its_scheme() {
        let of = |text: &str| source(&Url::parse(text).unwrap());
        assert_eq!(of("https://app.example/cb?x=1").as_deref(), Some("https://app.example"));
        assert_eq!(of("http://127.0.0.1:8080/cb").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(of("com.example.app:/cb").as_deref(), Some("com.example.app:"));
        assert_eq!(of("https://ä.example/").as_deref(), Some("https://xn--4ca.example"));
    }
}
