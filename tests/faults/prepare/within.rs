//! Use cases within a login.

use super::{Person, Prepared, first_login, step};
use crate::cases::Case;
use crate::world::World;
use serde_json::{Value, json};
use shared::ports::SendOutcome;
use tests::values::{another_code, text};

/// A recovery code as it is written, and nobody's.
const NO_CODE: &str = "0000-0000-0000-0000-0000-0000";

impl Case {
    /// A login up to the call that is looked at.
    pub(super) async fn within_login(self, world: &World, person: &mut Person) -> Prepared {
        let (login, step, body) = self.up_to_call(world, person).await;
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut ready = Prepared::of(method, format!("/v1/logins/{}{step}", login.0), &login.1, body);
        if self.sends() {
            ready.headers.push(("idempotency-key", "one"));
        }
        if self == Case::SendUnknown {
            ready.provider = SendOutcome::Unknown;
        }
        Prepared { login: Some(login), ..ready }
    }

    async fn up_to_call(
        self,
        world: &World,
        person: &mut Person,
    ) -> ((String, String), &'static str, Option<Value>) {
        if matches!(self, Case::ProveOldNumber | Case::Replace) {
            let access = text(&first_login(world, person, false).await, "/tokens/access_token");
            world.advance(70);
            let body = Some(json!({ "phone": person.other }));
            let (status, answer) = world.call("PUT", "/v1/me/phone", Some(&access), &[], body).await;
            assert_eq!(status, 202, "{answer}");
            let login = (text(&answer, "/login/id"), text(&answer, "/login_token"));
            assert_eq!(step(world, &login, "code", json!({})).await.0, 200);
            if self == Case::Replace {
                assert_eq!(step(world, &login, "verification", json!({ "code": world.code() })).await.0, 200);
                assert_eq!(step(world, &login, "code", json!({})).await.0, 200);
            }
            return (login, "/verification", Some(json!({ "code": world.code() })));
        }
        if matches!(self, Case::UseRecoveryCode | Case::MistakeRecoveryCode) {
            let access = text(&first_login(world, person, false).await, "/tokens/access_token");
            let (_, made) = world.call("POST", "/v1/me/recovery-codes", Some(&access), &[], None).await;
            person.recovery_code = text(&made, "/recovery_codes/0");
            if self == Case::UseRecoveryCode {
                // Those of before are read, and no longer good.
                let early = person.login(world).await;
                let body = json!({ "recovery_code": NO_CODE });
                assert_eq!(step(world, &early, "verification", body).await.0, 401);
                let (_, made) = world.call("POST", "/v1/me/recovery-codes", Some(&access), &[], None).await;
                person.recovery_code = text(&made, "/recovery_codes/0");
            }
        }
        if self == Case::SendBeyondLimit {
            // Five messages to a number in ten minutes: the sixth is refused by the number's own limit.
            let first = person.login(world).await;
            assert_eq!(step(world, &first, "code", json!({})).await.0, 200);
        }
        if self == Case::Send {
            // Refused, since there is no number yet; but what is read has been read.
            let early = person.login(world).await;
            assert_eq!(step(world, &early, "code", json!({})).await.0, 409);
            person.gets_number(world).await;
        }
        if self == Case::TrustDevice {
            first_login(world, person, true).await;
            world.advance(130);
        }
        let login = person.login(world).await;
        if self == Case::Bind {
            assert_eq!(step(world, &login, "phone", json!({ "phone": person.number })).await.0, 200);
        }
        if self == Case::NameNumberAgain {
            for number in [&person.number, &person.other] {
                assert_eq!(step(world, &login, "phone", json!({ "phone": number })).await.0, 200);
            }
        }
        if self == Case::Look {
            let path = format!("/v1/logins/{}", login.0);
            assert_eq!(world.call("GET", &path, Some(&login.1), &[], None).await.0, 200);
            assert_eq!(step(world, &login, "code", json!({})).await.0, 200);
        }
        let sends = !matches!(
            self,
            Case::Look
                | Case::NameNumber
                | Case::NameNumberAgain
                | Case::Send
                | Case::SendUnknown
                | Case::SendBeyondLimit
                | Case::UseRecoveryCode
                | Case::MistakeRecoveryCode
        );
        if sends {
            assert_eq!(step(world, &login, "code", json!({})).await.0, 200);
        }
        let code = if sends { world.code() } else { String::new() };
        if self == Case::GuessRightAfterFailure {
            assert_eq!(
                step(world, &login, "verification", json!({ "code": another_code(&code) })).await.0,
                401
            );
        }
        if self == Case::SendAgain {
            world.advance(31);
        }
        let (step, body) = match self {
            Case::Look => ("", None),
            Case::NameNumber | Case::NameNumberAgain => ("/phone", Some(json!({ "phone": person.number }))),
            Case::Send | Case::SendUnknown | Case::SendAgain | Case::SendBeyondLimit => {
                ("/code", Some(json!({})))
            }
            Case::GuessWrong => ("/verification", Some(json!({ "code": another_code(&code) }))),
            Case::TrustDevice => ("/verification", Some(json!({ "code": code, "trust_device": true }))),
            Case::MistakeRecoveryCode => ("/verification", Some(json!({ "recovery_code": NO_CODE }))),
            Case::UseRecoveryCode => {
                ("/verification", Some(json!({ "recovery_code": person.recovery_code })))
            }
            _ => ("/verification", Some(json!({ "code": code }))),
        };
        (login, step, body)
    }
}
