//! `POST /t/{tenant}/token` (RFC 6749 §3.2): a code for tokens. Its errors are OAuth's own documents, since any OAuth client reads them.

use super::HostedPagesApp;
use crate::domain::ids::TenantId;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply};
use crate::usecase::exchange_code::{Exchange, NotExchanged};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

const PARAMETERS: [&str; 6] =
    ["client_id", "client_secret", "code", "code_verifier", "grant_type", "redirect_uri"];

#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    id_token: String,
    scope: String,
}

/// Why there are no tokens.
#[derive(Debug)]
struct OauthError {
    code: &'static str,
    description: &'static str,
    /// Whether the client tried to authenticate by header, and is told how (RFC 6749 §5.2).
    by_header: bool,
}

const fn error(code: &'static str, description: &'static str) -> OauthError {
    OauthError { code, description, by_header: false }
}

const UNREADABLE: OauthError =
    error("invalid_request", "the body must be a form in which every parameter stands once");
const TWO_PROOFS: OauthError =
    error("invalid_request", "a client authenticates in one way: by the Authorization header or in the body");

/// Who calls, and with what.
struct Client {
    id: String,
    secret: Option<Secret<String>>,
    by_header: bool,
}

pub(super) async fn post(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    match exchange(app, &call, &tenant).await {
        Ok(body) => Ok(Reply::ok(&body)),
        Err(Failed::Oauth(error)) => Ok(refuse(&error)),
        Err(Failed::Other(problem)) => Err(problem),
    }
}

enum Failed {
    Oauth(OauthError),
    Other(Problem),
}

impl From<OauthError> for Failed {
    fn from(error: OauthError) -> Self {
        Self::Oauth(error)
    }
}

async fn exchange(app: &HostedPagesApp, call: &Call, tenant: &TenantId) -> Result<TokenBody, Failed> {
    let mut asked = call.form_parameters(&PARAMETERS).map_err(|_| UNREADABLE)?;
    let client = client(call, asked.remove("client_id"), asked.remove("client_secret").map(Secret::new))?;
    let mut need = |name, description| asked.remove(name).ok_or(error("invalid_request", description));
    let grant_type = need("grant_type", "grant_type is missing")?;
    if grant_type != "authorization_code" {
        let description = "grant_type must be authorization_code";
        return Err(error("unsupported_grant_type", description).into());
    }
    let code = Secret::new(need("code", "code is missing")?);
    let redirect_uri = need("redirect_uri", "redirect_uri is missing")?;
    let verifier = Secret::new(need("code_verifier", "code_verifier is missing")?);
    let exchange = Exchange {
        tenant,
        client: &client.id,
        secret: client.secret.as_ref().map(|secret| secret.expose().as_str()),
        origin: call.header(header::ORIGIN).map_err(|_| UNREADABLE)?,
        code: code.expose(),
        redirect_uri: &redirect_uri,
        verifier: verifier.expose(),
    };
    let exchanged = app.exchange.exchange(exchange, &|origin| call.allow_origin(origin)).await;
    let exchanged = exchanged.map_err(|refused| match refused {
        NotExchanged::Client => Failed::Oauth(OauthError {
            by_header: client.by_header,
            ..error("invalid_client", "no such client, or not its secret")
        }),
        NotExchanged::Origin => error("invalid_request", "the origin is not one of the application's").into(),
        NotExchanged::Grant => {
            error("invalid_grant", "the code is unknown, over, used, or was made for another request").into()
        }
        NotExchanged::Fault(fault) => Failed::Other(fault.into()),
    })?;
    Ok(TokenBody {
        access_token: exchanged.tokens.access_token.into_exposed(),
        token_type: "Bearer",
        expires_in: exchanged.tokens.expires_in,
        id_token: exchanged.tokens.id_token.into_exposed(),
        scope: exchanged.scopes.text(),
    })
}

/// The client of a call: `client_secret_basic`, `client_secret_post` or none (RFC 6749 §2.3), and not two of them.
fn client(call: &Call, id: Option<String>, secret: Option<Secret<String>>) -> Result<Client, OauthError> {
    let Some(value) = call.header(header::AUTHORIZATION).map_err(|_| UNREADABLE)? else {
        let id = id.ok_or(error("invalid_client", "no client names itself"))?;
        return Ok(Client { id, secret, by_header: false });
    };
    if secret.is_some() {
        return Err(TWO_PROOFS);
    }
    let (name, password) = basic(value).ok_or(OauthError {
        by_header: true,
        ..error("invalid_client", "the Authorization header is not Basic with a client's id and secret")
    })?;
    if id.is_some_and(|id| id != name) {
        return Err(error("invalid_request", "client_id is not the one of the Authorization header"));
    }
    Ok(Client { id: name, secret: Some(password), by_header: true })
}

/// RFC 7617, with both parts urlencoded first (RFC 6749 §2.3.1).
fn basic(value: &str) -> Option<(String, Secret<String>)> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = STANDARD.decode(encoded.trim_matches(' ')).ok()?;
    let (id, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    let part = |text: &str| {
        // A part has neither of these unescaped, and would be taken for several parameters.
        (!text.contains(['&', '='])).then_some(())?;
        let text = format!("x={text}");
        url::form_urlencoded::parse(text.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let basic = scheme.eq_ignore_ascii_case("basic") && !secret.is_empty();
    basic.then(|| Some((part(id)?, Secret::new(part(secret)?)))).flatten()
}

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

fn refuse(error: &OauthError) -> Reply {
    let OauthError { code, description, by_header } = *error;
    let unauthenticated = code == "invalid_client";
    let status = if unauthenticated { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let reply = Reply::json(status, &ErrorBody { error: code, error_description: description });
    // The log and the metrics know refusals of our own.
    let counted =
        if unauthenticated { Refusal::Unauthenticated } else { Refusal::InvalidRequest(description.into()) };
    let reply = reply.because(counted.into());
    if unauthenticated && by_header {
        reply.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\""))
    } else {
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::{HeaderMap, Method};

    fn of(authorization: Option<&str>, id: Option<&str>, secret: Option<&str>) -> Result<Client, OauthError> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let call = Call::new(Method::POST, headers, String::new(), Bytes::new(), "req".into());
        client(&call, id.map(str::to_owned), secret.map(|s| Secret::new(s.to_owned())))
    }

    fn encoded(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_client_authenticates_in_one_way() {
        let header = encoded("app%5F1:s%3A%2B+x");
        let client = of(Some(&header), None, None).unwrap();
        assert_eq!((client.id.as_str(), client.secret.unwrap().expose().as_str()), ("app_1", "s:+ x"));
        assert!(of(Some(&header), Some("app_1"), None).is_ok());
        let client = of(None, Some("app_1"), Some("s")).unwrap();
        assert_eq!((client.id.as_str(), client.secret.unwrap().expose().as_str()), ("app_1", "s"));
        assert!(of(None, Some("app_1"), None).unwrap().secret.is_none());

        let code = |result: Result<Client, OauthError>| result.err().unwrap().code;
        assert_eq!(code(of(Some(&header), Some("app_1"), Some("s"))), "invalid_request");
        assert_eq!(code(of(Some(&header), Some("app_2"), None)), "invalid_request");
        assert_eq!(code(of(None, None, Some("s"))), "invalid_client");
        for bad in [
            "Bearer x",
            "Basic",
            "Basic !",
            &encoded("no-colon"),
            &encoded("app_1:"),
            &encoded("app_1:a&b"),
            &encoded("app_1:a=b"),
            &format!("{},{}", encoded("a:b"), encoded("c:d")),
        ] {
            assert_eq!(code(of(Some(bad), None, None)), "invalid_client", "{bad}");
        }
    }

    #[test]
    fn an_error_is_oauths_own_document() {
        let reply = refuse(&TWO_PROOFS);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert!(
            std::str::from_utf8(&reply.body).unwrap().starts_with(r#"{"error":"invalid_request","error_des"#)
        );
        let reply = refuse(&OauthError { by_header: true, ..error("invalid_client", "x") });
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(reply.headers.iter().any(|(name, _)| name == header::WWW_AUTHENTICATE));
    }
}
