//! One whole login, from creating a tenant to a token that a library we didn't write has checked, with the events in tests/events.

use crate::deployment::{BASE_URL, Deployment, MAX_PRICE_USD, METRICS_NAMESPACE, SENDER_ID};
use serde_json::{Value, json};
use tests::events;
use tests::python;
use tests::runtime::RuntimeError;
use tests::template::Template;
use tests::values::{another_code, text};

const USERNAME: &str = "rosalind.franklin";
const PASSWORD: &str = "correct horse battery staple";
const PHONE: &str = "+12025550147";
const ORIGIN: &str = "https://shop.example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f4_f6_f8_h11_a_login_from_creating_a_tenant_to_a_verified_token() {
    let mut deployment = Deployment::start().await;
    for (kind, value) in [("username", USERNAME), ("password", PASSWORD), ("number", PHONE)] {
        deployment.canaries.add(kind, value);
    }

    let made =
        deployment.handle("create_tenant", &[("operator_key", &deployment.operator_key)]).await.expect(201);
    let (tenant, admin_key) = (text(&made, "/id"), text(&made, "/admin_key/secret"));
    deployment.canaries.add("administrator key", &admin_key);
    let admin = [("tenant", &*tenant), ("admin_key", &admin_key)];
    let made = deployment.handle("create_application", &admin).await.expect(201);
    let application = text(&made, "/id");
    deployment.canaries.add("application secret", &text(&made, "/secret/secret"));
    let preflight = deployment.handle("preflight", &[]).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, Some(ORIGIN)));
    let security = deployment.handle("update_tenant_security", &admin).await.expect(200);
    assert_eq!(security["mfa"]["sms"]["enabled"], true);
    let person = [("username", USERNAME), ("password", PASSWORD)];
    let user = deployment.handle("create_user", &[&admin[..], &person].concat()).await.expect(201);

    // No token of any use before the code (F3), and the number first where none is bound (F4).
    let start = [&[("application", &*application)][..], &person].concat();
    let (login, mut step) = begin(&mut deployment, &start, "bind_phone").await;
    let asked = deployment.handle("set_login_phone", &with(&step, "phone", PHONE)).await.expect(200);
    assert_eq!(asked["login"]["status"], "enter_code");
    assert_eq!(deployment.sns.published(), [], "nothing is sent before it is asked for");

    let once = with(&step, "idempotency_key", "one-press-of-the-button");
    let sent = deployment.handle("send_code", &once).await.expect(200);
    assert_eq!(sent["login"]["challenge"]["delivery"], "accepted");
    let again = deployment.handle("send_code", &once).await.expect(200);
    assert_eq!(again["login"]["challenge"], sent["login"]["challenge"]);
    let code = published_code(&deployment);
    deployment.canaries.add("code", &code);

    let problem = deployment.handle("verify_code", &with(&step, "code", &another_code(&code))).await;
    assert_eq!(problem.header("access-control-allow-origin"), Some(ORIGIN), "a page can read a refusal");
    assert_eq!(problem.refused(401, "wrong_code")["attempts_left"], 4);
    let done = deployment.handle("verify_code", &with(&step, "code", &code)).await.expect(200);
    assert_eq!(done["login"]["status"], "complete");
    deployment.handle("verify_code", &with(&step, "code", &code)).await.refused(409, "login_complete");
    let seen = deployment.handle("get_login", &with_all(&step)).await.expect(200);
    assert_eq!(seen["login"]["status"], "complete");

    let jwks = deployment.handle("get_jwks", &[("tenant", &tenant)]).await;
    assert!(jwks.header("cache-control").is_some_and(|value| value.contains("max-age")));
    deployment.handle("get_openid_configuration", &[("tenant", &tenant)]).await.expect(200);
    let expected = json!({
        "issuer": format!("{BASE_URL}/t/{tenant}"),
        "audience": application,
        "claims": { "sub": user["id"], "txn": login, "amr": ["pwd", "sms", "mfa"], "acr": "aal2" },
    });
    python::check_tokens(&done["tokens"], &jwks.expect(200), &expected).await;
    for token in ["access_token", "id_token"] {
        deployment.canaries.add("token", &text(&done["tokens"], &format!("/{token}")));
    }

    let sent = counted(&deployment, "code-issuance", 1);
    let [sent] = &sent[..] else { panic!("one message was sent: {sent:?}") };
    assert_eq!(
        (&sent["MessagesSent"], &sent["Country"], &sent["EstimatedSpendUsd"]),
        (&json!(1), &json!("US"), &json!(0.01))
    );
    assert_eq!((&sent["Tenant"], &sent["Application"]), (&json!(tenant), &json!(application)));
    logged_once(&deployment, &login);
    let judged = counted(&deployment, "code-verification", 3);
    let rules: Vec<_> = judged.iter().filter_map(|line| line["Rule"].as_str()).collect();
    assert_eq!(rules, ["wrong_code", "login_complete"]);
    let verified: Vec<_> = judged.iter().filter(|line| line["CodesVerified"] == 1).collect();
    assert_eq!((verified.len(), &verified[0]["Country"]), (1, &json!("US")));

    // The number is bound from now on (F8): the next login asks for the code at once.
    (_, step) = begin(&mut deployment, &start, "enter_code").await;
    let refused = deployment.handle("set_login_phone", &with(&step, "phone", "+12025550148")).await;
    refused.refused(403, "step_up_required");
    deployment.assert_quiet();
    python::scan_tables(&deployment.engine, &deployment.tables, &deployment.canaries).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_call_of_ours_is_answered_or_refused_and_the_next_call_works() {
    let deployment = Deployment::start().await;
    let application = [("application", "app_none")];
    deployment.handle("unknown_route", &application).await.refused(404, "not_found");
    let preflight = deployment.handle("preflight", &[]).await;
    preflight.refused(403, "forbidden");

    let malformed = events::load(
        "malformed",
        &[("application", "app_none"), ("username", USERNAME), ("password", PASSWORD)],
    );
    let streams = Template::load().streams;
    for function in deployment.proxies.keys() {
        let bootstrap = deployment.gateway.function(function);
        let other = if streams.contains_key(function) { json!({}) } else { events::inserted(&[]) };
        for event in [&malformed, &json!(null), &json!("text"), &other] {
            let Err(RuntimeError::Reported(why)) = bootstrap.invoke(event).await else {
                panic!("{function} answers {event}");
            };
            let why = why.to_string();
            let wanted = if streams.contains_key(function) { "a DynamoDB stream" } else { "an HTTP API" };
            let wanted = format!("not an event of {wanted}");
            assert!(why.contains(&wanted) && !why.contains(PASSWORD), "{function}: {why}");
        }
    }
    deployment.handle("create_tenant", &[("operator_key", &deployment.operator_key)]).await.expect(201);
    deployment.handle("unknown_route", &application).await.refused(404, "not_found");
}

/// Starts a login; answers its id and what its steps' events take.
async fn begin(
    deployment: &mut Deployment,
    start: &[(&str, &str)],
    status: &str,
) -> (String, Vec<(&'static str, String)>) {
    let begun = deployment.handle("start_login", start).await.expect(200);
    assert_eq!((&begun["login"]["status"], begun.get("tokens")), (&json!(status), None), "{begun}");
    let (login, token) = (text(&begun, "/login/id"), text(&begun, "/login_token"));
    deployment.canaries.add("login token", &token);
    (login.clone(), vec![("login", login), ("login_token", token)])
}

fn with_all<'a>(step: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    step.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn with<'a>(step: &'a [(&'static str, String)], name: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut values = with_all(step);
    values.push((name, value));
    values
}

/// The code in the one message, which is as a provider needs it.
fn published_code(deployment: &Deployment) -> String {
    let published = deployment.sns.published();
    let [message] = &published[..] else { panic!("{published:?}") };
    assert_eq!(message.to, PHONE);
    let attribute = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
    let wanted = [
        ("AWS.SNS.SMS.MaxPrice", attribute("Number", MAX_PRICE_USD)),
        ("AWS.SNS.SMS.SMSType", attribute("String", "Transactional")),
        ("AWS.SNS.SMS.SenderID", attribute("String", SENDER_ID)),
    ];
    assert_eq!(message.attributes, wanted.map(|(name, value)| (name.to_owned(), value)).into());
    let code = deployment.sns.code_sent_to(PHONE);
    let last = message.body.lines().next_back().unwrap();
    assert_eq!(last, format!("@shop.example.com #{code}"), "bound to the application's origin");
    code
}

/// H10: what the provider calls the message stands beside the login, so that its own logs tell the rest.
fn logged_once(deployment: &Deployment, login: &str) {
    let log = deployment.gateway.function("code-issuance").log();
    let log = log.text_when(|log| log.contains("\"outcome\""));
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let sends: Vec<_> = lines.filter(|line| line["message"] == "send").collect();
    let [send] = &sends[..] else { panic!("one message was sent: {sends:?}") };
    assert_eq!((&send["login"], &send["outcome"]), (&json!(login), &json!("accepted")));
    assert_eq!(send["message_id"], "00000000-0000-4000-8000-000000000001");
    assert!(send.get("reason").is_none(), "{send}");
}

/// The metrics that a function has counted in `lines` lines, as CloudWatch reads them from its log.
fn counted(deployment: &Deployment, function: &str, lines: usize) -> Vec<Value> {
    let log = deployment.gateway.function(function).log();
    let log = log.text_when(|log| log.matches("\"_aws\"").count() >= lines);
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let metrics: Vec<_> = lines.filter(|line| line.get("_aws").is_some()).collect();
    for line in &metrics {
        let [counted] = &line["_aws"]["CloudWatchMetrics"].as_array().unwrap()[..] else { panic!("{line}") };
        assert_eq!(counted["Namespace"], METRICS_NAMESPACE);
        assert!(line["_aws"]["Timestamp"].as_i64().is_some_and(|at| at > 1_700_000_000_000), "{line}");
        for metric in counted["Metrics"].as_array().unwrap() {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{line}");
        }
        for dimension in
            counted["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap())
        {
            assert!(line[dimension.as_str().unwrap()].is_string(), "{line}");
        }
    }
    metrics
}
