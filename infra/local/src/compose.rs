//! The functions of the bundle, put together as in AWS, but with the outbox as the sender and all on one edge.

use crate::StartError;
use crate::keys::Keys;
use shared::api::notifications::NotificationsApp;
use shared::api::{
    code_issuance, code_verification, hosted_pages, phone_binding, policy_admin, sign_in, user_directory,
};
use shared::auth::{
    AccessTokenVerifier, Argon2Passwords, CodePeppers, Es256TokenSigner, HmacCodes, HmacRecoveryCodes,
    IssuerAddresses, KeyringError, OidcIdTokens, OperatorHashes, PersonalDataKeys, RecoveryPeppers,
    SealingKeys, SigningKeys, XChaChaLoginSealer, XChaChaPersonalData,
};
use shared::compose::{self as functions, Base};
use shared::dynamodb::DynamoStore;
use shared::http::Edge;
use shared::ports::{
    AccessTokens, Clock, Codes, Entropy, IdTokens, LoginSealer, Passwords, PersonalData, RecoveryMacs,
    SmsSender, TokenSigner,
};
use std::sync::Arc;

/// What the functions are made of here.
#[derive(Clone)]
pub struct Parts {
    pub store: DynamoStore,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub sms: Arc<dyn SmsSender>,
    /// What every issuer starts with: the address that is served.
    pub base_url: String,
}

impl From<KeyringError> for StartError {
    fn from(error: KeyringError) -> Self {
        Self::Keys(error.to_string())
    }
}

/// The function without routes. In AWS a stream calls it; here somebody has to.
pub fn notifications(parts: Parts, keys: &Keys) -> Result<NotificationsApp, StartError> {
    let Parts { store, clock, entropy, sms, .. } = parts;
    let personal = XChaChaPersonalData::new(PersonalDataKeys::parse(&keys.personal_data)?, entropy.clone());
    Ok(functions::notifications(&Base { store, clock, entropy }, Arc::new(personal), sms))
}

/// Mounts every function's routes on one edge.
pub fn compose(parts: Parts, keys: &Keys) -> Result<Edge, StartError> {
    let Parts { store, clock, entropy, sms, base_url } = parts;
    let base = Base { store, clock, entropy };
    let random = || Arc::clone(&base.entropy);
    let passwords: Arc<dyn Passwords> = Arc::new(Argon2Passwords::new(random())?);
    let personal: Arc<dyn PersonalData> =
        Arc::new(XChaChaPersonalData::new(PersonalDataKeys::parse(&keys.personal_data)?, random()));
    let sealing = || SealingKeys::parse(&keys.sealing).map(|ring| XChaChaLoginSealer::new(ring, random()));
    let sealer: Arc<dyn LoginSealer> = Arc::new(sealing()?);
    let codes: Arc<dyn Codes> = Arc::new(HmacCodes::new(CodePeppers::parse(&keys.code_pepper)?));
    let recovery: Arc<dyn RecoveryMacs> =
        Arc::new(HmacRecoveryCodes::new(RecoveryPeppers::parse(&keys.recovery_pepper)?));
    let signing = SigningKeys::parse(&keys.signing)?;
    // Of the functions that finish logins.
    let finisher: Arc<dyn LoginSealer> = Arc::new(sealing()?.with_proofs(&signing));
    let access: Arc<dyn AccessTokens> = Arc::new(AccessTokenVerifier::new(&signing.public_keys(), &base_url));
    let signer: Arc<dyn TokenSigner> = Arc::new(Es256TokenSigner::new(signing, &base_url, random()));
    // As browsers spell it: the address has no path.
    let own_origin = base_url.clone();

    let operators = OperatorHashes::parse(&keys.operator)?;
    let policy_admin = functions::policy_admin(&base, operators.hashes().to_vec(), own_origin.clone());
    let operators = operators.hashes().to_vec();
    let user_directory =
        functions::user_directory(&base, operators, own_origin, passwords.clone(), personal.clone());
    // A provider on the same laptop is as good as any.
    let id_tokens: Arc<dyn IdTokens> = Arc::new(OidcIdTokens::new(IssuerAddresses::Any));
    let sign_in = functions::sign_in(
        &base,
        passwords,
        id_tokens,
        personal.clone(),
        finisher.clone(),
        signer.clone(),
        access.clone(),
        &base_url,
    );
    let phone_binding = functions::phone_binding(
        &base,
        personal.clone(),
        sealer.clone(),
        access.clone(),
        recovery.clone(),
        &base_url,
    );
    let code_issuance =
        functions::code_issuance(&base, codes.clone(), personal.clone(), sealer, sms, &base_url);
    let code_verification =
        functions::code_verification(&base, codes, recovery, finisher.clone(), signer.clone(), &base_url);
    let hosted_pages = functions::hosted_pages(&base, personal, finisher, signer, access, base_url);
    Ok(Edge::new(base.clock.clone(), base.entropy.clone())
        .with_preflight(Arc::new(base.store))
        .mount(Arc::new(policy_admin), policy_admin::ROUTES)
        .mount(Arc::new(user_directory), user_directory::ROUTES)
        .mount(Arc::new(sign_in), sign_in::ROUTES)
        .mount(Arc::new(phone_binding), phone_binding::ROUTES)
        .mount(Arc::new(code_issuance), code_issuance::ROUTES)
        .mount(Arc::new(code_verification), code_verification::ROUTES)
        .mount(Arc::new(hosted_pages), hosted_pages::ROUTES))
}
