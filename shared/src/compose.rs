//! Puts each function together from its adapters. A parameter is a right: what a function isn't given here, it cannot do.

use crate::api::audit_trail::AuditTrailApp;
use crate::api::code_issuance::CodeIssuanceApp;
use crate::api::code_verification::CodeVerificationApp;
use crate::api::hosted_pages::HostedPagesApp;
use crate::api::notifications::NotificationsApp;
use crate::api::pages::Pages;
use crate::api::phone_binding::PhoneBindingApp;
use crate::api::policy_admin::PolicyAdmin;
use crate::api::sign_in::SignInApp;
use crate::api::user_directory::UserDirectory;
use crate::dynamodb::DynamoStore;
use crate::ports::sms::SmsSender;
use crate::ports::{
    AccessTokens, Clock, Codes, Entropy, IdTokens, LoginSealer, Passwords, PersonalData, RecoveryMacs,
    TokenSigner,
};
use crate::usecase::access::AccessGate;
use crate::usecase::admin_binding::AdminBinding;
use crate::usecase::ask_replacement::AskReplacement;
use crate::usecase::authenticate::AdminGate;
use crate::usecase::authorize::Authorize;
use crate::usecase::bind_phone::AskForNumber;
use crate::usecase::change_number::ChangeNumber;
use crate::usecase::claims::ReadClaims;
use crate::usecase::exchange_code::ExchangeCode;
use crate::usecase::issue_code::IssueCode;
use crate::usecase::link_identity::LinkIdentities;
use crate::usecase::login_state::ReadLogin;
use crate::usecase::login_token::LoginTokens;
use crate::usecase::notify::Notify;
use crate::usecase::own_phone::OwnPhone;
use crate::usecase::page_tokens::PageTokens;
use crate::usecase::qr_login::QrLogins;
use crate::usecase::recovery_codes::{MakeRecoveryCodes, RenewRecoveryCodes};
use crate::usecase::replace_number::ReplaceNumber;
use crate::usecase::sign_in::SignIn;
use crate::usecase::support::SupportView;
use crate::usecase::trust_device::TrustDevice;
use crate::usecase::trusted_devices::ManageDevices;
use crate::usecase::use_recovery_code::UseRecoveryCode;
use crate::usecase::users::ManageUsers;
use crate::usecase::verify_code::VerifyCode;
use std::sync::Arc;

/// What every function has.
#[derive(Clone)]
pub struct Base {
    pub store: DynamoStore,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

/// `own_origin` is where the deployment's own pages are: a session of the console counts on these only.
pub fn policy_admin(base: &Base, operator_hashes: Vec<[u8; 32]>, own_origin: String) -> PolicyAdmin {
    let store = Arc::new(base.store.clone());
    let own_host = host(&own_origin);
    PolicyAdmin::new(store, base.clock.clone(), base.entropy.clone(), operator_hashes, own_origin, own_host)
}

/// `base_url` is the service's public address.
#[allow(clippy::too_many_arguments)]
pub fn sign_in(
    base: &Base,
    passwords: Arc<dyn Passwords>,
    id_tokens: Arc<dyn IdTokens>,
    personal: Arc<dyn PersonalData>,
    sealer: Arc<dyn LoginSealer>,
    signer: Arc<dyn TokenSigner>,
    access: Arc<dyn AccessTokens>,
    base_url: &str,
) -> SignInApp {
    let store = Arc::new(base.store.clone());
    let pages = Pages::new(sealer.clone(), base.clock.clone(), base_url);
    let tokens = LoginTokens::new(sealer);
    let clock = &base.clock;
    SignInApp {
        sign_in: SignIn {
            store: store.clone(),
            provision: store.clone(),
            qr: store.clone(),
            id_tokens,
            passwords,
            personal: personal.clone(),
            tokens: tokens.clone(),
            signer: signer.clone(),
            clock: clock.clone(),
            entropy: base.entropy.clone(),
            own_host: host(base_url),
        },
        qr: QrLogins {
            facts: store.clone(),
            store: store.clone(),
            origins: store.clone(),
            personal,
            clock: clock.clone(),
            entropy: base.entropy.clone(),
            base_url: base_url.to_owned(),
        },
        gate: AccessGate {
            tokens: access,
            origins: store.clone(),
            grants: store.clone(),
            clock: clock.clone(),
        },
        read: ReadLogin { store, clock: clock.clone() },
        tokens,
        signer,
        pages,
    }
}

/// `base_url` is the service's public address.
pub fn phone_binding(
    base: &Base,
    personal: Arc<dyn PersonalData>,
    sealer: Arc<dyn LoginSealer>,
    access: Arc<dyn AccessTokens>,
    recovery: Arc<dyn RecoveryMacs>,
    base_url: &str,
) -> PhoneBindingApp {
    let store = Arc::new(base.store.clone());
    let clock = &base.clock;
    let pages = Pages::new(sealer.clone(), clock.clone(), base_url);
    let tokens = LoginTokens::new(sealer);
    PhoneBindingApp {
        ask: AskForNumber { store: store.clone(), personal: personal.clone(), clock: clock.clone() },
        replace: AskReplacement {
            store: store.clone(),
            personal: personal.clone(),
            tokens: tokens.clone(),
            clock: clock.clone(),
            entropy: base.entropy.clone(),
            own_host: host(base_url),
        },
        tokens,
        gate: AccessGate {
            tokens: access,
            origins: store.clone(),
            grants: store.clone(),
            clock: clock.clone(),
        },
        recovery: RenewRecoveryCodes {
            store: store.clone(),
            make: MakeRecoveryCodes { macs: recovery, entropy: base.entropy.clone() },
            clock: clock.clone(),
        },
        phone: OwnPhone {
            factors: store,
            numbers: change_number(base, personal),
            clock: clock.clone(),
            entropy: base.entropy.clone(),
        },
        devices: manage_devices(base),
        pages,
    }
}

fn manage_devices(base: &Base) -> ManageDevices {
    let store = Arc::new(base.store.clone());
    ManageDevices { store, clock: base.clock.clone(), entropy: base.entropy.clone() }
}

fn change_number(base: &Base, personal: Arc<dyn PersonalData>) -> ChangeNumber {
    let store = Arc::new(base.store.clone());
    ChangeNumber { bindings: store.clone(), addressees: store, personal, entropy: base.entropy.clone() }
}

/// The host of the service's own address.
fn host(base_url: &str) -> Option<String> {
    let authority = base_url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    authority.map(|host| host.split(':').next().unwrap_or(host).to_owned())
}

pub fn code_issuance(
    base: &Base,
    codes: Arc<dyn Codes>,
    personal: Arc<dyn PersonalData>,
    sealer: Arc<dyn LoginSealer>,
    sender: Arc<dyn SmsSender>,
    base_url: &str,
) -> CodeIssuanceApp {
    let store = Arc::new(base.store.clone());
    let issue = IssueCode {
        store: store.clone(),
        limits: store,
        codes,
        personal,
        sender,
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
    };
    let pages = Pages::new(sealer.clone(), base.clock.clone(), base_url);
    CodeIssuanceApp { issue, tokens: LoginTokens::new(sealer), pages }
}

pub fn code_verification(
    base: &Base,
    codes: Arc<dyn Codes>,
    recovery: Arc<dyn RecoveryMacs>,
    sealer: Arc<dyn LoginSealer>,
    signer: Arc<dyn TokenSigner>,
    base_url: &str,
) -> CodeVerificationApp {
    let store = Arc::new(base.store.clone());
    let recover = UseRecoveryCode {
        store: store.clone(),
        macs: recovery.clone(),
        signer: signer.clone(),
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
    };
    let verify = VerifyCode {
        store: store.clone(),
        replace: ReplaceNumber { store: store.clone(), entropy: base.entropy.clone() },
        recovery: MakeRecoveryCodes { macs: recovery, entropy: base.entropy.clone() },
        codes,
        signer,
        clock: base.clock.clone(),
        entropy: base.entropy.clone(),
    };
    let trust = TrustDevice { store, entropy: base.entropy.clone() };
    let pages = Pages::new(sealer.clone(), base.clock.clone(), base_url);
    CodeVerificationApp { verify, recover, trust, tokens: LoginTokens::new(sealer), pages }
}

/// `own_origin`: as of [`policy_admin`].
pub fn user_directory(
    base: &Base,
    operator_hashes: Vec<[u8; 32]>,
    own_origin: String,
    passwords: Arc<dyn Passwords>,
    personal: Arc<dyn PersonalData>,
) -> UserDirectory {
    let store = Arc::new(base.store.clone());
    let clock = &base.clock;
    let identities = LinkIdentities {
        users: store.clone(),
        links: store.clone(),
        sources: store.clone(),
        personal: personal.clone(),
        clock: clock.clone(),
        entropy: base.entropy.clone(),
    };
    UserDirectory {
        gate: AdminGate { keys: store.clone(), clock: clock.clone(), operator_hashes },
        own_origin,
        users: ManageUsers {
            users: store.clone(),
            personal: personal.clone(),
            passwords,
            clock: clock.clone(),
            entropy: base.entropy.clone(),
        },
        bindings: AdminBinding {
            numbers: change_number(base, personal.clone()),
            users: store.clone(),
            personal,
            clock: clock.clone(),
            entropy: base.entropy.clone(),
        },
        identities,
        support: SupportView { store, clock: clock.clone() },
        devices: manage_devices(base),
    }
}

/// `base_url` is the service's public address.
pub fn hosted_pages(
    base: &Base,
    personal: Arc<dyn PersonalData>,
    sealer: Arc<dyn LoginSealer>,
    signer: Arc<dyn TokenSigner>,
    access: Arc<dyn AccessTokens>,
    base_url: String,
) -> HostedPagesApp {
    let store = Arc::new(base.store.clone());
    let (clock, entropy) = (&base.clock, &base.entropy);
    let tokens = PageTokens::new(sealer.clone());
    HostedPagesApp {
        pages: Pages::new(sealer.clone(), clock.clone(), &base_url),
        authorize: Authorize {
            policy: store.clone(),
            tokens: tokens.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            base: base_url.clone(),
        },
        exchange: ExchangeCode {
            policy: store.clone(),
            grants: store.clone(),
            tokens,
            signer,
            clock: clock.clone(),
            entropy: entropy.clone(),
            base: base_url.clone(),
        },
        claims: ReadClaims {
            access: access.clone(),
            origins: store.clone(),
            claims: store.clone(),
            personal,
            clock: clock.clone(),
        },
        tokens: LoginTokens::new(sealer),
        qr: store.clone(),
        access,
        read: ReadLogin { store, clock: clock.clone() },
        entropy: entropy.clone(),
        base: base_url,
    }
}

pub fn audit_trail(base: &Base) -> AuditTrailApp {
    AuditTrailApp { trail: Arc::new(base.store.clone()) }
}

pub fn notifications(
    base: &Base,
    personal: Arc<dyn PersonalData>,
    sender: Arc<dyn SmsSender>,
) -> NotificationsApp {
    let queue = Arc::new(base.store.clone());
    let (clock, entropy) = (base.clock.clone(), base.entropy.clone());
    NotificationsApp { notify: Notify { queue, personal, sender, clock, entropy } }
}
