//! What people see: view models, templates, sentences, style and script of the pages.
//!
//! A page is a [`Frame`] (whose page it is, in which language), a [`Step`] and perhaps what the last step refused. Nothing in here decides
//! anything about a login; `api` says which step it is at.

pub mod assets;
mod notice;
mod qr_code;
mod render;
pub mod text;
mod view;

pub use notice::{CODE_SENT, Said};
pub use qr_code::Drawing;
pub use render::render;
pub use text::Language;
pub use view::{
    AskedBy, BindPhone, Claim, CodeOut, Country, EnterCode, Experience, Frame, QrPanel, RecoveryCodes, Scan,
    ScanState, SignIn, Step, Stop, StopReason,
};
