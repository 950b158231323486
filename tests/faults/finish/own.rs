//! What users have done about themselves, and administrators about a user.

use crate::cases::Case;
use crate::prepare::{Prepared, step};
use crate::run::{Outcome, call};
use crate::world::{PASSWORD, World};
use serde_json::json;
use tests::values::changed;

/// How many wrong passwords an account takes before it is slow.
const QUICK_FAILURES: usize = 5;

pub async fn finish(world: &World, case: Case, ready: &Prepared, outcome: &Outcome, run: &str) {
    let person = &ready.person;
    let user = format!("/v1/tenants{}/users/{}", world.tenant, person.user);
    match case {
        Case::MistakePassword => {
            let mut more = 0;
            let wrong = person.shows_password(world, &changed(PASSWORD), None);
            while world.call("POST", "/v1/logins", Some(&world.secret), &[], wrong.body.clone()).await.0
                == 401
            {
                more += 1;
                assert!(
                    more + outcome.wrong_answers <= QUICK_FAILURES,
                    "{run}: {more} more, an answer is not counted"
                );
            }
            world.advance(301);
            let right = person.shows_password(world, PASSWORD, None);
            let (status, answer) =
                world.call("POST", "/v1/logins", Some(&world.secret), &[], right.body).await;
            assert_eq!(status, 200, "{run}: {answer}");
        }
        Case::MistakeRecoveryCode => {
            let login = ready.login.as_ref().unwrap();
            let (_, shown) = step(world, login, "verification", ready.body.clone().unwrap()).await;
            let left = shown["attempts_left"].as_u64();
            let left = left.unwrap_or_else(|| panic!("{run}: {shown}"));
            assert!(left + (outcome.wrong_answers as u64) < 5, "{run}: {left} left");
            let code = json!({ "recovery_code": person.recovery_code });
            let (status, done) = step(world, login, "verification", code).await;
            assert_eq!(status, 200, "{run}: {done}");
        }
        Case::ScanQr | Case::ApproveQr | Case::RejectQr | Case::SignInWithQr => {
            let (qr, secret) = ready.login.as_ref().unwrap();
            let path = format!("/v1/qr-logins/{qr}");
            let (_, shown) = world.call("GET", &path, Some(secret), &[], None).await;
            let status = match case {
                Case::ScanQr => "scanned",
                Case::ApproveQr => "approved",
                Case::RejectQr => "rejected",
                _ => "expired",
            };
            assert_eq!(shown["qr"]["status"], status, "{run}: {shown}");
        }
        Case::LinkIdentity | Case::UnlinkIdentity => {
            if outcome.was_stale {
                // As below.
                call(world, ready).await;
            }
            let path = format!("{user}/identities/{}", ready.thing);
            let (status, shown) = world.call("GET", &path, Some(&world.admin), &[], None).await;
            assert_eq!(status, if case == Case::LinkIdentity { 200 } else { 404 }, "{run}: {shown}");
        }
        Case::RevokeOwnDevice | Case::RevokeOwnDevices | Case::RevokeDevice | Case::RevokeDevices => {
            if outcome.was_stale {
                // What a list did not show was not revoked: no engine does that to a consistent read. The next call finds it.
                call(world, ready).await;
            }
            let path = format!("{user}/trusted-devices");
            let (_, shown) = world.call("GET", &path, Some(&world.admin), &[], None).await;
            assert_eq!(shown["items"], json!([]), "{run}: {shown}");
        }
        _ => {}
    }
}
