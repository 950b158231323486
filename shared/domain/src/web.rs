//! Addresses on the web that an administrator configures. Each is checked once, here, and compared byte for byte from then on.

use super::refusal::Refusal;
use url::{Host, Url};

/// Longest address that is kept.
const MAX_LENGTH: usize = 2048;

/// A browser origin (RFC 6454): exactly `https://host[:port]`, or `http` on this very machine. Answers it as browsers send it: lower case,
/// without the scheme's own port.
pub fn origin(text: &str) -> Result<String, Refusal> {
    let refused = || {
        Refusal::InvalidRequest(
            "origins must be exactly https://host[:port], or http on localhost, in ASCII, without a path or wildcard"
                .into(),
        )
    };
    let lower = text.to_ascii_lowercase();
    let url = secure(&lower).ok_or_else(refused)?;
    let canonical = url.origin().ascii_serialization();
    let default_port = if url.scheme() == "https" { ":443" } else { ":80" };
    // Comparing the text itself refuses everything that a URL parser would mend: spaces, backslashes, an empty path, user names.
    let exact = lower == canonical || lower.strip_suffix(default_port) == Some(&canonical);
    if exact { Ok(canonical) } else { Err(refused()) }
}

/// Where a browser is sent after a login (RFC 6749 §3.1.2, RFC 8252): `https`, `http` on this very machine, or an app's own scheme,
/// which must have a dot (§7.1). Kept as written, since it is compared as written.
pub fn redirect_uri(text: &str) -> Result<String, Refusal> {
    let refused = || {
        Refusal::InvalidRequest(
            "redirect_uris must be absolute, https (http on localhost, or an app's scheme with a dot in it), without a fragment"
                .into(),
        )
    };
    let url = parse(text).ok_or_else(refused)?;
    let allowed = match url.scheme() {
        "https" | "http" => is_secure(&url),
        own_scheme => own_scheme.contains('.') && text.starts_with(own_scheme),
    };
    if allowed && url.fragment().is_none() { Ok(text.to_owned()) } else { Err(refused()) }
}

/// An OpenID Connect issuer (Discovery 1.0 §2): no query, no fragment. Kept as written: `iss` must equal it byte for byte.
pub fn issuer(text: &str) -> Result<String, Refusal> {
    match secure(text) {
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(Refusal::InvalidRequest(
            "issuer must be an https address (http on localhost) without query or fragment".into(),
        )),
    }
}

/// Where a source publishes its keys.
pub fn jwks_uri(text: &str) -> Result<String, Refusal> {
    match secure(text) {
        Some(url) if url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(Refusal::InvalidRequest(
            "jwks_uri must be an https address (http on localhost) without fragment".into(),
        )),
    }
}

/// A picture that hosted pages show: `https`, everywhere.
pub fn logo_url(text: &str) -> Result<String, Refusal> {
    match secure(text) {
        Some(url) if url.scheme() == "https" && url.fragment().is_none() => Ok(text.to_owned()),
        _ => Err(Refusal::InvalidRequest("logo_url must be an https address without fragment".into())),
    }
}

/// The origin of an address that one of these functions let pass, as browsers spell it.
pub fn origin_of(address: &str) -> Option<String> {
    secure(address).map(|url| url.origin().ascii_serialization())
}

/// The host of a message's origin-bound last line: a DNS name in lower-case ASCII, no address and no port.
pub fn host_name(text: &str) -> Result<String, Refusal> {
    let lower = text.to_ascii_lowercase();
    if is_host_name(&lower) {
        Ok(lower)
    } else {
        Err(Refusal::InvalidRequest(
            "message_host must be a host name in ASCII, without scheme or port".into(),
        ))
    }
}

/// A URL that the parser did not have to mend: visible ASCII, no backslash, and after `http(s):` exactly two slashes.
fn parse(text: &str) -> Option<Url> {
    let plain = text.len() <= MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let url = plain.then(|| Url::parse(text).ok()).flatten()?;
    let rest = text.get(url.scheme().len()..)?;
    let two_slashes = rest.starts_with("://") && !rest.starts_with(":///");
    (two_slashes || !matches!(url.scheme(), "http" | "https")).then_some(url)
}

/// `https` anywhere or `http` on this machine, with a real host and no user name.
fn secure(text: &str) -> Option<Url> {
    parse(text).filter(is_secure)
}

fn is_secure(url: &Url) -> bool {
    let local = match url.host() {
        Some(Host::Domain("localhost")) => true,
        Some(Host::Domain(name)) if is_host_name(name) => false,
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => return false,
    };
    let user = !url.username().is_empty() || url.password().is_some();
    !user && (url.scheme() == "https" || (url.scheme() == "http" && local))
}

/// RFC 1123 §2.1, in lower case: labels of letters, digits and inner hyphens; the last one not a number, or it would be an address.
fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last_is_number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !last_is_number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact() {
        for (given, kept) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.com", "https://app.example.com"),
            ("https://app.example.com:8443", "https://app.example.com:8443"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1", "http://127.0.0.1"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(kept));
        }
        for bad in [
            "",
            "*",
            "null",
            "https://*.example.com",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://user@app.example.com",
            "https://app.example.com:",
            "https://app.example.com:99999",
            "http://app.example.com",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "https:app.example.com",
            "https:\\\\app.example.com",
            " https://app.example.com",
            "https://app.exa\tmple.com",
            "https://bücher.example",
            "ftp://app.example.com",
            "file:///etc",
            "https://",
            "javascript:alert(1)",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redirect_goes_only_where_it_says() {
        for good in [
            "https://app.example.com/callback",
            "https://app.example.com/callback?state=1",
            "http://localhost:3000/callback",
            "http://127.0.0.1/callback",
            "com.example.app:/callback",
            "com.example.app://callback",
        ] {
            assert_eq!(redirect_uri(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "/callback",
            "//evil.example/callback",
            "https://app.example.com/callback#token",
            "https://app.example.com/#",
            "https://user:pw@app.example.com/",
            "https://*.example.com/callback",
            "http://app.example.com/callback",
            "https:/app.example.com/",
            "https:///app.example.com/",
            "https://app.example.com\\@evil.example/",
            "javascript:alert(1)",
            "data:text/html,hi",
            "myapp:/callback",
            "https://app.example.com/ callback",
        ] {
            assert!(redirect_uri(bad).is_err(), "{bad}");
        }
        assert!(redirect_uri(&format!("https://app.example.com/{}", "a".repeat(2048))).is_err());
    }

    #[test]
    fn an_issuer_and_its_keys_are_reached_safely() {
        for good in
            ["https://login.example.com", "https://login.example.com/realms/a", "http://127.0.0.1:8080"]
        {
            assert_eq!(issuer(good).as_deref(), Ok(good));
        }
        for bad in [
            "login.example.com",
            "http://login.example.com",
            "https://login.example.com?x",
            "https://a@b.example",
        ] {
            assert!(issuer(bad).is_err(), "{bad}");
        }
        assert!(jwks_uri("https://login.example.com/keys?v=1").is_ok());
        assert!(jwks_uri("http://login.example.com/keys").is_err());
    }

    #[test]
    fn a_message_host_is_a_name() {
        assert_eq!(host_name("App.Example.com").as_deref(), Ok("app.example.com"));
        assert_eq!(host_name("localhost").as_deref(), Ok("localhost"));
        for bad in [
            "",
            "https://a.example",
            "a.example:80",
            "a..example",
            "-a.example",
            "a.example.",
            "1.2.3.4",
            "a b",
            "a#b",
            "bücher.example",
        ] {
            assert!(host_name(bad).is_err(), "{bad}");
        }
    }
}
