//! The use cases: what each answers, and what a repetition may answer.

macro_rules! cases {
    ($($(#[$doc:meta])* $case:ident),* $(,)?) => {
        /// One use case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Case {
            $($(#[$doc])* $case,)*
        }

        impl Case {
            pub const ALL: &[Case] = &[$(Case::$case),*];
        }
    };
}

cases! {
    SignIn,
    SignInWithPassword,
    /// A wrong password, which is counted.
    MistakePassword,
    /// With a device that is trusted, which takes the place of the code.
    SignInTrusted,
    SignInWithQr,
    Look,
    NameNumber,
    /// After another one.
    NameNumberAgain,
    Send,
    SendUnknown,
    SendAgain,
    SendBeyondLimit,
    GuessWrong,
    GuessRight,
    GuessRightAfterFailure,
    Bind,
    TrustDevice,
    UseRecoveryCode,
    /// A recovery code that is nobody's, which is counted.
    MistakeRecoveryCode,
    RenewRecoveryCodes,
    AskReplacement,
    ProveOldNumber,
    Replace,
    RemoveNumber,
    RevokeOwnDevice,
    RevokeOwnDevices,
    AskQr,
    ScanQr,
    ApproveQr,
    RejectQr,
    CreateUser,
    RenameUser,
    AdminBinds,
    AdminUnbinds,
    DeleteUser,
    LinkIdentity,
    UnlinkIdentity,
    RevokeDevice,
    RevokeDevices,
    OpenConsole,
    ChangeTenant,
    ChangeSecurity,
    CreateTenant,
    CreateApplication,
    ChangeApplication,
    ChangeApplicationSecurity,
    DeleteApplication,
    AddSecret,
    DeleteSecret,
    CreateSource,
    DeleteSource,
    CreateAdminKey,
    DeleteAdminKey,
    PutTemplate,
    DeleteTemplate,
}

impl Case {
    /// What the call answers when nothing goes wrong.
    pub fn expected(self) -> u16 {
        match self {
            Case::SendBeyondLimit => 429,
            Case::GuessWrong | Case::MistakePassword | Case::MistakeRecoveryCode => 401,
            Case::AskReplacement => 202,
            Case::RenewRecoveryCodes
            | Case::AskQr
            | Case::CreateUser
            | Case::OpenConsole
            | Case::CreateTenant
            | Case::CreateApplication
            | Case::AddSecret
            | Case::CreateSource
            | Case::CreateAdminKey => 201,
            Case::RemoveNumber
            | Case::RevokeOwnDevice
            | Case::RevokeOwnDevices
            | Case::AdminUnbinds
            | Case::DeleteUser
            | Case::UnlinkIdentity
            | Case::RevokeDevice
            | Case::RevokeDevices
            | Case::DeleteApplication
            | Case::DeleteSecret
            | Case::DeleteSource
            | Case::DeleteAdminKey
            | Case::DeleteTemplate => 204,
            _ => 200,
        }
    }

    /// The operation of the contract that its call is.
    pub fn operation(self) -> &'static str {
        match self {
            Case::SignIn
            | Case::SignInWithPassword
            | Case::MistakePassword
            | Case::SignInTrusted
            | Case::SignInWithQr => "start_login",
            Case::Look => "get_login",
            Case::NameNumber | Case::NameNumberAgain => "set_login_phone",
            Case::Send | Case::SendUnknown | Case::SendAgain | Case::SendBeyondLimit => "send_code",
            Case::GuessWrong
            | Case::GuessRight
            | Case::GuessRightAfterFailure
            | Case::Bind
            | Case::TrustDevice
            | Case::UseRecoveryCode
            | Case::MistakeRecoveryCode
            | Case::ProveOldNumber
            | Case::Replace => "verify_code",
            Case::RenewRecoveryCodes => "renew_recovery_codes",
            Case::AskReplacement => "replace_own_phone",
            Case::RemoveNumber => "delete_own_phone",
            Case::RevokeOwnDevice => "revoke_own_trusted_device",
            Case::RevokeOwnDevices => "revoke_own_trusted_devices",
            Case::AskQr => "ask_qr_login",
            Case::ScanQr => "scan_qr_login",
            Case::ApproveQr => "approve_qr_login",
            Case::RejectQr => "reject_qr_login",
            Case::CreateUser => "create_user",
            Case::RenameUser => "update_user",
            Case::AdminBinds => "bind_user_phone",
            Case::AdminUnbinds => "unbind_user_phone",
            Case::DeleteUser => "delete_user",
            Case::LinkIdentity => "link_user_identity",
            Case::UnlinkIdentity => "unlink_user_identity",
            Case::RevokeDevice => "revoke_trusted_device",
            Case::RevokeDevices => "revoke_trusted_devices",
            Case::OpenConsole => "create_console_session",
            Case::ChangeTenant => "update_tenant",
            Case::ChangeSecurity => "update_tenant_security",
            Case::CreateTenant => "create_tenant",
            Case::CreateApplication => "create_application",
            Case::ChangeApplication => "update_application",
            Case::ChangeApplicationSecurity => "update_application_security",
            Case::DeleteApplication => "delete_application",
            Case::AddSecret => "create_application_secret",
            Case::DeleteSecret => "delete_application_secret",
            Case::CreateSource => "create_identity_source",
            Case::DeleteSource => "delete_identity_source",
            Case::CreateAdminKey => "create_admin_key",
            Case::DeleteAdminKey => "delete_admin_key",
            Case::PutTemplate => "put_message_template",
            Case::DeleteTemplate => "delete_message_template",
        }
    }

    /// What a repetition may answer, where the first request took effect and nobody heard of it.
    pub fn repeated(self) -> &'static [&'static str] {
        match self {
            Case::GuessRight
            | Case::GuessRightAfterFailure
            | Case::Bind
            | Case::TrustDevice
            | Case::UseRecoveryCode
            | Case::Replace => &["login_complete"],
            Case::SignInWithQr => &["qr_login_expired"],
            Case::ProveOldNumber => &["no_code_sent"],
            Case::CreateUser => &["duplicate"],
            Case::RevokeOwnDevice
            | Case::RevokeDevice
            | Case::DeleteUser
            | Case::DeleteApplication
            | Case::DeleteSecret
            | Case::DeleteSource
            | Case::DeleteAdminKey
            | Case::DeleteTemplate => &["not_found"],
            Case::ChangeSecurity | Case::ChangeApplicationSecurity => &["conflict"],
            _ => &[],
        }
    }

    /// Whether a success gives tokens away, which must happen once a login.
    pub fn gives_tokens(self) -> bool {
        matches!(
            self,
            Case::GuessRight
                | Case::GuessRightAfterFailure
                | Case::Bind
                | Case::TrustDevice
                | Case::UseRecoveryCode
        )
    }

    /// Whether a message is what it is about.
    pub fn sends(self) -> bool {
        matches!(self, Case::Send | Case::SendUnknown | Case::SendAgain | Case::SendBeyondLimit)
    }

    /// The four that every login of a number is made of: each meets everything, also as the second thing that goes wrong.
    pub fn is_a_logins(self) -> bool {
        matches!(self, Case::SignIn | Case::Send | Case::GuessRight | Case::Bind)
    }

    /// Whether it is a step of a login.
    pub fn is_in_a_login(self) -> bool {
        self.sends()
            || self.gives_tokens()
            || matches!(
                self,
                Case::SignIn
                    | Case::SignInWithPassword
                    | Case::MistakePassword
                    | Case::SignInTrusted
                    | Case::SignInWithQr
                    | Case::Look
                    | Case::NameNumber
                    | Case::NameNumberAgain
                    | Case::GuessWrong
                    | Case::MistakeRecoveryCode
                    | Case::ProveOldNumber
                    | Case::Replace
            )
    }

    /// Whether its preparation reads what it reads, and changes it then: only so is an answer out of date another one.
    pub fn meets_stale_answers(self) -> bool {
        matches!(
            self,
            Case::SignIn
                | Case::SignInWithPassword
                | Case::SignInTrusted
                | Case::SignInWithQr
                | Case::Look
                | Case::NameNumberAgain
                | Case::Send
                | Case::TrustDevice
                | Case::UseRecoveryCode
                | Case::AskReplacement
                | Case::RevokeOwnDevices
        )
    }
}
