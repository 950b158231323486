//! What a user is told, at the number that was bound, when something about the second factor changed (acceptance H8).
//!
//! A notice is written in the transaction of the change itself, so that none happens untold, and is sent afterwards. It says what
//! happened and holds no code and no link. It counts against none of the user's limits nor against the tenant's budget: each stands for a change
//! that a code, a recovery code or an administrator was needed for, and a kill switch must not hide a theft.

use super::factor::FactorPhone;
use super::ids::{TenantId, UserId};
use super::message::{fits_one_part, one_line};
use super::secret::Secret;
use super::time::Timestamp;

/// How often a notice is handed to the provider that did not take it.
pub const MAX_TRIES: u8 = 3;
/// What becomes of a notice after a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is done with: sent, or perhaps sent.
    Done,
    /// It goes back to be tried again.
    Again,
    /// It was tried often enough.
    GivenUp,
}

/// `known_unsent`: the provider is known not to have it. `tries` counts the one that just ended. Whatever may have been sent is not sent
/// again: two notices of one change would be taken for two changes.
pub fn after_try(known_unsent: bool, tries: u8) -> Next {
    match known_unsent {
        false => Next::Done,
        true if tries < MAX_TRIES => Next::Again,
        true => Next::GivenUp,
    }
}

/// How long a notice that could not be sent is kept, in seconds.
pub const KEPT_SECONDS: u32 = 7 * 86_400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Another number took the place of the one that is told.
    PhoneReplaced,
    PhoneRemoved,
    RecoveryCodeUsed,
}

impl NoticeKind {
    const ALL: [NoticeKind; 3] =
        [NoticeKind::PhoneReplaced, NoticeKind::PhoneRemoved, NoticeKind::RecoveryCodeUsed];

    pub const fn as_str(self) -> &'static str {
        match self {
            NoticeKind::PhoneReplaced => "phone_replaced",
            NoticeKind::PhoneRemoved => "phone_removed",
            NoticeKind::RecoveryCodeUsed => "recovery_code_used",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What a change from the number `old` to `new` is told as; `None` where nobody has to be told.
    pub fn of_change(old: Option<&FactorPhone>, new: Option<&FactorPhone>) -> Option<Self> {
        match (old, new) {
            (Some(old), Some(new)) if old.hash != new.hash => Some(NoticeKind::PhoneReplaced),
            (Some(_), None) => Some(NoticeKind::PhoneRemoved),
            _ => None,
        }
    }
}

/// How a user is addressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addressee {
    /// Whose service it is, as the message names it.
    pub sender_name: String,
    pub locale: Option<String>,
}

/// One message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Tells two notices of one user and millisecond apart. Random.
    pub id: String,
    pub kind: NoticeKind,
    pub tenant: TenantId,
    pub user: UserId,
    /// The number that is told, sealed ([`super::factor::phone_place`]).
    pub to: String,
    /// ISO 3166-1 alpha-2 of that number.
    pub country: String,
    pub addressee: Addressee,
    pub created_at: Timestamp,
}

/// Words of one language. `{name}` is filled in.
struct Wording {
    replaced: &'static str,
    removed: &'static str,
    recovery: &'static str,
    /// In the place of a name that doesn't fit.
    unnamed: &'static str,
    not_you: &'static str,
}

const ENGLISH: Wording = Wording {
    replaced: "{name}: codes for your account now go to another phone number.",
    removed: "{name}: this phone number was removed from your account.",
    recovery: "{name}: a recovery code was used for your account.",
    unnamed: "Security notice",
    not_you: " If this was not you, contact your administrator now.",
};
const CHINESE: Wording = Wording {
    replaced: "{name}：您账号的验证码已改为发送至其他手机号。",
    removed: "{name}：此手机号已从您的账号中移除。",
    recovery: "{name}：您的账号使用了一个恢复码。",
    unnamed: "安全通知",
    not_you: "如非本人操作，请立即联系管理员。",
};

/// The text, in one part.
pub fn text(kind: NoticeKind, addressee: &Addressee) -> Secret<String> {
    let language = addressee.locale.as_deref().unwrap_or("en").split('-').next().unwrap_or("en");
    let words = if language.eq_ignore_ascii_case("zh") { &CHINESE } else { &ENGLISH };
    let what = match kind {
        NoticeKind::PhoneReplaced => words.replaced,
        NoticeKind::PhoneRemoved => words.removed,
        NoticeKind::RecoveryCodeUsed => words.recovery,
    };
    let fill = |name: &str| what.replace("{name}", name) + words.not_you;
    let plain = fill(words.unnamed);
    let name = one_line(&addressee.sender_name);
    let named = fill(&name);
    let fits = !name.is_empty() && fits_one_part(&named, &plain);
    Secret::new(if fits { named } else { plain })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(hash: &str) -> FactorPhone {
        FactorPhone {
            sealed: "sealed".into(),
            hash: hash.into(),
            hint: String::new(),
            country: "US".into(),
            since: Timestamp::from_secs(1),
        }
    }

    fn told(kind: NoticeKind, name: &str, locale: Option<&str>) -> String {
        let addressee = Addressee { sender_name: name.into(), locale: locale.map(str::to_owned) };
        text(kind, &addressee).into_exposed()
    }

    #[test]
    fn h8_the_old_number_is_told_when_it_is_no_longer_the_one() {
        let (a, b) = (phone("a"), phone("b"));
        assert_eq!(NoticeKind::of_change(Some(&a), Some(&b)), Some(NoticeKind::PhoneReplaced));
        assert_eq!(NoticeKind::of_change(Some(&a), None), Some(NoticeKind::PhoneRemoved));
        assert_eq!(NoticeKind::of_change(Some(&a), Some(&a)), None);
        assert_eq!(NoticeKind::of_change(None, Some(&a)), None);
        assert_eq!(NoticeKind::of_change(None, None), None);
    }

    #[test]
    fn h8_a_notice_says_what_happened_and_whom_to_ask_in_one_part() {
        assert_eq!(
            told(NoticeKind::PhoneReplaced, "Acme", None),
            "Acme: codes for your account now go to another phone number. If this was not you, contact your administrator now."
        );
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::parse(kind.as_str()), Some(kind));
            for name in ["Acme", "", "多租户", &"long name ".repeat(20)] {
                for locale in [None, Some("en-GB"), Some("zh-CN"), Some("de")] {
                    let text = told(kind, name, locale);
                    assert!(fits_one_part(&text, &text), "{text}");
                    let asks = if locale == Some("zh-CN") { "管理员" } else { "administrator" };
                    assert!(text.contains(asks) && !text.contains("{name}"), "{text}");
                }
            }
        }
        assert!(
            told(NoticeKind::RecoveryCodeUsed, "多租户", None).starts_with("Security notice: a recovery")
        );
        assert!(told(NoticeKind::PhoneRemoved, "Acme", Some("zh")).starts_with("Acme：此手机号"));
    }

    #[test]
    fn h8_a_notice_that_may_have_been_sent_is_not_sent_again() {
        for tries in 1..=MAX_TRIES + 1 {
            assert_eq!(after_try(false, tries), Next::Done);
        }
        assert_eq!(
            [1, 2, 3, 4].map(|tries| after_try(true, tries)),
            [Next::Again, Next::Again, Next::GivenUp, Next::GivenUp]
        );
    }

    #[test]
    fn t22_a_name_cannot_add_a_line_or_a_code() {
        let text = told(NoticeKind::PhoneRemoved, "Evil\n@evil.example #999999", None);
        assert!(!text.contains(['\n', '@', '#']), "{text}");
    }
}
