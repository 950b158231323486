//! Sessions of the console: what an administrator's browser shows in the place of an administrator key.
//!
//! A session is never worth more than the key that opened it. Both are looked at with every call, so that a session is over as soon as it
//! is ended, its hour has passed, or the key is revoked or expires.

use super::admin_key::AdminKey;
use super::ids::SessionId;
use super::time::Timestamp;

/// How long a session lasts, in seconds. It is not prolonged: what an hour is too short for signs in again.
pub const SESSION_SECONDS: u32 = 3600;

/// How many live sessions a key has. One more takes the place of the oldest, so that what is kept of a key stays small.
pub const MAX_SESSIONS: usize = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSession {
    pub id: SessionId,
    /// SHA-256 of the whole credential.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// All sessions of one key, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsoleSessions {
    sessions: Vec<ConsoleSession>,
    /// Grows by one with every write, which names the one it was made from. 0: nothing is kept yet.
    pub revision: u64,
}

impl ConsoleSession {
    /// A session that `key` opens now.
    pub fn of(key: &AdminKey, id: SessionId, hash: [u8; 32], now: Timestamp) -> Self {
        let end = now.plus_secs(SESSION_SECONDS);
        let expires_at = key.expires_at.map_or(end, |key_ends| key_ends.min(end));
        Self { id, hash, created_at: now, expires_at }
    }
}

impl ConsoleSessions {
    /// As they were kept.
    pub fn restored(sessions: Vec<ConsoleSession>, revision: u64) -> Self {
        Self { sessions, revision }
    }

    pub fn iter(&self) -> impl Iterator<Item = &ConsoleSession> {
        self.sessions.iter()
    }

    /// The session of this id, if it is not over.
    pub fn live(&self, id: &SessionId, now: Timestamp) -> Option<&ConsoleSession> {
        self.sessions.iter().find(|session| session.id == *id && now < session.expires_at)
    }

    /// With one more, and without those that are over or too many.
    #[must_use]
    pub fn with(&self, new: ConsoleSession) -> Self {
        let now = new.created_at;
        let mut sessions: Vec<_> =
            self.sessions.iter().filter(|session| now < session.expires_at).cloned().collect();
        sessions.push(new);
        let surplus = sessions.len().saturating_sub(MAX_SESSIONS);
        Self { sessions: sessions.split_off(surplus), revision: self.revision }
    }

    #[must_use]
    pub fn without(&self, id: &SessionId) -> Self {
        let others = self.sessions.iter().filter(|session| session.id != *id);
        Self { sessions: others.cloned().collect(), revision: self.revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin_key::Role;
    use crate::ids::{KeyId, TenantId};

    fn key(expires_at: Option<Timestamp>) -> AdminKey {
        AdminKey {
            id: KeyId::generate(|b| b.fill(1)),
            tenant: TenantId::generate(|b| b.fill(1)),
            role: Role::Owner,
            name: "Key".into(),
            hash: [0; 32],
            created_at: Timestamp::from_secs(0),
            expires_at,
        }
    }

    fn session(number: u8, at: i64) -> ConsoleSession {
        let id = SessionId::generate(|b| b.fill(number));
        ConsoleSession::of(&key(None), id, [number; 32], Timestamp::from_secs(at))
    }

    #[test]
    fn t21_a_session_ends_after_an_hour_and_never_after_its_key() {
        let at = Timestamp::from_secs;
        let one = session(1, 0);
        let all = ConsoleSessions::default().with(one.clone());
        assert_eq!(all.live(&one.id, at(3599)), Some(&one));
        assert_eq!(all.live(&one.id, at(3600)), None);
        let id = SessionId::generate(|b| b.fill(2));
        let short = ConsoleSession::of(&key(Some(at(60))), id, [0; 32], at(0));
        assert_eq!(short.expires_at, at(60));
    }

    #[test]
    fn t21_a_session_that_is_ended_is_gone_and_the_others_stay() {
        let (one, two) = (session(1, 0), session(2, 1));
        let all = ConsoleSessions::default().with(one.clone()).with(two.clone()).without(&one.id);
        let now = Timestamp::from_secs(2);
        assert_eq!((all.live(&one.id, now), all.live(&two.id, now)), (None, Some(&two)));
    }

    #[test]
    fn what_is_kept_of_a_key_stays_small() {
        let mut all = ConsoleSessions::default();
        for number in 0..30 {
            all = all.with(session(number, i64::from(number)));
        }
        assert_eq!(all.iter().count(), MAX_SESSIONS);
        assert_eq!(all.iter().next().map(|oldest| oldest.hash), Some([20; 32]));
        assert_eq!(all.with(session(99, 9_999)).iter().count(), 1, "those that are over go first");
    }
}
