//! What is measured against what, in one run.

use crate::measure::{Figures, Rounds, Store, Subject, measure};
use crate::runtime::Program;
use crate::store::{Guessed, Items};
use crate::stub::{Aws, Canned};
use crate::tls::Authority;
use crate::world::{Endpoints, SETUP, World};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::{Value, json};
use shared::config::{SecretName, dynamodb_client_for};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::engine::Engine;
use tests::repository;
use tokio::runtime::Runtime;

/// The floor, and the peers.
pub const EMPTY: &str = "bench-empty";
pub const MINIMAL: &str = "bench-minimal";
pub const NODE: &str = "node";
/// The functions of a login, which are measured on every engine.
pub const LOGIN: [&str; 3] = ["sign-in", "code-issuance", "code-verification"];

pub struct Options {
    pub bootstraps: PathBuf,
    /// The folder with the bundle of Node's peer.
    pub node: PathBuf,
    pub rounds: Rounds,
    /// The document whose part is written.
    pub write: Option<PathBuf>,
}

impl Options {
    /// # Panics
    /// If an argument is none of these.
    pub fn of(arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            bootstraps: repository::path("target/release"),
            node: repository::path(".cache/bench/functions"),
            rounds: Rounds { starts: 30, warm: 500 },
            write: None,
        };
        let mut arguments = arguments;
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_else(|| panic!("{name} what?"));
            match name.as_str() {
                "--bootstraps" => options.bootstraps = value.into(),
                "--node" => options.node = value.into(),
                "--starts" => options.rounds.starts = value.parse().unwrap(),
                "--warm" => options.rounds.warm = value.parse().unwrap(),
                "--write" => options.write = Some(value.into()),
                other => panic!("{other} is no argument"),
            }
        }
        options
    }
}

/// Everything that was measured, by function.
#[derive(Default)]
pub struct Results {
    /// Nobody at the endpoints.
    pub alone: BTreeMap<String, Figures>,
    pub plain: BTreeMap<String, Figures>,
    pub tls: BTreeMap<String, Figures>,
    pub dynoxide: BTreeMap<String, Figures>,
    pub dynamodb_local: BTreeMap<String, Figures>,
    /// Bytes of the deployment package, and of the program in it.
    pub sizes: BTreeMap<String, (u64, u64)>,
    /// What each function was asked, in words.
    pub events: BTreeMap<String, &'static str>,
}

pub fn run(options: &Options, runtime: &Runtime) -> Results {
    let mut results = Results::default();
    let world = runtime.block_on(World::create(&options.bootstraps));
    let subjects = subjects(&world, options);
    let named = |name: &str| LOGIN.contains(&name) || [MINIMAL, NODE].contains(&name);

    // A code lives for five minutes, which the engines hold it to: they come first.
    let engine = runtime.block_on(Engine::dynoxide());
    let client = dynamodb_client_for(engine.url());
    let (directory, logins) = (&world.tables.directory, &world.tables.logins);
    runtime.block_on(shared::dynamodb::tables::create_missing(&client, directory, logins)).unwrap();
    for (url, figures) in
        [(engine.url(), &mut results.dynoxide), (world.dynamodb_local(), &mut results.dynamodb_local)]
    {
        for subject in subjects.iter().filter(|subject| named(subject.program.name)) {
            eprintln!("{} on {url}", subject.program.name);
            let others = Aws::start(Canned::default(), world.secrets_by_arn(), None);
            let variables = variables(&world, subject, &endpoints(&others, Some(url)));
            let store = Store::Engine { url, tables: &world.tables, runtime };
            figures.insert(name(subject), measure(subject, &variables, &store, options.rounds));
        }
    }

    let authority = Authority::create();
    for subject in &subjects {
        // Warm requests say how much memory there will be; the functions of a login, how long one takes.
        let warm =
            if named(subject.program.name) { options.rounds.warm } else { options.rounds.warm.min(100) };
        let rounds = Rounds { warm, ..options.rounds };
        for (tls, figures) in [(false, &mut results.plain), (true, &mut results.tls)] {
            eprintln!("{} on the stub{}", subject.program.name, if tls { ", over TLS" } else { "" });
            let server = tls.then(|| authority.server.clone());
            let aws = Aws::start(subject.canned.clone(), world.secrets_by_arn(), server);
            let mut variables = variables(&world, subject, &endpoints(&aws, None));
            if tls {
                // Node too trusts this root and no other: its own hundred and forty would cost it more.
                variables.push(("SSL_CERT_FILE".to_owned(), authority.root().display().to_string()));
                variables.push(("NODE_OPTIONS".to_owned(), "--use-openssl-ca".to_owned()));
            }
            figures.insert(name(subject), measure(subject, &variables, &Store::Fixed(Some(&aws)), rounds));
            aws.knew_everything();
        }
        if ![MINIMAL, NODE].contains(&subject.program.name) {
            let start = Subject { event: None, ..subject.clone() };
            let variables = world.variables_alone(subject.program.name);
            let figures = measure(&start, &variables, &Store::Fixed(None), options.rounds);
            results.alone.insert(name(subject), figures);
        }
        results.sizes.insert(name(subject), size(&subject.program, options));
        if let Some(case) = world.case_of(subject.program.name) {
            results.events.insert(name(subject), case.what);
        }
    }
    results
}

fn name(subject: &Subject) -> String {
    subject.program.name.to_owned()
}

/// The stub's, with an engine in its DynamoDB's place.
fn endpoints(aws: &Aws, engine: Option<&str>) -> Endpoints {
    Endpoints {
        dynamodb: engine.map_or_else(|| aws.dynamodb.url(), str::to_owned),
        sns: aws.sns.url(),
        secrets_manager: aws.secrets_manager.url(),
    }
}

/// The peers have what `code-verification` has.
fn variables(world: &World, subject: &Subject, endpoints: &Endpoints) -> Vec<(String, String)> {
    let like = if [MINIMAL, NODE].contains(&subject.program.name) { LOGIN[2] } else { subject.program.name };
    world.variables(like, endpoints)
}

fn subjects(world: &World, options: &Options) -> Vec<Subject> {
    let mut subjects = vec![Subject {
        program: world.program(EMPTY),
        event: world.case_of(LOGIN[2]).map(|case| case.event.clone()),
        canned: Canned::default(),
        before: Items::default(),
        extra: Vec::new(),
    }];
    let functions = ["policy-admin", "user-directory", "sign-in", "phone-binding", "code-issuance"];
    let others = ["code-verification", "hosted-pages", "audit-trail", "notifications", SETUP];
    for function in functions.into_iter().chain(others) {
        let case = world.case_of(function);
        subjects.push(Subject {
            program: world.program(function),
            event: case.map(|case| case.event.clone()),
            canned: case.map(|case| case.canned.clone()).unwrap_or_default(),
            before: case.map(|case| case.before.clone()).unwrap_or_default(),
            extra: Vec::new(),
        });
    }
    let case = world.case_of(LOGIN[2]).expect("a code was right");
    let [charged] = &case.asked[..] else { panic!("a right code takes one request: {:?}", case.asked) };
    let guessed = Guessed::of(&charged.body, &charged.answer);
    let event: Value = serde_json::from_str(&case.event).unwrap();
    let extra = |mac: &[u8]| {
        let hex = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        [("BENCH_PK", guessed.pk.clone()), ("BENCH_SK", guessed.sk.clone()), ("BENCH_MAC", hex)]
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec()
    };
    subjects.push(Subject {
        program: world.program(MINIMAL),
        event: Some(case.event.clone()),
        canned: case.canned.clone(),
        before: case.before.clone(),
        extra: extra(&guessed.mac),
    });
    // Node's peer has a MAC of its own, by the same key and in its own words.
    let code: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, world.secret(SecretName::CodePepper).as_bytes());
    let message = format!("{}\n{}", guessed.sk, code["code"].as_str().unwrap());
    let mac = hmac::sign(&key, message.as_bytes());
    subjects.push(Subject {
        program: Program {
            name: NODE,
            path: node(),
            arguments: vec![options.node.join("bundle/bootstrap.mjs")],
        },
        event: Some(case.event.clone()),
        canned: case
            .canned
            .clone()
            .with_attribute("code_mac", &json!({ "B": STANDARD.encode(mac.as_ref()) })),
        before: case.before.clone().with_attribute("code_mac", mac.as_ref()),
        extra: extra(mac.as_ref()),
    });
    subjects
}

fn node() -> PathBuf {
    let found = Command::new("sh").args(["-c", "command -v node"]).output().unwrap();
    Path::new(String::from_utf8_lossy(&found.stdout).trim()).to_owned()
}

/// The package as `sam` makes it: Python's deflate.
fn size(program: &Program, options: &Options) -> (u64, u64) {
    const SCRIPT: &str = "import io, os, sys, zipfile\n\
        b = io.BytesIO()\n\
        with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z: z.write(sys.argv[1], 'bootstrap')\n\
        print(len(b.getvalue()), os.path.getsize(sys.argv[1]))";
    let file = match program.name {
        NODE => options.node.join("bundle/bootstrap.mjs"),
        _ => program.path.clone(),
    };
    let said = Command::new("python3").args(["-c", SCRIPT]).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut numbers = said.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().expect("python3 packs"), numbers.next().expect("two numbers"))
}
