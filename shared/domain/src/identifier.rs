//! What a user signs in with: a username, an e-mail address or a mobile number. Each has one canonical form, and the kinds cannot
//! overlap, so that one text names one account at most.

use super::phone::PhoneNumber;
use super::refusal::Refusal;
use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use std::fmt;

/// Kinds of identifier, as storage keys and problem documents name them.
pub const USERNAME: &str = "username";
pub const EMAIL: &str = "email";
pub const PHONE: &str = "phone";
/// An external identity source's subject: nothing that a user types, but an identifier that one user has.
pub const SUBJECT: &str = "subject";

/// Characters of a username after mapping.
const MAX_USERNAME: usize = 64;
/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const MAX_EMAIL: usize = 254;
/// RFC 5321 §4.5.3.1.1.
const MAX_LOCAL_PART: usize = 64;
/// RFC 1035 §2.3.4.
const MAX_LABEL: usize = 63;

/// A username in the form of RFC 8265 §3.3 (UsernameCaseMapped): width mapped, lower case, NFC. It can't be taken for an e-mail address
/// or a number. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// # Errors
    /// [`Refusal::InvalidRequest`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mapped = stable(text).ok_or_else(|| invalid("username has characters that RFC 8265 refuses"))?;
        if mapped.chars().count() > MAX_USERNAME {
            return Err(invalid("username has more than 64 characters"));
        }
        // All of this is checked after mapping: a full-width @ or digit becomes a plain one.
        if mapped.contains('@') || mapped.starts_with('+') || mapped.chars().all(char::is_numeric) {
            return Err(invalid("username has @, starts with + or is all digits"));
        }
        Ok(Self(mapped))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Applies the profile until nothing changes any more (RFC 8264 §7): for a few texts once is not enough, and a form that isn't
/// stable would let one name be two.
fn stable(text: &str) -> Option<String> {
    // Longer than any 64 mapped characters could have been.
    if text.len() > 64 * 16 {
        return None;
    }
    let mut current = text.to_owned();
    for _ in 0..4 {
        let next = UsernameCaseMapped::enforce(current.as_str()).ok()?.into_owned();
        if next == current {
            return Some(next);
        }
        current = next;
    }
    None
}

/// An e-mail address, in lower case as a whole: mailboxes that differ in case only do not exist in practice. ASCII only, no quoted
/// local part, a domain of at least two labels. `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// # Errors
    /// [`Refusal::InvalidRequest`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let (local, domain) =
            text.split_once('@').ok_or_else(|| invalid("email is not an e-mail address"))?;
        if text.len() <= MAX_EMAIL && is_local_part(local) && is_domain(domain) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(invalid("email is not an e-mail address"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A dot-atom (RFC 5322 §3.2.3).
fn is_local_part(text: &str) -> bool {
    let atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    text.len() <= MAX_LOCAL_PART && text.split('.').all(atom)
}

fn is_domain(text: &str) -> bool {
    let label = |part: &str| {
        (1..=MAX_LABEL).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let named = |top: &str| top.bytes().any(|b| b.is_ascii_alphabetic());
    text.rsplit_once('.').is_some_and(|(_, top)| named(top)) && text.split('.').all(label)
}

/// Whose account a sign-in is for.
#[derive(Clone, PartialEq, Eq)]
pub enum Account {
    Username(Username),
    Email(Email),
    Phone(PhoneNumber),
}

impl Account {
    /// Exactly one kind is tried: `@` makes it an e-mail address, a leading `+` a number, anything else a username. `None` for what can't be
    /// any account; a caller must not tell that apart from an unknown one. White space around it is dropped: phones' keyboards add it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.contains('@') {
            Email::parse(text).ok().map(Self::Email)
        } else if text.starts_with('+') {
            PhoneNumber::parse(text).ok().map(Self::Phone)
        } else {
            Username::parse(text).ok().map(Self::Username)
        }
    }

    /// `username`, `email` or `phone`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Username(_) => USERNAME,
            Self::Email(_) => EMAIL,
            Self::Phone(_) => PHONE,
        }
    }

    /// The form that two spellings of one account share.
    pub fn canonical(&self) -> &str {
        match self {
            Self::Username(name) => name.as_str(),
            Self::Email(email) => email.as_str(),
            Self::Phone(phone) => phone.e164(),
        }
    }
}

fn invalid(what: &str) -> Refusal {
    Refusal::InvalidRequest(what.to_owned())
}

macro_rules! silent_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!("[", stringify!($name), "]"))
            }
        }
    )*};
}

silent_debug!(Username, Email, Account);

#[cfg(test)]
mod tests {
    use super::*;

    fn username(text: &str) -> Option<String> {
        Username::parse(text).ok().map(|name| name.0)
    }

    #[test]
    fn d1_spellings_of_one_username_are_one() {
        for text in ["alice", "Alice", "ALICE", "ａｌｉｃｅ", "Ａlice"] {
            assert_eq!(username(text).as_deref(), Some("alice"), "{text}");
        }
        // Composed and decomposed.
        assert_eq!(username("jos\u{e9}"), username("JOSE\u{301}"));
        assert_eq!(username("用户").as_deref(), Some("用户"));
    }

    #[test]
    fn t_a_username_is_never_an_address_a_number_or_a_trick() {
        let too_long = "a".repeat(65);
        let refused = [
            "",
            " ",
            "a b",
            "a@b",
            "a＠b",
            "+alice",
            "＋alice",
            "12025550142",
            "１２３",
            "٣٤٥",
            "a\u{0}b",
            "a\nb",
            "a\u{7f}",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "a\u{200f}b",
            "a\u{feff}",
            "a\u{e0041}",
            "😀",
            &too_long,
        ];
        for text in refused {
            assert_eq!(username(text), None, "{text:?}");
        }
        assert_eq!(username(&"Z".repeat(64)), Some("z".repeat(64)));
        assert_eq!(username("a+b.c-d_1").as_deref(), Some("a+b.c-d_1"));
    }

    #[test]
    fn a_canonical_username_parses_to_itself() {
        for code in (0u32..0x3000).chain(0xa000..0xac00).chain(0xf900..0x10800) {
            let Some(character) = char::from_u32(code) else { continue };
            if let Some(name) = username(&format!("x{character}")) {
                assert_eq!(username(&name), Some(name), "{code:x}");
            }
        }
    }

    #[test]
    fn an_email_is_folded_as_a_whole() {
        let email = |text: &str| Email::parse(text).ok().map(|e| e.0);
        assert_eq!(email("Alice.B+tag@Example.COM").as_deref(), Some("alice.b+tag@example.com"));
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}example.com", "abcdefghi.".repeat(25));
        let refused = [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a@b@example.com",
            "a b@example.com",
            "a@example",
            "a@.com",
            "a@example..com",
            "a@-example.com",
            "a@example.com.",
            ".a@example.com",
            "a..b@example.com",
            "\"a b\"@example.com",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@exa_mple.com",
            "a@example.com\n",
            "a\r\nBcc: b@example.com",
            "ä@example.com",
            &long,
            &longer,
        ];
        for text in refused {
            assert_eq!(email(text), None, "{text:?}");
        }
    }

    #[test]
    fn f1_an_account_is_tried_as_exactly_one_kind() {
        let kind = |text: &str| Account::parse(text).map(|a| (a.kind(), a.canonical().to_owned()));
        assert_eq!(kind(" Alice "), Some((USERNAME, "alice".into())));
        assert_eq!(kind("Alice@Example.com"), Some((EMAIL, "alice@example.com".into())));
        assert_eq!(kind("+1 (202) 555-0142"), Some((PHONE, "+12025550142".into())));
        for none in ["2025550142", "+1", "alice@", "+alice@", "", "   "] {
            assert_eq!(kind(none), None, "{none:?}");
        }
    }

    #[test]
    fn h14_debug_shows_none_of_it() {
        let shown: Vec<String> = ["alice", "alice@example.com", "+12025550142"]
            .iter()
            .map(|text| format!("{:?}", Account::parse(text)))
            .collect();
        assert_eq!(shown, vec!["Some([Account])"; 3]);
    }
}
