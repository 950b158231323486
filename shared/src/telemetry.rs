//! Logs: JSON lines on standard error, which Lambda hands to CloudWatch.
//!
//! Below WARN the SDK's crates, hyper, the Lambda runtime and the embedded engine print what passes through them: the SDK the whole
//! request and the signed message, the runtime the whole event, hyper the bytes. That is passwords, codes and numbers (acceptance
//! H14), and no level that somebody sets while looking for a bug may reveal them. So only our own crates follow `LOG_LEVEL`: a list
//! of the crates that may, rather than of those that may not, since the latter would be out of date with the next dependency.

pub mod metrics;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// The crates whose events follow `LOG_LEVEL`. A crate that isn't here stays at WARN.
const OUR_CRATES: [&str; 12] = [
    "shared",
    "local",
    "policy_admin",
    "user_directory",
    "sign_in",
    "phone_binding",
    "code_issuance",
    "code_verification",
    "hosted_pages",
    "notifications",
    "secrets_setup",
    "audit_trail",
];

/// The embedded engine calls each condition that did not hold an error at WARN; to us it is an answer.
const ENGINE: &str = "dynoxide";

/// Starts logging, at the level in `LOG_LEVEL` (`error`, `warn`, `info`, `debug`, `trace` or `off`), else INFO. A second call
/// changes nothing.
pub fn init() {
    start(LevelFilter::INFO);
}

/// As [`init`], but WARN where `LOG_LEVEL` says nothing: for a program that a person looks at.
pub fn init_quiet() {
    start(LevelFilter::WARN);
}

fn start(default: LevelFilter) {
    let level = std::env::var("LOG_LEVEL").ok();
    let level = parse(level.as_deref(), default);
    let namespace = std::env::var("METRICS_NAMESPACE").ok().filter(|name| !name.is_empty());
    let counted = namespace.map(|name| metrics::layer(name, std::io::stderr));
    let subscriber = tracing_subscriber::registry().with(layer(level, std::io::stderr)).with(counted);
    // Fails only where a subscriber is set already, which then stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The layer that [`init`] installs, on any writer: so that tests read what production would log.
pub fn layer<S, W>(level: LevelFilter, writer: W) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer)
        .with_filter(
            // What is above the hint is turned away before its fields are looked at.
            filter_fn(move |event| enabled(level, event.target(), *event.level()))
                .with_max_level_hint(level.max(LevelFilter::WARN)),
        )
}

/// A level that isn't one is the default: a typing error must not silence the log.
fn parse(level: Option<&str>, default: LevelFilter) -> LevelFilter {
    level.map(str::trim).filter(|text| !text.is_empty()).and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn enabled(level: LevelFilter, target: &str, of_event: Level) -> bool {
    let name = target.split("::").next().unwrap_or_default();
    let limit = match name {
        ENGINE => level.min(LevelFilter::ERROR),
        _ if OUR_CRATES.contains(&name) => level,
        _ => level.min(LevelFilter::WARN),
    };
    of_event <= limit
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: LevelFilter, events: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = tracing_subscriber::registry().with(layer(level, move || writer.clone()));
        tracing::subscriber::with_default(subscriber, events);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// A layer without a filter would have the SDK write out each request and answer, for nobody to read.
    #[test]
    fn nothing_asks_the_sdk_what_passes_through_it() {
        let log = layer(LevelFilter::INFO, io::sink);
        let metrics = metrics::layer("mfa/test".to_owned(), io::sink);
        let subscriber = tracing_subscriber::registry().with(log).with(metrics);
        tracing::subscriber::with_default(subscriber, || {
            assert!(!tracing::enabled!(target: "aws_smithy_runtime::client::orchestrator", Level::TRACE));
            assert!(!tracing::enabled!(target: "aws_sdk_dynamodb::operation::update_item", Level::INFO));
            assert!(tracing::enabled!(target: "aws_smithy_runtime::client", Level::WARN));
            assert!(tracing::enabled!(target: "metrics", Level::INFO));
            assert!(tracing::enabled!(target: "shared::http::edge", Level::INFO));
        });
    }

    #[test]
    fn h14_other_crates_never_log_below_warn() {
        let foreign = [
            "aws_smithy_runtime::client::orchestrator",
            "aws_sdk_sns::operation::publish",
            "aws_runtime::auth",
            "hyper_util::client",
            "lambda_runtime::layers",
            "rustls",
            "dynoxide::server",
            "a_crate_of_next_year",
            "shared_memory",
        ];
        for level in [LevelFilter::TRACE, LevelFilter::DEBUG, LevelFilter::INFO] {
            for target in foreign {
                for quiet in [Level::TRACE, Level::DEBUG, Level::INFO] {
                    assert!(!enabled(level, target, quiet), "{target} at {quiet}");
                }
            }
            assert!(enabled(level, "aws_smithy_runtime", Level::WARN));
            assert!(!enabled(level, "dynoxide::server", Level::WARN));
        }
        let text = logged(LevelFilter::TRACE, || {
            tracing::trace!(target: "aws_smithy_runtime", "canary");
            tracing::debug!("ours");
            let span = tracing::debug_span!(target: "aws_smithy_runtime", "send", phone = "canary");
            span.in_scope(|| tracing::info!("within"));
        });
        assert!(!text.contains("canary") && text.contains("ours") && text.contains("within"), "{text}");
    }

    #[test]
    fn a_line_is_one_json_object() {
        let text = logged(LevelFilter::INFO, || {
            tracing::info!(status = 200, request_id = "r\n1", "request");
            tracing::debug!("quiet");
        });
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!((&line["status"], &line["request_id"]), (&200.into(), &"r\n1".into()));
        assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"request".into()));
    }

    #[test]
    fn a_level_that_is_none_is_the_default() {
        let parse = |level| parse(level, LevelFilter::INFO);
        assert_eq!(parse(Some("loud")), LevelFilter::INFO);
        assert_eq!(parse(Some("")), LevelFilter::INFO);
        assert_eq!(parse(None), LevelFilter::INFO);
        assert_eq!(parse(Some("TRACE")), LevelFilter::TRACE);
        assert_eq!(parse(Some("off")), LevelFilter::OFF);
    }
}
