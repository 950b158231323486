//! An API Gateway HTTP API before the functions' builds: it picks the function by template.yaml's own routes, so a journey that runs
//! through it also proves that the template sends each call where it belongs.

use crate::events;
use crate::http_client::{Answer, Call};
use crate::runtime::{Bootstrap, RuntimeError};
use crate::template::{Route, Template};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;

/// The route of whatever has no other.
const DEFAULT: &str = "$default";

/// The routes of template.yaml, with the function of each.
#[derive(Debug)]
pub struct Routes(Vec<(Route, String)>);

/// Where a call goes.
#[derive(Debug)]
pub struct Way<'a> {
    pub function: &'a str,
    route: &'a Route,
    parameters: Vec<(String, String)>,
}

impl Way<'_> {
    /// The route's key, as events spell it.
    fn key(&self) -> String {
        if self.route.path == DEFAULT {
            return DEFAULT.to_owned();
        }
        format!("{} {}", self.route.method, self.route.path)
    }

    /// The event for a call that goes this way.
    pub fn event(&self, call: &Call) -> Value {
        events::http_event(call, &self.key(), &self.parameters)
    }
}

impl Routes {
    pub fn of(template: &Template) -> Self {
        let of_one = |function: &crate::template::Function| {
            let name = function.name.clone();
            function.routes.clone().into_iter().map(move |route| (route, name.clone()))
        };
        Self(template.functions.values().flat_map(of_one).collect())
    }

    /// The most specific route: one without a variable part before one with, any before `{proxy+}`, and `$default` if there is no other.
    pub fn find(&self, method: &str, path: &str) -> Option<Way<'_>> {
        let candidates = self.0.iter().filter(|(route, _)| route.method == method || route.method == "ANY");
        let matching = candidates.filter_map(|to| Some((to, parameters(&to.0.path, path)?)));
        let best =
            matching.min_by_key(|((route, _), parameters)| (route.path.contains("+}"), parameters.len()));
        let default = || self.0.iter().find(|(route, _)| route.path == DEFAULT);
        let ((route, function), parameters) = best.or_else(|| Some((default()?, Vec::new())))?;
        Some(Way { function, route, parameters })
    }
}

/// Running functions by name, and their routes.
#[derive(Debug)]
pub struct Gateway {
    functions: BTreeMap<String, Bootstrap>,
    routes: Routes,
}

impl Gateway {
    /// Starts every function of template.yaml. `environment` names a function's variables; it gets the function's name and the names of
    /// those that the template sets for it.
    pub async fn start(environment: impl Fn(&str, &[String]) -> Vec<(String, String)>) -> Self {
        let template = Template::load();
        let mut functions = BTreeMap::new();
        for function in template.functions.values() {
            let variables = environment(&function.name, &function.environment);
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            functions.insert(function.name.clone(), Bootstrap::spawn(&function.name, &variables).await);
        }
        Self { functions, routes: Routes::of(&template) }
    }

    pub fn function(&self, name: &str) -> &Bootstrap {
        &self.functions[name]
    }

    /// # Panics
    /// If the function fails, which a gateway answers with a bare 500.
    pub async fn send(&self, call: Call) -> Answer {
        let path = call.target.split('?').next().unwrap_or_default();
        let Some(way) = self.routes.find(call.method.as_str(), path) else {
            let body = Bytes::from_static(br#"{"message":"Not Found"}"#);
            return Answer::new(404, HeaderMap::new(), body);
        };
        let response = self.functions[way.function].invoke(&way.event(&call)).await;
        events::answer(&response.unwrap_or_else(|error| panic!("{}: {error:?}", way.key())))
    }

    /// Hands an event to the function that its method and path lead to.
    ///
    /// # Panics
    /// If they lead to another route than the event says, or to none.
    pub async fn handle(&self, event: &Value) -> Result<Value, RuntimeError> {
        let method = event["requestContext"]["http"]["method"].as_str().expect("a method");
        let path = event["rawPath"].as_str().expect("a path");
        let way = self.routes.find(method, path).expect("a route");
        assert_eq!(event["routeKey"], way.key(), "the gateway would send {method} {path} another way");
        self.functions[way.function].invoke(event).await
    }

    /// The route that a method and a path take.
    pub fn route(&self, method: &str, path: &str) -> Option<Route> {
        self.routes.find(method, path).map(|way| way.route.clone())
    }
}

/// The path parameters, if the path is of this route.
fn parameters(route: &str, path: &str) -> Option<Vec<(String, String)>> {
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
