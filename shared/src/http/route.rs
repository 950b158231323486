//! A function's routes as data: the router, the deployment template's test and the API description all read the same list.

use super::{Call, Problem, Reply};
use futures::future::BoxFuture;

/// Answers one call with the use cases of `A`, a function's own set.
pub type Handler<A> = for<'a> fn(&'a A, Call) -> BoxFuture<'a, Result<Reply, Problem>>;

/// One method on one path. `path` has its parameters in braces, as in OpenAPI and in API Gateway.
#[derive(Debug)]
pub struct Route<A> {
    pub method: &'static str,
    pub path: &'static str,
    /// The operation's name, unique over all functions.
    pub operation: &'static str,
    pub handler: Handler<A>,
}

impl<A> Route<A> {
    pub const fn new(
        method: &'static str,
        path: &'static str,
        operation: &'static str,
        handler: Handler<A>,
    ) -> Self {
        Self { method, path, operation, handler }
    }
}
