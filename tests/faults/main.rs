//! What can go wrong with a request to DynamoDB, one after the other, for every request of every use case: found by a run in which nothing
//! does, then one run for each request and each fault. `FAULTS=pairs` lets a second thing go wrong after the first. And what can go wrong with
//! a message, between the sender and SNS (`sender.rs`).
//!
//! Whatever happens, the answer is one that the contract knows and comes in time, nothing is left that a repetition can't finish, no message
//! is sent twice under one key, nobody gets tokens twice, and what was answered is counted.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stops at its first surprise, and says how far it came"
)]

mod cases;
mod clients;
mod finish;
mod places;
mod prepare;
mod routes;
mod run;
mod sender;
mod tables;
#[path = "../budgets/world.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod world;
mod worst;

use cases::Case;
use futures::StreamExt;

/// Each case has a world of its own, in which one run comes after the other; three cases go side by side, since they wait more than they work.
async fn survives(cases: &[Case]) {
    let examined = cases.iter().map(|case| async move {
        let mut laboratory = run::Laboratory::new(clients::hasty).await;
        laboratory.examine(*case).await;
        laboratory.assert_consistent().await;
    });
    futures::stream::iter(examined).buffer_unordered(3).collect::<Vec<_>>().await;
}

macro_rules! suites {
    ($($name:ident: $($case:ident),+;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                survives(&[$(Case::$case),+]).await;
            }
        )*

        /// No case is left out of the suites; that none is missing, `routes.rs` asks.
        #[test]
        fn every_case_is_in_a_suite() {
            let all = [$($(Case::$case),+),*];
            assert!(Case::ALL.iter().all(|case| all.contains(case)) && all.len() == Case::ALL.len());
        }
    };
}

suites! {
    h3_signing_in_survives_faults: SignIn, SignInWithPassword, MistakePassword, SignInTrusted, Look, NameNumber, NameNumberAgain;
    h3_signing_in_by_qr_survives_faults: AskQr, ScanQr, ApproveQr, RejectQr, SignInWithQr;
    h3_sending_survives_faults: Send, SendUnknown, SendAgain, SendBeyondLimit;
    h3_verifying_survives_faults: GuessWrong, GuessRight, GuessRightAfterFailure, Bind, TrustDevice;
    h3_recovery_codes_survive_faults: UseRecoveryCode, MistakeRecoveryCode, RenewRecoveryCodes;
    h3_replacing_survives_faults: AskReplacement, ProveOldNumber, Replace, RemoveNumber;
    h3_revoking_devices_survives_faults: RevokeOwnDevice, RevokeOwnDevices, RevokeDevice, RevokeDevices;
    h3_administering_users_survives_faults: CreateUser, RenameUser, AdminBinds, AdminUnbinds, DeleteUser, LinkIdentity, UnlinkIdentity;
    h3_policy_survives_faults: OpenConsole, ChangeTenant, ChangeSecurity, CreateTenant, CreateSource, DeleteSource, CreateAdminKey, DeleteAdminKey, PutTemplate, DeleteTemplate;
    h3_applications_survive_faults: CreateApplication, ChangeApplication, ChangeApplicationSecurity, DeleteApplication, AddSecret, DeleteSecret;
}
