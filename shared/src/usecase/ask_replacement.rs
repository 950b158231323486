//! `PUT /v1/me/phone`: a user asks for another number. It begins a login of its own, and changes nothing yet.

use super::LoginFailure;
use super::access::Caller;
use super::admin_binding::seal_number;
use super::login_state::key;
use super::login_token::LoginTokens;
use super::test_numbers::hashed;
use crate::domain::application::ApplicationType;
use crate::domain::challenge::Challenge;
use crate::domain::factor::owner_scope;
use crate::domain::identifier::PHONE;
use crate::domain::ids::LoginId;
use crate::domain::login::{FirstFactor, LoginStart, LoginState, Purpose, Ticket};
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::replacement::may_ask;
use crate::domain::secret::Secret;
use crate::ports::login::OwnerKey;
use crate::ports::replacement::AskStore;
use crate::ports::{Clock, Entropy, PersonalData};
use std::sync::Arc;

/// Begins logins that replace a number.
#[derive(Clone)]
pub struct AskReplacement {
    pub store: Arc<dyn AskStore>,
    pub personal: Arc<dyn PersonalData>,
    pub tokens: LoginTokens,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// Host of the hosted pages, for messages of applications that name none of their own.
    pub own_host: Option<String>,
}

impl AskReplacement {
    /// Two reads at once and one write.
    pub async fn ask(
        &self,
        caller: &Caller,
        number: &str,
    ) -> Result<(LoginState, Secret<String>), LoginFailure> {
        let (me, now) = (&caller.access, self.clock.now());
        let number = PhoneNumber::parse(number)?;
        let hash = self.personal.hash(&owner_scope(&me.tenant, PHONE), number.e164());
        let owner = OwnerKey { kind: PHONE, hash: hash.clone() };
        let facts = self.store.ask_facts(&me.application, &me.user, &owner, now).await?;
        let (tenant, application) = facts.tenant.zip(facts.application).ok_or(Refusal::NotFound)?;
        let factor = facts.factor.ok_or(Refusal::NotFound)?;
        let bound = factor.phone.as_ref();
        let test_numbers = hashed(&*self.personal, &me.tenant, &tenant.security.test_numbers);
        let ticket = Ticket::new(LoginStart {
            login: LoginId::generate(|buffer| self.entropy.fill(buffer)),
            tenant: &tenant,
            application: &application,
            user: me.user.clone(),
            source: None,
            purpose: Purpose::ReplacePhone,
            first: FirstFactor::AccessToken,
            // A confidential application's back end calls for its users: the address isn't theirs.
            sees_client: application.kind == ApplicationType::Public,
            bound_hint: bound.map(|phone| phone.hint.clone()),
            locale: facts.locale,
            own_host: self.own_host.as_deref(),
            test_numbers,
            now,
        });
        number.check_allowed(&ticket.countries)?;
        let replaces = may_ask(me, &factor, &hash, ticket.self_service, &facts.asked, now)?;
        // Refused before anything is sent (acceptance F9), and once more when it is committed.
        if facts.owner.is_some_and(|owner| owner != me.user) {
            return Err(Refusal::PhoneTaken.into());
        }
        let challenge = Challenge {
            login: ticket.login.clone(),
            started_at: now,
            pending: Some(seal_number(&*self.personal, &me.tenant, &me.user, &number, now)),
            replaces,
            old_proven: None,
            phone_changes: 1,
            code: None,
            attempts: 0,
            max_attempts: ticket.code.max_attempts,
            sends: 0,
            idempotency: Vec::new(),
            completed: None,
        };
        self.store.begin_replacement(key(&ticket), &challenge).await?;
        let login_token = self.tokens.seal(&ticket);
        let state =
            LoginState { bound_hint: ticket.bound_hint.clone(), challenge: Some(challenge), now, ticket };
        Ok((state, login_token))
    }
}
