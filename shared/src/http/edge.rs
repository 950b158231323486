//! The edge itself: finds the handler of a request, and turns what it says into an answer.

use super::call::{Call, MAX_BODY};
use super::problem::{Problem, ProblemKind};
use super::{Reply, Route, answer};
use crate::domain::ids::base62;
use crate::domain::refusal::Refusal;
use crate::ports::{Clock, Entropy, Fault, OriginDirectory};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take: a function that its own timeout ends (`Timeout` in template.yaml, 10 s) answers nothing, and its client hears the
/// gateway's bare 5xx. Each request to a store has a bound of its own, but several that all reach theirs are longer than that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(9);

/// The endpoints of one or more functions. In Lambda it holds one function's, in `local` and in tests all of them.
pub struct Edge {
    router: matchit::Router<usize>,
    paths: Vec<PathEntry>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    origins: Option<Arc<dyn OriginDirectory>>,
    answer_timeout: Duration,
}

struct PathEntry {
    pattern: &'static str,
    endpoints: Vec<Endpoint>,
}

struct Endpoint {
    method: &'static str,
    operation: &'static str,
    handler: Box<dyn Fn(Call) -> BoxFuture<'static, Result<Reply, Problem>> + Send + Sync>,
}

/// An answer and what the log says of it.
struct Outcome {
    response: Response<Bytes>,
    /// The pattern of the path that matched; never the path itself, which may hold anything.
    route: &'static str,
    code: &'static str,
}

impl Edge {
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            router: matchit::Router::new(),
            paths: Vec::new(),
            clock,
            entropy,
            origins: None,
            answer_timeout: ANSWER_TIMEOUT,
        }
    }

    /// Answers 503 `unavailable` where a handler takes longer. What it has written by then stands, as after a crash, and a repetition goes on
    /// from there.
    #[must_use]
    pub fn within(mut self, answer_timeout: Duration) -> Self {
        self.answer_timeout = answer_timeout;
        self
    }

    /// Adds the endpoints of one function, answered with its use cases.
    ///
    /// # Panics
    ///
    /// If two routes share a method and a path, or a path is malformed. Routes are constants, so that shows at the first start.
    #[must_use]
    pub fn mount<A: Send + Sync + 'static>(mut self, app: Arc<A>, routes: &'static [Route<A>]) -> Self {
        for route in routes {
            let app = Arc::clone(&app);
            let handler = route.handler;
            let endpoint = Endpoint {
                method: route.method,
                operation: route.operation,
                handler: Box::new(move |call| {
                    let app = Arc::clone(&app);
                    Box::pin(async move { handler(&app, call).await })
                }),
            };
            self.add(route.path, endpoint);
        }
        self
    }

    fn add(&mut self, pattern: &'static str, endpoint: Endpoint) {
        let known = self.paths.iter().position(|path| path.pattern == pattern);
        let index = known.unwrap_or_else(|| {
            if let Err(error) = self.router.insert(pattern, self.paths.len()) {
                panic!("route {pattern}: {error}");
            }
            self.paths.push(PathEntry { pattern, endpoints: Vec::new() });
            self.paths.len() - 1
        });
        let endpoints = &mut self.paths[index].endpoints;
        let method = endpoint.method;
        assert!(endpoints.iter().all(|other| other.method != method), "route {method} {pattern} twice");
        endpoints.push(endpoint);
        endpoints.sort_by_key(|endpoint| endpoint.method);
    }

    /// Answers CORS preflights for the origins that `origins` knows.
    #[must_use]
    pub fn with_preflight(mut self, origins: Arc<dyn OriginDirectory>) -> Self {
        self.origins = Some(origins);
        self
    }

    /// Every endpoint's method, path and operation.
    pub fn routes(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let of_path = |path: &'_ PathEntry| {
            let pattern = path.pattern;
            path.endpoints
                .iter()
                .map(move |endpoint| (endpoint.method, pattern, endpoint.operation))
                .collect()
        };
        self.paths.iter().flat_map(|path| -> Vec<_> { of_path(path) }).collect()
    }

    /// Answers one request. `client_ip` is the peer that the gateway or the socket saw; `request_id` is the gateway's, or a
    /// new one is made.
    pub async fn handle(
        &self,
        request: Request<Bytes>,
        client_ip: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Response<Bytes> {
        let request_id = request_id
            .filter(|id| !id.is_empty() && HeaderValue::from_str(id).is_ok())
            .unwrap_or_else(|| self.new_request_id());
        let method = request.method().clone();
        let mut outcome = self.answer(request, client_ip, &request_id).await;
        self.finish(&mut outcome, &method, &request_id);
        outcome.response
    }

    /// The answer to a request that nobody works on, since too many others are under way: `unavailable`, as for every fault.
    pub fn turn_away(&self, method: &Method) -> Response<Bytes> {
        let request_id = self.new_request_id();
        let fault = Fault::new("too many requests at once");
        let mut outcome = self.refuse(fault, "none", &request_id);
        self.finish(&mut outcome, method, &request_id);
        outcome.response
    }

    fn finish(&self, outcome: &mut Outcome, method: &Method, request_id: &str) {
        answer::finish(&mut outcome.response, request_id);
        tracing::info!(
            method = method_for_log(method),
            route = outcome.route,
            status = outcome.response.status().as_u16(),
            code = outcome.code,
            request_id,
            "request"
        );
    }

    fn new_request_id(&self) -> String {
        format!("req_{}", base62(22, |buffer| self.entropy.fill(buffer)))
    }

    async fn answer(&self, request: Request<Bytes>, client_ip: Option<IpAddr>, request_id: &str) -> Outcome {
        if let Some(origins) = &self.origins
            && is_preflight(&request)
        {
            return match preflight(origins.as_ref(), request.headers()).await {
                Ok(response) => Outcome { response, route: "preflight", code: "" },
                Err(problem) => self.refuse(problem, "preflight", request_id),
            };
        }
        let (path, params) = match self.find(request.uri().path()) {
            Some(found) => found,
            None => return self.refuse(Refusal::NotFound, "none", request_id),
        };
        let route = path.pattern;
        let endpoint = path.endpoints.iter().find(|endpoint| endpoint.method == request.method().as_str());
        let Some(endpoint) = endpoint else {
            let methods: Vec<_> = path.endpoints.iter().map(|endpoint| endpoint.method).collect();
            return self.refuse(Refusal::MethodNotAllowed { allow: methods.join(", ") }, route, request_id);
        };
        if request.body().len() > MAX_BODY {
            return self.refuse(Refusal::TooLarge { limit_bytes: MAX_BODY }, route, request_id);
        }
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let mut call = Call::new(parts.method, parts.headers, query, body, request_id.to_owned());
        call.params = params;
        call.client_ip = client_ip;
        let origin = call.origin_slot();
        let answered = tokio::time::timeout(self.answer_timeout, (endpoint.handler)(call)).await;
        let answered = answered.unwrap_or_else(|_| Err(Fault::new("no answer in time").into()));
        let mut outcome = match answered {
            Ok(mut reply) => {
                let code = reply.because.take().map_or("", |problem| self.count(&problem, route, request_id));
                Outcome { response: answer::reply(reply), route, code }
            }
            Err(problem) => self.refuse(problem, route, request_id),
        };
        if let Some(origin) = origin.get() {
            answer::allow_origin(&mut outcome.response, origin);
        }
        outcome
    }

    /// Finds the entry of a path. Parameters are percent-decoded after the match, so that an encoded slash stays in its parameter.
    fn find(&self, path: &str) -> Option<(&PathEntry, Vec<(String, String)>)> {
        let found = self.router.at(path).ok()?;
        let params = found
            .params
            .iter()
            .map(|(name, value)| Some((name.to_owned(), percent_decode(value)?)))
            .collect::<Option<Vec<_>>>()?;
        Some((self.paths.get(*found.value)?, params))
    }

    fn refuse(&self, problem: impl Into<Problem>, route: &'static str, request_id: &str) -> Outcome {
        let problem = problem.into();
        self.count(&problem, route, request_id);
        let (response, code) = answer::problem(problem, request_id, self.clock.now());
        Outcome { response, route, code }
    }

    /// Logs a fault's cause, or counts a refusal; answers its code.
    fn count(&self, problem: &Problem, route: &'static str, request_id: &str) -> &'static str {
        match &problem.kind {
            ProblemKind::Fault(fault) => {
                tracing::error!(route, request_id, cause = %fault, "fault");
            }
            ProblemKind::Refused(refusal) => {
                let rule = problem.extensions.get("rule").and_then(|rule| rule.as_str());
                let rule = rule
                    .map_or_else(|| refusal.code().to_owned(), |rule| format!("{}.{rule}", refusal.code()));
                let now = self.clock.now();
                tracing::info!(target: "metrics", at = now.millis(), Refusals = 1, Rule = rule);
            }
        }
        problem.code()
    }
}

impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edge").field("routes", &self.routes()).finish_non_exhaustive()
    }
}

/// A method may be any token of the client's; the log takes only those that exist.
fn method_for_log(method: &Method) -> &str {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) { method.as_str() } else { "other" }
}

fn is_preflight(request: &Request<Bytes>) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

async fn preflight(origins: &dyn OriginDirectory, headers: &HeaderMap) -> Result<Response<Bytes>, Problem> {
    let unknown = Refusal::Forbidden("No application lists this origin.");
    let mut values = headers.get_all(header::ORIGIN).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(unknown.into()) };
    let Ok(origin) = value.to_str() else { return Err(unknown.into()) };
    if origins.origin_is_known(origin).await? { Ok(answer::preflight(value)) } else { Err(unknown.into()) }
}

/// Decodes `%41` (RFC 3986 §2.1). `None` for a broken escape and for what isn't UTF-8 then.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        };
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "edge_tests.rs"]
mod tests;
