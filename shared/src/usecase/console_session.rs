//! Signing in to the console, and out of it.

use super::authenticate::{AdminGate, SignedIn};
use super::{Created, TRIES};
use crate::auth::credential::{Credential, Holder};
use crate::domain::audit::{Actor, AuditedChange, Provenance};
use crate::domain::console_session::ConsoleSession;
use crate::domain::ids::{EventId, SessionId};
use crate::domain::refusal::Refusal;
use crate::ports::{Clock, ConsoleSessionStore, Entropy, Failure, Saved};
use std::sync::Arc;

pub struct ManageConsoleSessions {
    pub store: Arc<dyn ConsoleSessionStore>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

impl ManageConsoleSessions {
    /// Opens a session with an administrator key. The operator has no tenant to look after, hence no console.
    pub async fn start(
        &self,
        gate: &AdminGate,
        bearer: &str,
        provenance: &Provenance,
    ) -> Result<Created<SignedIn>, Failure> {
        for _ in 0..TRIES {
            let (key, sessions) = gate.key_of_administrator(bearer).await?;
            let id = SessionId::generate(|buffer| self.entropy.fill(buffer));
            let holder =
                Holder::Console { tenant: key.tenant.clone(), key: key.id.clone(), session: id.clone() };
            let credential = Credential::generate(holder, |buffer| self.entropy.fill(buffer));
            let session = ConsoleSession::of(&key, id, credential.hash(), self.clock.now());
            let sessions = sessions.with(session.clone());
            let signed_in = SignedIn { key, session, sessions };
            let change = AuditedChange::console_session_started(&signed_in.session);
            if self.save(&signed_in, change, provenance).await? == Saved::Done {
                return Ok(Created { value: signed_in, secret: credential.text });
            }
        }
        Err(Refusal::Conflict.into())
    }

    /// Ends a session. One that is over already stays so.
    pub async fn end(&self, gate: &AdminGate, session: &str, provenance: &Provenance) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let found = match gate.signed_in(session).await {
                Ok(found) => found,
                Err(Failure::Refused(Refusal::Unauthenticated)) => return Ok(()),
                Err(other) => return Err(other),
            };
            let sessions = found.sessions.without(&found.session.id);
            let ended = SignedIn { sessions, ..found };
            let change = AuditedChange::console_session_ended(&ended.session);
            if self.save(&ended, change, provenance).await? == Saved::Done {
                return Ok(());
            }
        }
        Err(Refusal::Conflict.into())
    }

    async fn save(
        &self,
        after: &SignedIn,
        change: AuditedChange,
        provenance: &Provenance,
    ) -> Result<Saved, Failure> {
        let key = &after.key;
        let actor = Actor::Administrator { key: key.id.clone(), role: key.role };
        let id = EventId::generate(|buffer| self.entropy.fill(buffer));
        let event = change.by(actor, provenance.clone(), key.tenant.clone(), self.clock.now(), id);
        Ok(self.store.save_console_sessions(key, &after.sessions, &event).await?)
    }
}
