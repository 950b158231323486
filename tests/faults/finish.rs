//! What has to stand at the end of a run, or has to be possible from there.

mod own;
mod tenant;

use crate::cases::Case;
use crate::prepare::{Prepared, step, whole_login};
use crate::run::Outcome;
use crate::world::World;
use serde_json::json;
use tests::values::another_code;

/// What has to stand at the end, or has to be possible from here.
pub async fn finish(world: &World, case: Case, ready: &Prepared, outcome: &Outcome, run: &str) {
    world.provider(shared::ports::SendOutcome::Accepted { message_id: "m".into() });
    let person = &ready.person;
    let users = format!("/v1/tenants{}/users", world.tenant);
    let user = |path: String| async move { world.call("GET", &path, Some(&world.admin), &[], None).await };
    let phone_of = async |id: &str| user(format!("{users}/{id}")).await.1["phone"].clone();
    match case {
        Case::GuessWrong => {
            let (_, shown) = user(format!("{users}/{}", person.user)).await;
            let failures = shown["failed_codes"].as_u64();
            let failures = failures.unwrap_or_else(|| panic!("{run}: no failures in {shown}"));
            assert!(
                failures >= outcome.wrong_answers as u64,
                "{run}: {failures} of {}",
                outcome.wrong_answers
            );
            let login = ready.login.as_ref().unwrap();
            let (status, done) = step(world, login, "verification", json!({ "code": world.code() })).await;
            assert_eq!(status, 200, "{run}: {done}");
            assert_eq!(
                step(world, login, "verification", json!({ "code": another_code(&world.code()) })).await.0,
                409,
                "{run}"
            );
        }
        Case::Send | Case::SendUnknown | Case::SendAgain if outcome.was_limited => {
            // The limit's window may outlive the login.
            whole_login(world, person).await;
        }
        Case::Send | Case::SendUnknown | Case::SendAgain => {
            let login = ready.login.as_ref().unwrap();
            if outcome.sent == 0 {
                // Nothing has left: the user asks again after the wait.
                world.advance(130);
                let (status, answer) = step(world, login, "code", json!({})).await;
                assert_eq!(status, 200, "{run}: {answer}");
            }
            let (status, done) = step(world, login, "verification", json!({ "code": world.code() })).await;
            assert_eq!(status, 200, "{run}: {done}");
        }
        Case::NameNumber | Case::NameNumberAgain => {
            let login = ready.login.as_ref().unwrap();
            proves_by_code(world, login, run).await;
            assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}");
        }
        Case::Bind => {
            if phone_of(&person.user).await.is_null() {
                let login = ready.login.as_ref().unwrap();
                let named = step(world, login, "phone", json!({ "phone": person.number })).await;
                assert_eq!(named.0, 200, "{run}: {}", named.1);
                world.advance(130);
                proves_by_code(world, login, run).await;
            }
            assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}");
            if outcome.tokens == 0 {
                whole_login(world, person).await;
            }
        }
        _ if case.gives_tokens() && outcome.tokens == 0 => {
            whole_login(world, person).await;
        }
        Case::ProveOldNumber => {
            let login = ready.login.as_ref().unwrap();
            proves_by_code(world, login, run).await;
            assert_eq!(phone_of(&person.user).await, person.other.as_str(), "{run}");
        }
        Case::Replace => assert_eq!(phone_of(&person.user).await, person.other.as_str(), "{run}"),
        Case::RemoveNumber | Case::AdminUnbinds => assert!(phone_of(&person.user).await.is_null(), "{run}"),
        Case::AdminBinds => assert_eq!(phone_of(&person.user).await, person.number.as_str(), "{run}"),
        Case::CreateUser => {
            let (_, found) = user(format!("{users}?username={}", person.name)).await;
            let found = found["items"].as_array().cloned().unwrap_or_default();
            assert_eq!(found.len(), 1, "{run}: {found:?}");
            assert_eq!(found[0]["phone"], person.number.as_str(), "{run}");
        }
        Case::RenameUser => {
            let (_, shown) = user(format!("{users}/{}", person.user)).await;
            assert_eq!(shown["username"], format!("{}-renamed", person.name), "{run}");
        }
        Case::DeleteUser => assert_eq!(user(format!("{users}/{}", person.user)).await.0, 404, "{run}"),
        _ if case.is_of_a_tenant() => tenant::finish(world, case, ready, run).await,
        _ => own::finish(world, case, ready, outcome, run).await,
    }
}

/// A code is sent, and it is right.
async fn proves_by_code(world: &World, login: &(String, String), run: &str) {
    assert_eq!(step(world, login, "code", json!({})).await.0, 200, "{run}");
    let code = json!({ "code": world.code() });
    assert_eq!(step(world, login, "verification", code).await.0, 200, "{run}");
}
