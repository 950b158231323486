//! Hosted pages on the wire, whichever function answers: a login in a browser is kept in cookies, and its forms prove where they come from.

mod cookies;
mod said;
mod session;

pub use said::Said;
pub use session::{PageAnswer, PageForm, PageSession, Pages};
