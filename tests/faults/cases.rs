//! The use cases: how each is prepared, what is called, what a repetition may answer, and what has to stand at the end.

use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use shared::ports::SendOutcome;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::values::{another_code, text};

/// One use case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    SignIn,
    SignInWithPassword,
    Look,
    NameNumber,
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
    RenewRecoveryCodes,
    AskReplacement,
    ProveOldNumber,
    Replace,
    RemoveNumber,
    CreateUser,
    RenameUser,
    AdminBinds,
    AdminUnbinds,
    DeleteUser,
    ChangeSecurity,
    CreateApplication,
    CreateTenant,
    CreateAdminKey,
}

/// A call that is made, and made again.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub method: &'static str,
    pub path: String,
    pub bearer: String,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Option<Value>,
    pub person: Person,
    pub login: Option<(String, String)>,
    pub provider: SendOutcome,
}

/// Somebody that one run has for itself.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub user: String,
    /// The number that the user has or will have, and another one.
    pub number: String,
    pub other: String,
    pub access: String,
    pub recovery_code: String,
}

static PEOPLE: AtomicUsize = AtomicUsize::new(0);

/// Numbers in eighty ranges.
fn number(index: usize) -> String {
    format!("+1202{}{:04}", 220 + index % 80, index / 80 % 10_000)
}

impl Person {
    fn new() -> Self {
        let index = PEOPLE.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("person-{index}"),
            user: String::new(),
            number: number(2 * index),
            other: number(2 * index + 1),
            access: String::new(),
            recovery_code: String::new(),
        }
    }

    async fn made(world: &World, bound: bool, password: bool) -> Self {
        let mut person = Self::new();
        let mut body = json!({ "username": person.name });
        if bound {
            body["phone"] = person.number.clone().into();
        }
        if password {
            body["password"] = PASSWORD.into();
        }
        person.user = text(&world.admin("POST", "/users", body).await, "/id");
        person
    }

    /// A login, started by an assertion.
    pub async fn login(&self, world: &World) -> (String, String) {
        let body = self.assertion(world);
        let (status, answer) = world.call("POST", "/v1/logins", Some(&world.secret), &[], Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        (text(&answer, "/login/id"), text(&answer, "/login_token"))
    }

    fn assertion(&self, world: &World) -> Value {
        json!({ "application": world.application, "assertion": { "user": self.user } })
    }
}

pub async fn step(world: &World, login: &(String, String), step: &str, body: Value) -> (u16, Value) {
    let path = format!("/v1/logins/{}/{step}", login.0);
    world.call("POST", &path, Some(&login.1), &[], Some(body)).await
}

/// A whole login, as whoever was left without an answer starts it; answers the access token.
pub async fn whole_login(world: &World, person: &Person) -> String {
    // Past every wait of the number, the login and the user.
    world.advance(3700);
    let login = person.login(world).await;
    let (status, answer) = step(world, &login, "code", json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = step(world, &login, "verification", json!({ "code": world.code() })).await;
    assert_eq!(status, 200, "{answer}");
    text(&answer, "/tokens/access_token")
}

impl Case {
    pub const ALL: [Case; 28] = [
        Case::SignIn,
        Case::SignInWithPassword,
        Case::Look,
        Case::NameNumber,
        Case::Send,
        Case::SendUnknown,
        Case::SendAgain,
        Case::SendBeyondLimit,
        Case::GuessWrong,
        Case::GuessRight,
        Case::GuessRightAfterFailure,
        Case::Bind,
        Case::TrustDevice,
        Case::UseRecoveryCode,
        Case::RenewRecoveryCodes,
        Case::AskReplacement,
        Case::ProveOldNumber,
        Case::Replace,
        Case::RemoveNumber,
        Case::CreateUser,
        Case::RenameUser,
        Case::AdminBinds,
        Case::AdminUnbinds,
        Case::DeleteUser,
        Case::ChangeSecurity,
        Case::CreateApplication,
        Case::CreateTenant,
        Case::CreateAdminKey,
    ];

    /// What the call answers when nothing goes wrong.
    pub fn expected(self) -> u16 {
        match self {
            Case::SendBeyondLimit => 429,
            Case::GuessWrong => 401,
            Case::AskReplacement => 202,
            Case::RenewRecoveryCodes
            | Case::CreateUser
            | Case::CreateApplication
            | Case::CreateTenant
            | Case::CreateAdminKey => 201,
            Case::RemoveNumber | Case::AdminUnbinds | Case::DeleteUser => 204,
            _ => 200,
        }
    }

    /// What a repetition may answer, where the first request took effect and nobody heard of it.
    pub fn repeated(self) -> &'static [&'static str] {
        match self {
            Case::GuessRight
            | Case::GuessRightAfterFailure
            | Case::Bind
            | Case::TrustDevice
            | Case::UseRecoveryCode => &["login_complete"],
            Case::ProveOldNumber => &["no_code_sent"],
            Case::Replace => &["login_complete"],
            Case::CreateUser => &["duplicate"],
            Case::DeleteUser => &["not_found"],
            Case::ChangeSecurity => &["conflict"],
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

    pub async fn prepare(self, world: &World) -> Prepared {
        world.provider(SendOutcome::Accepted { message_id: "m".into() });
        let bound = !matches!(self, Case::NameNumber | Case::Bind | Case::AdminBinds | Case::CreateUser);
        let mut person = if self == Case::CreateUser {
            Person::new()
        } else {
            Person::made(world, bound, self == Case::SignInWithPassword).await
        };
        let tenant = format!("/v1/tenants{}", world.tenant);
        let user_path = format!("{tenant}/users/{}", person.user);
        let mut login = None;
        let mut headers = Vec::new();
        let mut provider = SendOutcome::Accepted { message_id: "m".into() };
        let (method, path, bearer, body) = match self {
            Case::SignIn => {
                ("POST", "/v1/logins".into(), world.secret.clone(), Some(person.assertion(world)))
            }
            Case::SignInWithPassword => {
                let proof = json!({ "account": person.name, "password": PASSWORD });
                let body = json!({ "application": world.application, "password": proof });
                ("POST", "/v1/logins".into(), world.secret.clone(), Some(body))
            }
            Case::RenewRecoveryCodes => {
                person.access = whole_login(world, &person).await;
                ("POST", "/v1/me/recovery-codes".into(), person.access.clone(), None)
            }
            Case::AskReplacement | Case::RemoveNumber => {
                person.access = whole_login(world, &person).await;
                let put = (self == Case::AskReplacement).then(|| json!({ "phone": person.other }));
                let method = if put.is_some() { "PUT" } else { "DELETE" };
                (method, "/v1/me/phone".into(), person.access.clone(), put)
            }
            Case::CreateUser => {
                let body = json!({ "username": person.name, "phone": person.number });
                ("POST", format!("{tenant}/users"), world.admin.clone(), Some(body))
            }
            Case::RenameUser => {
                let body = json!({ "username": format!("{}-renamed", person.name) });
                ("PATCH", user_path, world.admin.clone(), Some(body))
            }
            Case::AdminBinds => (
                "PUT",
                format!("{user_path}/phone"),
                world.admin.clone(),
                Some(json!({ "phone": person.number })),
            ),
            Case::AdminUnbinds => ("DELETE", format!("{user_path}/phone"), world.admin.clone(), None),
            Case::DeleteUser => ("DELETE", user_path, world.admin.clone(), None),
            Case::ChangeSecurity => {
                let body = json!({ "limits": { "per_tenant_day": 900_000 } });
                ("PATCH", format!("{tenant}/security"), world.admin.clone(), Some(body))
            }
            Case::CreateApplication => (
                "POST",
                format!("{tenant}/applications"),
                world.admin.clone(),
                Some(json!({ "name": "Other" })),
            ),
            Case::CreateTenant => {
                let body = json!({ "name": "Other", "home_country": "US" });
                ("POST", "/v1/tenants".into(), world.operator(), Some(body))
            }
            Case::CreateAdminKey => {
                let body = json!({ "name": "another", "role": "support" });
                ("POST", format!("{tenant}/admin-keys"), world.admin.clone(), Some(body))
            }
            _ => {
                let (own, step, body) = self.within_login(world, &mut person).await;
                if self.sends() {
                    headers.push(("idempotency-key", "one"));
                }
                if self == Case::SendUnknown {
                    provider = SendOutcome::Unknown;
                }
                let path = format!("/v1/logins/{}{step}", own.0);
                let bearer = own.1.clone();
                login = Some(own);
                (if body.is_some() { "POST" } else { "GET" }, path, bearer, body)
            }
        };
        Prepared { method, path, bearer, headers, body, person, login, provider }
    }

    /// A login up to the call that is looked at.
    async fn within_login(
        self,
        world: &World,
        person: &mut Person,
    ) -> ((String, String), &'static str, Option<Value>) {
        if matches!(self, Case::ProveOldNumber | Case::Replace) {
            let access = whole_login(world, person).await;
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
        if self == Case::UseRecoveryCode {
            let access = whole_login(world, person).await;
            let (_, made) = world.call("POST", "/v1/me/recovery-codes", Some(&access), &[], None).await;
            person.recovery_code = text(&made, "/recovery_codes/0");
        }
        if self == Case::SendBeyondLimit {
            // Five messages to a number in ten minutes: the sixth is refused by the number's own limit.
            let first = person.login(world).await;
            assert_eq!(step(world, &first, "code", json!({})).await.0, 200);
        }
        let login = person.login(world).await;
        if self == Case::Bind {
            assert_eq!(step(world, &login, "phone", json!({ "phone": person.number })).await.0, 200);
        }
        let sends = !matches!(
            self,
            Case::Look
                | Case::NameNumber
                | Case::Send
                | Case::SendUnknown
                | Case::SendBeyondLimit
                | Case::UseRecoveryCode
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
            Case::NameNumber => ("/phone", Some(json!({ "phone": person.number }))),
            Case::Send | Case::SendUnknown | Case::SendAgain | Case::SendBeyondLimit => {
                ("/code", Some(json!({})))
            }
            Case::GuessWrong => ("/verification", Some(json!({ "code": another_code(&code) }))),
            Case::TrustDevice => ("/verification", Some(json!({ "code": code, "trust_device": true }))),
            Case::UseRecoveryCode => {
                ("/verification", Some(json!({ "recovery_code": person.recovery_code })))
            }
            _ => ("/verification", Some(json!({ "code": code }))),
        };
        (login, step, body)
    }
}
