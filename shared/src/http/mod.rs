//! The edge: requests in, answers out, over the `http` crate's types, so that the same code runs in Lambda, in `local` and in tests.

mod answer;
mod call;
pub mod cookies;
mod edge;
pub mod lambda;
mod parameters;
mod problem;
mod reply;
mod route;
mod strict;
mod wording;

pub use answer::REQUEST_ID;
pub use call::{Call, MAX_BODY};
pub use edge::Edge;
pub use problem::{Problem, ProblemKind, finding, status};
pub use reply::Reply;
pub use route::{Handler, Route};
