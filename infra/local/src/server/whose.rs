//! Which tenant a request is for, as far as it says so before anybody has looked whether it may.
//!
//! It decides who comes next and nothing else: whoever names another tenant waits in that one's row.

use http::{Method, header, request::Parts};
use serde::Deserialize;
use shared::auth::credential::{Credential, Holder};
use shared::domain::ids::{ApplicationId, TenantId};
use std::borrow::Cow;

/// Calls whose body names an application.
const NAMING: [&str; 2] = ["/v1/logins", "/v1/qr-logins"];

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    application: Cow<'a, str>,
}

pub fn of(head: &Parts, body: &[u8]) -> Option<TenantId> {
    in_path(head.uri.path()).or_else(|| in_credential(head)).or_else(|| in_body(head, body))
}

fn in_path(path: &str) -> Option<TenantId> {
    let rest = path.strip_prefix("/v1/tenants/").or_else(|| path.strip_prefix("/t/"))?;
    TenantId::parse(rest.split('/').next()?)
}

fn in_credential(head: &Parts) -> Option<TenantId> {
    let bearer = head.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    match Credential::parse(bearer)?.holder {
        Holder::Administrator { tenant, .. } | Holder::Console { tenant, .. } => Some(tenant),
        Holder::Application { application, .. } => Some(application.tenant()),
        Holder::Operator | Holder::Device { .. } | Holder::QrLogin { .. } => None,
    }
}

fn in_body(head: &Parts, body: &[u8]) -> Option<TenantId> {
    if head.method != Method::POST || !NAMING.contains(&head.uri.path()) {
        return None;
    }
    let named: Named<'_> = serde_json::from_slice(body).ok()?;
    Some(ApplicationId::parse(&named.application)?.tenant())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    const TENANT: &str = "ten_0123456789AB";

    fn of_request(method: &str, target: &str, bearer: Option<&str>, body: &str) -> Option<String> {
        let mut request = Request::builder().method(method).uri(target);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        of(&head, body.as_bytes()).map(|tenant| tenant.to_string())
    }

    #[test]
    fn t31_a_request_names_its_tenant_in_path_credential_or_body() {
        let tenant = TenantId::parse(TENANT).unwrap();
        let bytes = |buffer: &mut [u8]| buffer.fill(7);
        let application = ApplicationId::generate(&tenant, bytes);
        let key = shared::domain::ids::KeyId::generate(bytes);
        let secret =
            Credential::generate(Holder::Application { application: application.clone(), key }, bytes);
        let body = format!(r#"{{"application":"{application}","assertion":{{"user":"u"}}}}"#);
        let own = Some(TENANT.to_owned());
        assert_eq!(of_request("GET", &format!("/v1/tenants/{TENANT}/users"), None, ""), own);
        assert_eq!(of_request("GET", &format!("/t/{TENANT}/authorize"), None, ""), own);
        assert_eq!(of_request("POST", "/v1/logins", None, &body), own);
        assert_eq!(of_request("POST", "/v1/elsewhere", Some(secret.text.expose()), ""), own);
        for (method, target, bearer, body) in [
            ("GET", "/v1/tenants/none/users", None, ""),
            ("POST", "/v1/logins/log_1/code", Some("a login token"), "{}"),
            ("POST", "/v1/elsewhere", None, body.as_str()),
            ("POST", "/v1/logins", None, r#"{"application":7}"#),
            ("POST", "/v1/logins", None, "no JSON"),
        ] {
            assert_eq!(of_request(method, target, bearer, body), None, "{method} {target} {body}");
        }
    }
}
