//! What the templates are given.

use super::qr_code::Drawing;
use super::text::Language;
use crate::domain::branding::{Accent, Color};
use crate::domain::phone::calling_code;
use crate::domain::time::Timestamp;
use serde::Serialize;

/// Around every step.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    pub language: Language,
    /// The tenant's name; empty where none is known, as on an error's page.
    pub tenant: &'a str,
    pub application: &'a str,
    pub logo_url: Option<&'a str>,
    /// The tenant's colour, as it can be read.
    pub accent: Option<Accent>,
    /// Of this answer's Content-Security-Policy, for the accent's style.
    pub nonce: &'a str,
    /// Where the login's page is: its forms are below.
    pub base: &'a str,
    pub csrf: &'a str,
    pub now: Timestamp,
}

/// The style that a page wears for its tenant. It goes into the page as it is: colours print as `#rrggbb`.
pub(super) fn style(accent: Accent) -> String {
    let Accent { on_light, on_dark } = accent;
    let [light, on_light, dark, on_dark] =
        [on_light.color, on_light.text, on_dark.color, on_dark.text].map(Color::hex);
    format!(
        ":root{{--accent:{light};--on-accent:{on_light}}}\
         @media(prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:{on_dark}}}}}"
    )
}

/// Where a login is, as its user sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Step {
    SignIn(SignIn),
    BindPhone(BindPhone),
    EnterCode(EnterCode),
    RecoveryCodes(RecoveryCodes),
    Stop(Stop),
    Experience(Experience),
    Scan(Scan),
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct SignIn {
    /// What the application says who it is (`login_hint`).
    pub account: String,
    /// The QR code that stands in the password's place, once the user has asked for it.
    pub qr: Option<QrPanel>,
}

#[derive(Clone, Debug, Serialize)]
pub struct QrPanel {
    pub code: Drawing,
    /// What it says.
    pub url: String,
    /// In milliseconds.
    pub expires_at: i64,
}

#[derive(Clone, Debug, Serialize)]
pub struct BindPhone {
    /// Those that codes may go to, by name.
    pub countries: Vec<Country>,
    /// Whether this login has named a number before, and can go back to it.
    pub named_before: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: String,
    pub name: &'static str,
    /// Without `+`.
    pub calling_code: &'static str,
    pub selected: bool,
}

impl BindPhone {
    /// `countries` as a login allows them, of which `preferred` is chosen at first, or the first where that isn't one.
    pub fn new(
        language: Language,
        countries: &[String],
        preferred: Option<&str>,
        named_before: bool,
    ) -> Self {
        let mut listed: Vec<Country> = countries
            .iter()
            .filter_map(|code| {
                let (name, calling_code) = (language.country(code)?, calling_code(code)?);
                Some(Country { code: code.clone(), name, calling_code, selected: false })
            })
            .collect();
        listed.sort_by_key(|country| country.name);
        let chosen = listed.iter().position(|country| Some(country.code.as_str()) == preferred);
        if let Some(country) = listed.get_mut(chosen.unwrap_or_default()) {
            country.selected = true;
        }
        Self { countries: listed, named_before }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct EnterCode {
    /// Masked.
    pub hint: String,
    pub length: u8,
    pub attempts_left: u32,
    pub sends_left: u32,
    /// `None` before the first message, and where it was refused.
    pub code: Option<CodeOut>,
    /// When the next message may be asked for, in milliseconds; `None`: now.
    pub resend_at: Option<i64>,
    /// Makes the form that asks for a message send one only, however often it is sent.
    pub send_key: String,
    /// For how many days this device may be trusted, where it may.
    pub trust_days: Option<u16>,
    /// Whether recovery codes are taken.
    pub recovery: bool,
    /// Whether the number is one that was named in this login, so that it may be another.
    pub may_change: bool,
    /// When the login ends, in milliseconds.
    pub login_expires_at: i64,
}

/// A code that was sent.
#[derive(Clone, Debug, Serialize)]
pub struct CodeOut {
    /// In milliseconds.
    pub expires_at: i64,
    /// Whether the provider is known to have taken the message.
    pub accepted: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodes {
    pub codes: Vec<String>,
}

/// A page that goes no further.
#[derive(Clone, Debug, Serialize)]
pub struct Stop {
    pub reason: StopReason,
    /// Whether this login can be started again from here.
    pub again: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    Administrator,
    Blocked,
    Expired,
    Complete,
    /// What is wrong stands in what was said.
    Error,
}

/// The result of an experience login.
#[derive(Clone, Debug, Serialize)]
pub struct Experience {
    pub claims: Vec<Claim>,
    /// `aal1` or `aal2`.
    pub acr: String,
    /// Where to try it again.
    pub again: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    pub name: String,
    pub value: String,
}

/// Where a QR code leads to.
#[derive(Clone, Debug, Serialize)]
pub struct Scan {
    pub state: ScanState,
    /// What the forms' addresses start with.
    pub action: String,
    pub qr: String,
    pub asked_by: AskedBy,
    /// In milliseconds.
    pub expires_at: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    Ask,
    Approved,
    Rejected,
}

/// Who wants to be signed in.
#[derive(Clone, Debug, Serialize)]
pub struct AskedBy {
    pub address: Option<String>,
    pub browser: Option<&'static str>,
    pub system: Option<&'static str>,
    /// How long ago.
    pub seconds: u32,
}

impl Step {
    pub(super) const fn template(&self) -> &'static str {
        match self {
            Step::SignIn(_) => "sign_in.html",
            Step::BindPhone(_) => "bind_phone.html",
            Step::EnterCode(_) => "enter_code.html",
            Step::RecoveryCodes(_) => "recovery_codes.html",
            Step::Stop(_) => "stop.html",
            Step::Experience(_) => "experience.html",
            Step::Scan(_) => "scan.html",
        }
    }
}
