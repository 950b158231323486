//! How each use case is prepared: somebody of its own for each run, up to the call that is looked at.

mod tenant;
mod within;

use crate::cases::Case;
use crate::run::call;
use crate::world::{PASSWORD, World};
use serde_json::{Value, json};
use shared::ports::SendOutcome;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::values::{changed, text};

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
    /// The id of what it is about, where that is no person: a device, a secret, a source, a key, a QR login.
    pub thing: String,
}

/// Somebody that one run has for itself.
#[derive(Clone, Debug)]
pub struct Person {
    pub name: String,
    pub user: String,
    /// The number that the user has or will have, and another one.
    pub number: String,
    pub other: String,
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

    pub fn shows_password(&self, world: &World, password: &str, device: Option<&str>) -> Prepared {
        let proof = json!({ "account": self.name, "password": password });
        let mut body = json!({ "application": world.application, "password": proof });
        if let Some(device) = device {
            body["trusted_device"] = device.into();
        }
        Prepared::of("POST", "/v1/logins", &world.secret, Some(body))
    }

    async fn gets_number(&self, world: &World) {
        let path = format!("/users/{}/phone", self.user);
        world.admin("PUT", &path, json!({ "phone": self.number })).await;
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
    text(&first_login(world, person, false).await, "/tokens/access_token")
}

/// The first login of somebody with a number, up to its end.
async fn first_login(world: &World, person: &Person, trust: bool) -> Value {
    let login = person.login(world).await;
    let (status, answer) = step(world, &login, "code", json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let body = json!({ "code": world.code(), "trust_device": trust });
    let (status, answer) = step(world, &login, "verification", body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

impl Prepared {
    /// A call with a body, or without one.
    fn of(
        method: &'static str,
        path: impl Into<String>,
        bearer: impl Into<String>,
        body: Option<Value>,
    ) -> Self {
        Self {
            method,
            path: path.into(),
            bearer: bearer.into(),
            headers: Vec::new(),
            body,
            person: Person::new(),
            login: None,
            provider: accepted(),
            thing: String::new(),
        }
    }
}

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { message_id: "m".into() }
}

impl Case {
    pub async fn prepare(self, world: &World) -> Prepared {
        world.provider(accepted());
        let (bound, password) = match self {
            Case::CreateUser => return self.of_nobody(world),
            Case::NameNumber | Case::NameNumberAgain | Case::Bind | Case::AdminBinds => (false, false),
            // They get their number once what the call reads has been read.
            Case::SignIn | Case::Send => (false, false),
            Case::SignInWithPassword => (false, true),
            Case::MistakePassword | Case::SignInTrusted => (true, true),
            _ => (true, false),
        };
        if self.is_of_a_tenant() {
            return self.of_tenant(world).await;
        }
        let mut person = Person::made(world, bound, password).await;
        let mut ready = match self {
            Case::SignIn => {
                person.login(world).await;
                person.gets_number(world).await;
                Prepared::of("POST", "/v1/logins", &world.secret, Some(person.assertion(world)))
            }
            Case::SignInWithPassword => {
                let ready = person.shows_password(world, PASSWORD, None);
                assert_eq!(call(world, &ready).await.status(), 200);
                person.gets_number(world).await;
                ready
            }
            Case::MistakePassword => {
                // The address that everybody here comes from is slowed down, too.
                world.advance(301);
                person.shows_password(world, &changed(PASSWORD), None)
            }
            Case::SignInTrusted => {
                let done = first_login(world, &person, true).await;
                let device = text(&done, "/trusted_device/token");
                let ready = person.shows_password(world, PASSWORD, Some(&device));
                assert_eq!(call(world, &ready).await.status(), 200);
                // Seen once, and then there is a failure with it.
                let wrong = person.shows_password(world, &changed(PASSWORD), Some(&device));
                assert_eq!(call(world, &wrong).await.status(), 401);
                ready
            }
            Case::RenewRecoveryCodes
            | Case::AskReplacement
            | Case::RemoveNumber
            | Case::RevokeOwnDevice
            | Case::RevokeOwnDevices => self.of_oneself(world, &person).await,
            Case::AskQr | Case::ScanQr | Case::ApproveQr | Case::RejectQr | Case::SignInWithQr => {
                self.with_qr(world, &person).await
            }
            Case::RenameUser
            | Case::AdminBinds
            | Case::AdminUnbinds
            | Case::DeleteUser
            | Case::LinkIdentity
            | Case::UnlinkIdentity
            | Case::RevokeDevice
            | Case::RevokeDevices => self.of_user(world, &person).await,
            _ => self.within_login(world, &mut person).await,
        };
        ready.person = person;
        ready
    }

    /// Nobody is there before.
    fn of_nobody(self, world: &World) -> Prepared {
        let person = Person::new();
        let body = json!({ "username": person.name, "phone": person.number });
        let path = format!("/v1/tenants{}/users", world.tenant);
        Prepared { person, ..Prepared::of("POST", path, &world.admin, Some(body)) }
    }

    /// What users do about themselves, signed in.
    async fn of_oneself(self, world: &World, person: &Person) -> Prepared {
        let done = first_login(world, person, true).await;
        let access = text(&done, "/tokens/access_token");
        let device = text(&done, "/trusted_device/id");
        let devices = "/v1/me/trusted-devices";
        let ready = match self {
            Case::RenewRecoveryCodes => Prepared::of("POST", "/v1/me/recovery-codes", access, None),
            Case::AskReplacement => {
                Prepared::of("PUT", "/v1/me/phone", access, Some(json!({ "phone": person.other })))
            }
            Case::RemoveNumber => Prepared::of("DELETE", "/v1/me/phone", access, None),
            Case::RevokeOwnDevice => Prepared::of("DELETE", format!("{devices}/{device}"), access, None),
            _ => Prepared::of("DELETE", devices, access, None),
        };
        Prepared { thing: device, ..ready }
    }

    /// A QR login: asked for by a browser, decided by whoever is signed in, and signed in with.
    async fn with_qr(self, world: &World, person: &Person) -> Prepared {
        let access = text(&first_login(world, person, false).await, "/tokens/access_token");
        let body = json!({ "application": world.application });
        if self == Case::AskQr {
            return Prepared::of("POST", "/v1/qr-logins", &world.secret, Some(body));
        }
        let (status, asked) = world.call("POST", "/v1/qr-logins", Some(&world.secret), &[], Some(body)).await;
        assert_eq!(status, 201, "{asked}");
        let qr = text(&asked, "/qr/id");
        let step = |step: &str| format!("/v1/qr-logins/{qr}/{step}");
        let before: &[&str] = match self {
            Case::ScanQr => &[],
            Case::SignInWithQr => &["scan", "approval"],
            _ => &["scan"],
        };
        let proof = json!({ "id": qr, "secret": text(&asked, "/secret") });
        let body = json!({ "application": world.application, "qr": proof });
        let in_browser = Prepared::of("POST", "/v1/logins", &world.secret, Some(body));
        if self == Case::SignInWithQr {
            assert_eq!(call(world, &in_browser).await.status(), 409, "nobody has approved it");
        }
        for before in before {
            let (status, answer) = world.call("POST", &step(before), Some(&access), &[], None).await;
            assert_eq!(status, 200, "{answer}");
        }
        let ready = match self {
            Case::ScanQr => Prepared::of("POST", step("scan"), access, None),
            Case::ApproveQr => Prepared::of("POST", step("approval"), access, None),
            Case::RejectQr => Prepared::of("POST", step("rejection"), access, None),
            _ => in_browser,
        };
        // Looked at by its secret, as a login is by its token.
        Prepared { login: Some((qr, text(&asked, "/secret"))), ..ready }
    }
}
