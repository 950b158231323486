//! The edge: requests in, answers out, over the `http` crate's types, so that the same code runs in Lambda, in `local` and in tests.

mod call;
mod problem;
mod reply;
mod route;

pub use call::Call;
pub use problem::Problem;
pub use reply::Reply;
pub use route::{Handler, Route};
