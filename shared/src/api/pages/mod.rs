//! Hosted pages on the wire, whichever function answers: a login in a browser is kept in cookies, and its forms prove where they come from.

mod cookies;
mod qr;
mod said;
mod scan;
mod session;

pub use qr::ShownQr;
pub use said::Said;
pub use scan::{ScanSession, scan_path};
pub use session::{PageAnswer, PageForm, PageSession, Pages};
