//! The claims about a user that a client of a hosted login may learn (OpenID Connect Core 1.0 §5.3 and §5.4).

use super::access::AllowOrigin;
use crate::domain::access::VerifiedAccess;
use crate::domain::authorization::Scopes;
use crate::domain::factor::{Factor, phone_place};
use crate::domain::identifier::{EMAIL, USERNAME};
use crate::domain::refusal::Refusal;
use crate::domain::user::{SealedIdentifier, place};
use crate::ports::authorization::ClaimReader;
use crate::ports::{AccessTokens, ApplicationOrigins, Clock, Failure, PersonalData};
use std::sync::Arc;

/// Why a token that no authorization code was exchanged for reads no claims.
pub const NO_SCOPES: &str = "the token was issued without scopes";

/// Reads claims.
#[derive(Clone)]
pub struct ReadClaims {
    pub access: Arc<dyn AccessTokens>,
    pub origins: Arc<dyn ApplicationOrigins>,
    pub claims: Arc<dyn ClaimReader>,
    pub personal: Arc<dyn PersonalData>,
    pub clock: Arc<dyn Clock>,
}

/// What may be learned, as far as it is known.
#[derive(Debug, Default)]
pub struct Claims {
    pub sub: String,
    pub preferred_username: Option<String>,
    pub locale: Option<String>,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    /// Whether the number was proven in this very login. An administrator may have bound it without.
    pub phone_number_verified: bool,
}

impl ReadClaims {
    /// The claims that the token's scopes ask for. `allow_origin` is called as soon as the caller's origin is known to be one of the
    /// application's, so that a page can read refusals too.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] for anything but a live token that holds; [`Refusal::Forbidden`] for one that no code was exchanged for:
    /// no scope was asked.
    pub async fn read(
        &self,
        tenant: &str,
        bearer: &str,
        origin: Option<&str>,
        allow_origin: AllowOrigin<'_>,
    ) -> Result<Claims, Failure> {
        let access = self.access.verify(bearer, self.clock.now()).ok_or(Refusal::Unauthenticated)?;
        if access.tenant.as_str() != tenant {
            return Err(Refusal::Unauthenticated.into());
        }
        if let Some(origin) = origin {
            if !self.origins.application_has_origin(&access.application, origin).await? {
                return Err(Refusal::Forbidden("the origin is not one of the application's").into());
            }
            allow_origin(origin);
        }
        let Some((grant, scopes)) = &access.granted else {
            return Err(Refusal::Forbidden(NO_SCOPES).into());
        };
        let facts = self.claims.claim_facts(&access.tenant, &access.user, grant).await?;
        let Some((user, factor)) = facts.user.filter(|_| facts.grant_holds) else {
            return Err(Refusal::Unauthenticated.into());
        };
        let Scopes { profile, email, phone } = *scopes;
        // Only what is asked for is unsealed.
        let unseal = |kind: &str, sealed: Option<&SealedIdentifier>| {
            sealed.map(|it| self.personal.open(&place(&user.tenant, &user.id, kind), &it.sealed)).transpose()
        };
        let bound = factor.phone.as_ref().filter(|_| phone);
        let number = bound.map(|it| self.personal.open(&phone_place(&user.tenant, &user.id), &it.sealed));
        Ok(Claims {
            sub: access.user.to_string(),
            preferred_username: unseal(USERNAME, user.username.as_ref().filter(|_| profile))?,
            locale: user.locale.as_ref().filter(|_| profile).map(|locale| locale.as_str().to_owned()),
            email: unseal(EMAIL, user.email.as_ref().filter(|_| email))?,
            phone_number: number.transpose()?,
            phone_number_verified: proved_number(&access, &factor),
        })
    }
}

/// Whether the login of this token ended with a code to the number that is bound now.
fn proved_number(access: &VerifiedAccess, factor: &Factor) -> bool {
    access.has_proven_a_number() && factor.phone.is_some() && access.knows_the_number_of(factor)
}
