//! What is counted, each as the work of one time.

use bench_counts::{Draws, Recording, Replay, World, keys};
use serde_json::Value;
use shared::auth::{AccessTokenVerifier, Es256TokenSigner};
use shared::domain::application::Application;
use shared::domain::login::Ticket;
use shared::domain::phone::PhoneNumber;
use shared::domain::policy::{PolicyInput, decide, effective_rules};
use shared::domain::tenant::Tenant;
use shared::domain::user::User;
use shared::dynamodb::policy_items::{decode_application, decode_tenant};
use shared::dynamodb::user_item::{decode_user, encode_user};
use shared::dynamodb::{Item, fault};
use shared::http::{Edge, lambda};
use shared::ports::{AccessTokens, CodeScope, Codes, PersonalData, TokenClaims, TokenSigner};
use shared::usecase::login_token::LoginTokens;
use std::hint::black_box;
use std::sync::Arc;
use tokio::runtime::Runtime;

/// One time of a case's work.
pub type Work = Box<dyn FnMut()>;

pub struct Case {
    pub name: &'static str,
    /// How often it is done: where a hash map's order changes what is done, enough for it to make no difference.
    pub times: u32,
    prepare: fn(&Setup) -> Work,
    /// The recorded call that it makes again.
    replays: Option<&'static str>,
}

pub const CASES: &[Case] = &[
    simple("policy decision", 1000, policy_decision),
    simple("code: derive and MAC", 200, code_derivation),
    simple("guess: MAC", 200, guess_mac),
    simple("phone number of the US", 20, |_| phone("+12025550101")),
    simple("phone number of Germany", 20, |_| phone("+49 1512 3456789")),
    simple("phone number of China", 20, |_| phone("+8613812345678")),
    simple("item: tenant and application from it", 100, policy_from_items),
    simple("item: user to it", 100, user_to_item),
    simple("item: user from it", 100, user_from_item),
    simple("login token: seal", 100, seal),
    simple("login token: open", 100, open),
    simple("number: open", 100, open_number),
    simple("tokens: sign both", 20, sign),
    simple("access token: check", 20, check),
    whole("sign-in by assertion", "sign in"),
    whole("issue", "issue"),
    whole("verify, wrong", "verify wrong"),
    whole("verify, right", "verify right"),
];

const fn simple(name: &'static str, times: u32, prepare: fn(&Setup) -> Work) -> Case {
    Case { name, times, prepare, replays: None }
}

/// From the gateway's event to the function's answer, with the SDK and all that it does but its connection.
const fn whole(name: &'static str, call: &'static str) -> Case {
    Case { name, times: 40, prepare: |_| Box::new(|| ()), replays: Some(call) }
}

/// What cases are made of.
pub struct Setup {
    runtime: Arc<Runtime>,
    recording: Recording,
    replay: Replay,
    world: World,
}

impl Setup {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let replay = Replay::default();
        let client = replay.clone();
        let world = World::new(move |_| client.clone().into_client(), None);
        Self { runtime: Arc::new(runtime), recording: Recording::kept(), replay, world }
    }

    /// The work of a case; and what has to hold after it, which does a call once more and gives the length of what it answers.
    pub fn prepare(&self, case: &Case) -> (Work, Box<dyn Fn() -> usize + '_>) {
        match case.replays {
            None => ((case.prepare)(self), Box::new(|| 0)),
            Some(call) => (self.again(call), Box::new(move || self.held(call))),
        }
    }

    fn again(&self, name: &'static str) -> Work {
        let recorded = self.recording.call(name);
        self.replay.load(recorded);
        let edge = self.edge(name);
        let event = recorded.event.to_string().into_bytes();
        let (runtime, replay, draws): (_, _, Arc<Draws>) =
            (self.runtime.clone(), self.replay.clone(), self.world.draws.clone());
        Box::new(move || {
            replay.rewind();
            draws.start(name);
            let event: Value = serde_json::from_slice(&event).expect("it was recorded");
            let answer = runtime.block_on(lambda::answer(&edge, event)).expect("an event");
            black_box(serde_json::to_vec(&answer).expect("JSON"));
        })
    }

    /// The function that takes a recorded call.
    fn edge(&self, name: &str) -> Edge {
        match name {
            "sign in" => self.world.sign_in(),
            "issue" => self.world.code_issuance(),
            _ => self.world.code_verification(),
        }
    }

    /// What was counted is the call that was recorded, answered as it was then.
    fn held(&self, name: &'static str) -> usize {
        let recorded = self.recording.call(name);
        if let Err(difference) = self.replay.compare(recorded) {
            panic!("{name}: {difference}\nUPDATE_RECORDING=1 cargo test -p tests --test recording");
        }
        let edge = self.edge(name);
        self.replay.rewind();
        self.world.draws.start(name);
        let answer = self.runtime.block_on(lambda::answer(&edge, recorded.event.clone())).expect("an event");
        let answer = serde_json::to_value(answer).expect("JSON");
        assert_eq!(answer["statusCode"], recorded.status, "{name}: {answer}");
        let length = |value: &Value| value.as_str().map_or(0, str::len);
        // With what HTTP puts around each header.
        let headers = answer["headers"].as_object().into_iter().flatten();
        length(&answer["body"]) + headers.map(|(name, value)| name.len() + length(value) + 4).sum::<usize>()
    }

    /// The items that the sign-in reads.
    fn items(&self) -> Vec<Item> {
        self.replay.load(self.recording.call("sign in"));
        let request = self.world.base.store.client().batch_get_item();
        let answer = self.runtime.block_on(request.set_request_items(Some(Default::default())).send());
        let answer = answer.map_err(fault).expect("what was recorded");
        answer.responses.into_iter().flatten().flat_map(|(_, items)| items).collect()
    }

    fn policy(&self) -> (Tenant, Application) {
        let items = self.items();
        let tenant = items.iter().find_map(|item| decode_tenant(item.clone()).ok());
        let application = items.iter().find_map(|item| decode_application(item.clone()).ok());
        (tenant.expect("a tenant"), application.expect("an application"))
    }

    fn user_item(&self) -> Item {
        let tenant = self.policy().0.id;
        let found = self.items().into_iter().find(|item| decode_user(&tenant, item.clone()).is_ok());
        found.expect("a user")
    }

    fn token(&self) -> String {
        let event = &self.recording.call("issue").event;
        let header = event["headers"]["authorization"].as_str().expect("a token");
        header.strip_prefix("Bearer ").expect("a token").to_owned()
    }

    fn tokens(&self) -> LoginTokens {
        LoginTokens::new(Arc::new(keys::sealer(&self.world.draws)))
    }

    fn ticket(&self) -> Ticket {
        self.tokens().open_any(&self.token()).expect("the recorded token is of these keys")
    }

    fn claims(&self) -> TokenClaims {
        let Ticket { tenant, application, user, login, started_at, .. } = self.ticket();
        TokenClaims {
            tenant,
            application,
            user,
            login,
            auth_time: started_at,
            issued_at: started_at,
            amr: &["pwd", "sms", "mfa"],
            acr: "aal2",
            code: None,
        }
    }
}

fn policy_decision(setup: &Setup) -> Work {
    let (tenant, application) = setup.policy();
    Box::new(move || {
        let input = PolicyInput::new(black_box(&tenant), black_box(&application), None);
        black_box(decide(&input));
        black_box(effective_rules(&tenant, &application));
    })
}

fn scope(ticket: &Ticket) -> CodeScope<'_> {
    CodeScope { tenant: &ticket.tenant, user: &ticket.user, login: &ticket.login, purpose: "sign_in" }
}

fn code_derivation(setup: &Setup) -> Work {
    let (codes, ticket) = (keys::codes(), setup.ticket());
    Box::new(move || {
        let code = codes.derive("a", scope(&ticket), black_box(&[7; 16]), 6).expect("the pepper is there");
        black_box(codes.mac("a", scope(&ticket), code.expose()));
    })
}

fn guess_mac(setup: &Setup) -> Work {
    let (codes, ticket) = (keys::codes(), setup.ticket());
    Box::new(move || drop(black_box(codes.guess_macs(scope(&ticket), black_box("123456")))))
}

fn phone(text: &'static str) -> Work {
    PhoneNumber::parse(text).expect("a number");
    Box::new(move || drop(black_box(PhoneNumber::parse(black_box(text)))))
}

fn policy_from_items(setup: &Setup) -> Work {
    let items = setup.items();
    let tenant = items.iter().find(|item| decode_tenant((*item).clone()).is_ok()).cloned().expect("a tenant");
    let found = items.iter().find(|item| decode_application((*item).clone()).is_ok());
    let application = found.cloned().expect("an application");
    // Decoding takes the item, so there is a copy for each time; copying isn't counted.
    let copies = |item: Item| vec![item; COPIES];
    let (mut tenants, mut applications) = (copies(tenant), copies(application));
    Box::new(move || {
        black_box(decode_tenant(tenants.pop().expect("a copy")).is_ok());
        black_box(decode_application(applications.pop().expect("a copy")).is_ok());
    })
}

/// More than any case is done, and tried before.
const COPIES: usize = 200;

fn user(setup: &Setup) -> User {
    decode_user(&setup.policy().0.id, setup.user_item()).expect("a user")
}

fn user_to_item(setup: &Setup) -> Work {
    let user = user(setup);
    Box::new(move || drop(black_box(encode_user(black_box(&user)))))
}

fn user_from_item(setup: &Setup) -> Work {
    let (tenant, mut items) = (setup.policy().0.id, vec![setup.user_item(); COPIES]);
    Box::new(move || drop(black_box(decode_user(&tenant, items.pop().expect("a copy")))))
}

fn seal(setup: &Setup) -> Work {
    let (tokens, ticket) = (setup.tokens(), setup.ticket());
    Box::new(move || drop(black_box(tokens.seal(black_box(&ticket)))))
}

fn open(setup: &Setup) -> Work {
    let (tokens, token) = (setup.tokens(), setup.token());
    Box::new(move || drop(black_box(tokens.open_any(black_box(&token)))))
}

fn open_number(setup: &Setup) -> Work {
    let personal = keys::personal(&setup.world.draws);
    let sealed = personal.seal("usr_1|phone", "+12025550101");
    Box::new(move || drop(black_box(personal.open("usr_1|phone", black_box(&sealed)))))
}

const BASE: &str = "https://api.example.com";

fn sign(setup: &Setup) -> Work {
    let signer = Es256TokenSigner::new(keys::signing(), BASE, setup.world.draws.clone());
    let claims = setup.claims();
    Box::new(move || drop(black_box(signer.sign(black_box(&claims)))))
}

fn check(setup: &Setup) -> Work {
    let signing = keys::signing();
    let verifier = AccessTokenVerifier::new(&signing.public_keys(), BASE);
    let claims = setup.claims();
    let signer = Es256TokenSigner::new(signing, BASE, setup.world.draws.clone());
    let tokens = signer.sign(&claims).expect("signed");
    let now = claims.issued_at;
    assert!(verifier.verify(tokens.access_token.expose(), now).is_some());
    Box::new(move || drop(black_box(verifier.verify(black_box(tokens.access_token.expose()), now))))
}
