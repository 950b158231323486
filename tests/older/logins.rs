//! Logins, begun by one program and finished by another.

use crate::program::Program;
use crate::world::World;
use serde_json::{Value, json};
use tests::http_client::{Answer, Call};
use tests::values::{another_code, text};

/// How far a login came in the program that began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Started,
    CodeSent,
    GuessedWrong,
    /// Of a user without a number.
    Unbound,
    NumberNamed,
    CodeToNamed,
    /// It replaces a number: the old one's code was given, the new one's not sent.
    OldProven,
    /// To be completed by a recovery code.
    Recovering,
}

const FROM_THE_START: [Step; 6] =
    [Step::Started, Step::CodeSent, Step::GuessedWrong, Step::Unbound, Step::NumberNamed, Step::CodeToNamed];

/// A login under way, with all that its client knows.
#[derive(Debug)]
pub struct Login {
    pub step: Step,
    pub user: String,
    pub number: String,
    id: String,
    token: String,
    /// That was sent, and not used yet.
    code: Option<String>,
}

/// A user who is signed in, and has what that gives.
#[derive(Debug)]
pub struct Member {
    pub user: String,
    pub access: String,
    pub recovery: Vec<String>,
    pub device: String,
}

/// How far a QR login came.
#[derive(Debug)]
struct Qr {
    approved: bool,
    scanned: bool,
    id: String,
    secret: String,
}

/// All that is under way at once.
#[derive(Debug)]
pub struct UnderWay {
    pub logins: Vec<Login>,
    pub member: Member,
    qrs: Vec<Qr>,
}

/// A number of set `set`, which no other set has.
pub fn number(set: u8, index: u8) -> String {
    assert!(set < 10 && index < 10);
    format!("+120255501{set}{index}")
}

impl Login {
    pub fn new(step: Step, user: &str, number: String, answer: &Value) -> Self {
        let (id, token) = (text(answer, "/login/id"), text(answer, "/login_token"));
        Self { step, user: user.to_owned(), number, id, token, code: None }
    }

    async fn post(&self, program: &Program, step: &str, body: Value) -> Answer {
        let path = format!("/v1/logins/{}/{step}", self.id);
        program.send(Call::post(&path, &body).bearer(&self.token)).await
    }

    async fn look(&self, program: &Program) -> Value {
        let call = Call::get(&format!("/v1/logins/{}", self.id)).bearer(&self.token);
        program.send(call).await.expect(200)["login"].clone()
    }

    async fn name_number(&self, program: &Program) {
        let named = self.post(program, "phone", json!({ "phone": self.number })).await.expect(200);
        assert_eq!(named["login"]["status"], "enter_code", "{:?}", self.step);
    }

    /// Has a code sent to a number; answers the message.
    pub async fn send(&mut self, program: &Program, number: &str) -> String {
        self.post(program, "code", json!({})).await.expect(200);
        let (message, code) = program.message_to(number).await;
        self.code = Some(code);
        message
    }

    async fn guess(&self, program: &Program, code: &str) -> Answer {
        self.post(program, "verification", json!({ "code": code })).await
    }

    /// Gives the code that was sent, whoever sent it.
    async fn complete(&mut self, program: &Program) -> Value {
        let code = self.code.take().unwrap();
        let done = self.guess(program, &code).await.expect(200);
        assert_eq!(done["login"]["status"], "complete", "{:?}", self.step);
        done
    }

    /// Goes on from where another program left it, to its end. Answers the messages that were sent meanwhile.
    async fn go_on(&mut self, program: &Program, member: &mut Member) -> Vec<String> {
        let login = self.look(program).await;
        let status = if self.step == Step::Unbound { "bind_phone" } else { "enter_code" };
        assert_eq!(login["status"], status, "{:?}: {login}", self.step);
        let mut messages = Vec::new();
        match self.step {
            Step::Unbound => self.name_number(program).await,
            Step::GuessedWrong => {
                assert_eq!(login["challenge"]["attempts_left"], 4, "a wrong guess is counted");
                let wrong = another_code(&another_code(self.code.as_ref().unwrap()));
                let refused = self.guess(program, &wrong).await.refused(401, "wrong_code");
                assert_eq!(refused["attempts_left"], 3);
            }
            Step::Recovering => {
                let code = member.recovery.pop().unwrap();
                let body = json!({ "recovery_code": code });
                let done = self.post(program, "verification", body).await.expect(200);
                assert_eq!(done["login"]["status"], "complete");
                return messages;
            }
            _ => {}
        }
        if self.code.is_none() {
            let number = self.number.clone();
            messages.push(self.send(program, &number).await);
        }
        let done = self.complete(program).await;
        let binds = matches!(self.step, Step::Unbound | Step::NumberNamed | Step::CodeToNamed);
        assert_eq!(done["recovery_codes"].is_array(), binds, "{:?}: {done}", self.step);
        assert_eq!(self.look(program).await["status"], "complete");
        messages
    }
}

impl Member {
    /// Binds a number, and trusts the device.
    pub async fn make(program: &Program, world: &World, name: &str, number: &str) -> Self {
        let user = world.user(program, name, None).await;
        let answer = world.start(program, &user, json!({})).await;
        let mut login = Login::new(Step::Unbound, &user, number.to_owned(), &answer);
        login.name_number(program).await;
        login.send(program, number).await;
        let body = json!({ "code": login.code, "trust_device": true });
        let done = login.post(program, "verification", body).await.expect(200);
        let recovery = done["recovery_codes"].as_array().unwrap();
        Self {
            access: text(&done, "/tokens/access_token"),
            recovery: recovery.iter().map(|code| text(code, "")).collect(),
            device: text(&done, "/trusted_device/token"),
            user,
        }
    }

    /// Its device is asked for no code.
    pub async fn is_spared(&self, program: &Program, world: &World) {
        let answer = world.start(program, &self.user, json!({ "trusted_device": self.device })).await;
        assert_eq!(answer["login"]["status"], "complete", "a trusted device is trusted: {answer}");
    }

    /// Its session holds.
    pub async fn sees_itself(&self, program: &Program) {
        for path in ["/v1/me/phone", "/v1/me/trusted-devices"] {
            program.send(Call::get(path).bearer(&self.access)).await.expect(200);
        }
    }
}

impl UnderWay {
    /// How many there are, those by QR code among them.
    pub fn count(&self) -> usize {
        self.logins.len() + self.qrs.len()
    }

    /// Begins a login of each kind. `member` has `number(set, 6)`, and `mover` has `number(set, 7)` and wants `number(set, 8)`.
    pub async fn begin(program: &Program, world: &World, set: u8, member: Member, mover: &Member) -> Self {
        let mut logins = Vec::new();
        for (index, step) in (0..).zip(FROM_THE_START) {
            let number = number(set, index);
            let binds = matches!(step, Step::Unbound | Step::NumberNamed | Step::CodeToNamed);
            let bound = (!binds).then_some(number.as_str());
            let user = world.user(program, &format!("user{set}{index}"), bound).await;
            let answer = world.start(program, &user, json!({})).await;
            let mut login = Login::new(step, &user, number.clone(), &answer);
            if matches!(step, Step::NumberNamed | Step::CodeToNamed) {
                login.name_number(program).await;
            }
            if matches!(step, Step::CodeSent | Step::GuessedWrong | Step::CodeToNamed) {
                login.send(program, &number).await;
            }
            if step == Step::GuessedWrong {
                let wrong = another_code(login.code.as_ref().unwrap());
                login.guess(program, &wrong).await.refused(401, "wrong_code");
            }
            logins.push(login);
        }
        let (old, new) = (number(set, 7), number(set, 8));
        let call = Call::new("PUT", "/v1/me/phone").json(&json!({ "phone": new })).bearer(&mover.access);
        let answer = program.send(call).await.expect(202);
        let mut login = Login::new(Step::OldProven, &mover.user, new, &answer);
        login.send(program, &old).await;
        let code = login.code.take().unwrap();
        let proven = login.guess(program, &code).await.expect(200);
        assert_eq!(proven["login"]["status"], "enter_code", "{proven}");
        logins.push(login);
        let answer = world.start(program, &member.user, json!({})).await;
        logins.push(Login::new(Step::Recovering, &member.user, number(set, 6), &answer));
        Self { logins, member, qrs: Vec::new() }
    }

    /// QR logins at each step. They have two minutes, so they are begun last.
    pub async fn add_qrs(&mut self, program: &Program, world: &World) {
        for (scanned, approved) in [(false, false), (true, false), (true, true)] {
            let body = json!({ "application": world.application });
            let call = Call::post("/v1/qr-logins", &body).bearer(&world.secret);
            let asked = program.send(call).await.expect(201);
            let qr = Qr { scanned, approved, id: text(&asked, "/qr/id"), secret: text(&asked, "/secret") };
            if scanned {
                qr.decide(program, "scan", &self.member.access).await;
            }
            if approved {
                qr.decide(program, "approval", &self.member.access).await;
            }
            self.qrs.push(qr);
        }
    }

    /// Goes on with all of them, to the end. Answers the messages that were sent meanwhile.
    pub async fn go_on(&mut self, program: &Program, world: &World) -> Vec<String> {
        for qr in &self.qrs {
            qr.go_on(program, world, &self.member).await;
        }
        self.member.sees_itself(program).await;
        self.member.is_spared(program, world).await;
        let mut messages = Vec::new();
        for login in &mut self.logins {
            messages.extend(login.go_on(program, &mut self.member).await);
        }
        self.member.is_spared(program, world).await;
        messages
    }

    /// Who logged in here is on record, whatever was begun since, and can again.
    pub async fn is_on_record(&mut self, program: &Program, world: &World) {
        for login in &self.logins {
            let path = format!("/users/{}", login.user);
            let user = world.admin(program, "GET", &path, None).await.expect(200);
            assert_eq!(user["phone"], login.number, "{:?}", login.step);
            let path = format!("{path}/challenges?limit=100");
            let challenges = world.admin(program, "GET", &path, None).await.expect(200);
            let states: Vec<_> = challenges["items"].as_array().unwrap().iter().collect();
            assert!(states.iter().any(|challenge| challenge["state"] == "complete"), "{challenges}");
        }
        self.member.is_spared(program, world).await;
        let answer = world.start(program, &self.member.user, json!({})).await;
        let mut login = Login::new(Step::Recovering, &self.member.user, String::new(), &answer);
        login.go_on(program, &mut self.member).await;
        let body = json!({ "username": "taker", "phone": self.logins[0].number });
        world.admin(program, "POST", "/users", Some(body)).await.refused(409, "duplicate");
    }
}

impl Qr {
    async fn decide(&self, program: &Program, step: &str, access: &str) {
        let call = Call::new("POST", &format!("/v1/qr-logins/{}/{step}", self.id)).bearer(access);
        program.send(call).await.expect(200);
    }

    async fn go_on(&self, program: &Program, world: &World, member: &Member) {
        let call = Call::get(&format!("/v1/qr-logins/{}", self.id)).bearer(&self.secret);
        let status = if self.approved {
            "approved"
        } else if self.scanned {
            "scanned"
        } else {
            "pending"
        };
        assert_eq!(program.send(call).await.expect(200)["qr"]["status"], status);
        if !self.scanned {
            self.decide(program, "scan", &member.access).await;
        }
        if !self.approved {
            self.decide(program, "approval", &member.access).await;
        }
        let qr = json!({ "id": self.id, "secret": self.secret });
        let body = json!({ "application": world.application, "qr": qr });
        let call = Call::post("/v1/logins", &body).bearer(&world.secret);
        let begun = program.send(call).await.expect(200);
        assert_eq!(begun["login"]["user"], member.user, "{begun}");
    }
}
