//! An API Gateway HTTP API before the six release builds: it picks the function by template.yaml's own routes, so a journey that runs
//! through it also proves that the template sends each call where it belongs.

use crate::events;
use crate::http_client::{Answer, Call};
use crate::runtime::{Bootstrap, RuntimeError};
use crate::template::Template;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// Path parameters by name.
type Parameters = Vec<(String, String)>;

/// The route of whatever has no other.
const DEFAULT: &str = "$default";

/// Running functions by name, and their routes.
#[derive(Debug)]
pub struct Gateway {
    functions: BTreeMap<String, Bootstrap>,
    routes: Vec<(String, String, String)>,
}

impl Gateway {
    /// Starts every function of template.yaml. `environment` names a function's variables; it gets the function's name and the names of
    /// those that the template sets for it.
    pub async fn start(environment: impl Fn(&str, &[String]) -> Vec<(String, String)>) -> Self {
        let template = Template::load();
        let mut functions = BTreeMap::new();
        let mut routes = Vec::new();
        for function in template.functions.values() {
            let variables = environment(&function.name, &function.environment);
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            functions.insert(function.name.clone(), Bootstrap::spawn(&function.name, &variables).await);
            for route in &function.routes {
                routes.push((route.method.clone(), route.path.clone(), function.name.clone()));
            }
        }
        Self { functions, routes }
    }

    pub fn function(&self, name: &str) -> &Bootstrap {
        &self.functions[name]
    }

    /// # Panics
    /// If the function fails, which a gateway answers with a bare 500.
    pub async fn send(&self, call: Call) -> Answer {
        let path = call.target.split('?').next().unwrap_or_default();
        let Some((function, route, parameters)) = self.route(call.method.as_str(), path) else {
            let body = Bytes::from_static(br#"{"message":"Not Found"}"#);
            return Answer::new(404, HeaderMap::new(), body);
        };
        let event = events::http_event(&call, &route, &parameters);
        let response = self.functions[&function].invoke(&event).await;
        events::answer(&response.unwrap_or_else(|error| panic!("{function}: {error:?}")))
    }

    /// Hands an event to the function that its method and path lead to.
    ///
    /// # Panics
    /// If they lead to another route than the event says, or to none.
    pub async fn handle(&self, event: &Value) -> Result<Value, RuntimeError> {
        let method = event["requestContext"]["http"]["method"].as_str().expect("a method");
        let path = event["rawPath"].as_str().expect("a path");
        let (function, route, _) = self.route(method, path).expect("a route");
        assert_eq!(event["routeKey"], route, "the gateway would send {method} {path} another way");
        self.functions[&function].invoke(event).await
    }

    /// The path of the route that a method and a path lead to.
    pub fn route_of(&self, method: &str, path: &str) -> Option<String> {
        let (_, route, _) = self.route(method, path)?;
        Some(route.split(' ').next_back().unwrap_or_default().to_owned())
    }

    /// The most specific route: one without a variable part before one with, any before `{proxy+}`, and `$default` if there is no other.
    fn route(&self, method: &str, path: &str) -> Option<(String, String, Parameters)> {
        let candidates = self.routes.iter().filter(|route| route.0 == method || route.0 == "ANY");
        let matching = candidates.filter_map(|route| Some((route, parameters(&route.1, path)?)));
        let best = matching.min_by_key(|(route, parameters)| (route.1.contains("+}"), parameters.len()));
        if let Some((route, parameters)) = best {
            return Some((route.2.clone(), format!("{} {}", route.0, route.1), parameters));
        }
        let default = self.routes.iter().find(|route| route.1 == DEFAULT)?;
        Some((default.2.clone(), DEFAULT.to_owned(), Vec::new()))
    }
}

/// The path parameters, if the path is of this route.
fn parameters(route: &str, path: &str) -> Option<Parameters> {
    let mut parameters = Vec::new();
    let mut segments = path.trim_start_matches('/').split('/');
    for part in route.trim_start_matches('/').split('/') {
        match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => {
                    let rest: Vec<&str> = segments.by_ref().collect();
                    parameters.push((name.to_owned(), rest.join("/")));
                }
                None => {
                    let value = segments.next().filter(|value| !value.is_empty())?;
                    parameters.push((name.to_owned(), value.to_owned()));
                }
            },
            None if segments.next() == Some(part) => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn a_route_takes_its_paths_and_no_others() {
        let found = parameters("/v1/logins/{login}/code", "/v1/logins/log_1/code");
        assert_eq!(found, Some(vec![("login".to_owned(), "log_1".to_owned())]));
        assert_eq!(parameters("/{proxy+}", "/a/b"), Some(vec![("proxy".to_owned(), "a/b".to_owned())]));
        for path in ["/v1/logins/log_1", "/v1/logins//code", "/v1/logins/log_1/code/x", "/"] {
            assert_eq!(parameters("/v1/logins/{login}/code", path), None, "{path}");
        }
    }
}
