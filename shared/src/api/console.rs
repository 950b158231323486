//! `GET /console`: the administrators' page, and the files that it is made of.
//!
//! The page is the same for everybody and says nothing of anyone: whatever it shows it asks the API for, with its administrator's session.
//! Its files carry a version in their address, so that browsers keep them for good and never mix those of two deployments.

use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Nothing but what comes from here: no script and no style in the page itself, no other site's page around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const PAGE: &str = include_str!("../pages/console/index.html");
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

macro_rules! files {
    ($($name:literal: $kind:expr,)*) => {
        /// Name, media type, text.
        const FILES: &[(&str, &str, &str)] =
            &[$(($name, $kind, include_str!(concat!("../pages/console/", $name)))),*];
    };
}

files! {
    "api.js": SCRIPT,
    "app.js": SCRIPT,
    "application.js": SCRIPT,
    "applications.js": SCRIPT,
    "audit.js": SCRIPT,
    "console.css": STYLE,
    "dom.js": SCRIPT,
    "explain.js": SCRIPT,
    "form.js": SCRIPT,
    "identities.js": SCRIPT,
    "keys.js": SCRIPT,
    "messages.js": SCRIPT,
    "rules.js": SCRIPT,
    "security.js": SCRIPT,
    "sending.js": SCRIPT,
    "signin.js": SCRIPT,
    "sources.js": SCRIPT,
    "tenant.js": SCRIPT,
    "testing.js": SCRIPT,
    "ui.js": SCRIPT,
    "user.js": SCRIPT,
    "users.js": SCRIPT,
    "words.js": SCRIPT,
}

/// Changes with any of the files.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all = FILES.iter().fold(Sha256::new(), |sum, (name, _, text)| {
        sum.chain_update(name).chain_update([0]).chain_update(text).chain_update([0])
    });
    all.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
});

/// Names every module, so that a browser asks for all at once and not for one after the other.
static INDEX: LazyLock<String> = LazyLock::new(|| {
    let modules = FILES.iter().filter(|(_, kind, _)| *kind == SCRIPT);
    let link = |name: &str| format!("<link rel=\"modulepreload\" href=\"/console/{{version}}/{name}\">");
    let preload: Vec<_> = modules.map(|(name, _, _)| link(name)).collect();
    PAGE.replace("{preload}", &preload.join("\n")).replace("{version}", &VERSION)
});

/// The page. It names its files by their version, so it is asked for anew each time.
pub(super) fn page() -> Reply {
    reply("text/html; charset=utf-8", "no-cache", Bytes::from_static(INDEX.as_bytes()))
}

/// One of the files, as of this deployment only.
pub(super) fn file(call: &Call) -> Result<Reply, Problem> {
    let wanted = call.param("file");
    let found = FILES.iter().find(|(name, _, _)| *name == wanted);
    match found {
        Some((_, kind, text)) if call.param("version") == *VERSION => {
            let kept = "public, max-age=31536000, immutable";
            Ok(reply(kind, kept, Bytes::from_static(text.as_bytes())))
        }
        _ => Err(Refusal::NotFound.into()),
    }
}

fn reply(kind: &'static str, kept: &'static str, body: Bytes) -> Reply {
    let reply = Reply::body(StatusCode::OK, HeaderValue::from_static(kind), body);
    let policy = HeaderValue::from_static(POLICY);
    reply
        .with_header(header::CONTENT_SECURITY_POLICY, policy)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static(kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::EventKind;

    /// A module that is imported but not served would leave a blank page.
    #[test]
    fn every_module_that_is_named_is_served() {
        let names: Vec<_> = FILES.iter().map(|(name, _, _)| *name).collect();
        for (name, _, text) in FILES {
            for line in text.lines().filter(|line| line.starts_with("import ")) {
                let from = line.rsplit('"').nth(1).and_then(|from| from.strip_prefix("./"));
                assert!(from.is_some_and(|from| names.contains(&from)), "{name}: {line}");
            }
        }
        for wanted in ["console.css", "app.js"] {
            assert!(names.contains(&wanted) && INDEX.contains(&format!("/console/{}/{wanted}", *VERSION)));
        }
    }

    /// A kind of event that has no words yet would be shown by its name, and could not be filtered by.
    #[test]
    fn every_event_of_the_audit_has_words() {
        let words = include_str!("../pages/console/words.js");
        for kind in EventKind::ALL {
            assert!(words.contains(&format!("  \"{}\": ", kind.as_str())), "{}", kind.as_str());
        }
    }

    /// What strangers wrote is only ever text, and nothing runs or is styled from within the page.
    #[test]
    fn t25_no_file_makes_markup_of_text_or_needs_more_than_the_policy_allows() {
        for (name, _, text) in FILES {
            for banned in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "new Function",
                "http://",
            ] {
                assert!(!text.contains(banned), "{name}: {banned}");
            }
        }
        assert!(!PAGE.contains("<style") && !PAGE.contains(" style=") && !PAGE.contains("<script>"));
    }
}
