//! A login's life: from the first factor to the tokens.

/// What a login is for. It is part of every code's MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    ReplacePhone,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::SignIn => "sign_in",
            Purpose::ReplacePhone => "replace_phone",
        }
    }
}
