//! What each use case takes of the tables, in the units that are billed, as DynamoDB Local counts them. docs/PERFORMANCE.md has the table, and
//! this test keeps it true; `UPDATE_DOCS=1` writes it anew.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

#[allow(dead_code, reason = "tests/budgets uses the rest of it")]
#[path = "../budgets/world.rs"]
mod world;

use serde_json::json;
use shared::domain::challenge::Undelivered;
use shared::ports::SendOutcome;
use tests::engine::Engine;
use tests::repository;
use tests::tables::Tables;
use tests::values::{another_code, text};
use world::{Cost, Login, PASSWORD, World};

const BEGIN: &str = "<!-- capacity -->\n";
const END: &str = "<!-- /capacity -->";
const NUMBER: &str = "+12025550101";

/// The rows of the table, as they come.
#[derive(Default)]
struct Rows(Vec<String>);

impl Rows {
    fn add(&mut self, world: &World, use_case: &str, outcome: &str, cost: &Cost) {
        let (reads, writes) = *world.units.lock().unwrap();
        let Cost { reads: read_requests, writes: write_requests, .. } = cost;
        self.0.push(format!(
            "| {use_case} | {outcome} | {read_requests} | {write_requests} | {reads} | {writes} |"
        ));
    }
}

#[tokio::test]
async fn the_table_of_units_says_what_the_engine_counts() {
    let engine = Engine::dynamodb_local().await;
    let tables = Tables::create(&engine).await;
    let world = World::on(engine, tables).await;
    let mut rows = Rows::default();
    sign_ins(&world, &mut rows).await;
    sends_and_guesses(&world, &mut rows).await;
    a_bind(&world, &mut rows).await;
    recovery(&world, &mut rows).await;

    let head =
        "| use case | outcome | reads | writes | read units | write units |\n|---|---|---|---|---|---|\n";
    let table = format!("{head}{}\n", rows.0.join("\n"));
    let path = repository::path("docs/PERFORMANCE.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("where the table begins");
    let (written, after) = rest.split_once(END).expect("where the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
    } else {
        assert_eq!(written, table, "docs/PERFORMANCE.md has another table: UPDATE_DOCS=1 writes it");
    }
}

async fn sign_ins(world: &World, rows: &mut Rows) {
    let user = world.user("ann", Some(NUMBER)).await;
    let (cost, _) = world.sign_in("", "ann", PASSWORD).await;
    rows.add(world, "sign-in by password", "code asked", &cost);
    let (cost, _) = world.sign_in("", "ann", "not it").await;
    rows.add(world, "", "wrong password", &cost);
    let (cost, _) = world.sign_in("", "nobody", "not it").await;
    rows.add(world, "", "unknown account", &cost);
    let body = json!({ "application": world.application, "assertion": { "user": user } });
    let secret = world.secret.clone();
    let (cost, _) = world.measure("", "/v1/logins", Some(&secret), &[], Some(body)).await;
    rows.add(world, "sign-in by assertion", "code asked", &cost);
    let login = world.login("ann").await;
    let (cost, _) =
        world.measure("", &format!("/v1/logins/{}", login.id), Some(&login.token), &[], None).await;
    rows.add(world, "look at a login", "before a message", &cost);
}

async fn sends_and_guesses(world: &World, rows: &mut Rows) {
    let login = world.login("ann").await;
    let cost = world.step("", &login, "code", json!({})).await;
    rows.add(world, "send", "first", &cost);
    let cost = world.step("", &login, "code", json!({})).await;
    rows.add(world, "", "too soon", &cost);
    let cost = guess(world, &login, &another_code(&world.code())).await;
    rows.add(world, "verify", "wrong", &cost);
    world.advance(31);
    let cost = world.step("", &login, "code", json!({})).await;
    rows.add(world, "send", "resend", &cost);
    let cost = guess(world, &login, &world.code()).await;
    rows.add(world, "verify", "right, with failures to clear", &cost);
    let cost = guess(world, &login, &world.code()).await;
    rows.add(world, "", "complete", &cost);

    world.advance(3700);
    let login = world.login("ann").await;
    world.provider(SendOutcome::Refused { reason: Undelivered::OptedOut });
    let cost = world.step("", &login, "code", json!({})).await;
    rows.add(world, "send", "the provider refuses", &cost);
    world.provider(SendOutcome::Accepted { message_id: "m".into() });
    world.advance(3700);
    let login = world.login("ann").await;
    world.step("", &login, "code", json!({})).await;
    let cost = guess(world, &login, &world.code()).await;
    rows.add(world, "verify", "right", &cost);
}

async fn a_bind(world: &World, rows: &mut Rows) {
    world.user("bob", None).await;
    let login = world.login("bob").await;
    let cost = world.step("", &login, "phone", json!({ "phone": NUMBER })).await;
    rows.add(world, "number to bind", "taken", &cost);
    let cost = world.step("", &login, "phone", json!({ "phone": "+12025550102" })).await;
    rows.add(world, "", "accepted", &cost);
    world.step("", &login, "code", json!({})).await;
    let cost = guess(world, &login, &world.code()).await;
    rows.add(world, "verify", "right, and binds", &cost);
}

async fn recovery(world: &World, rows: &mut Rows) {
    world.admin("PATCH", "/security", json!({ "recovery_codes": { "enabled": true } })).await;
    world.advance(3700);
    let login = world.login("ann").await;
    world.step("", &login, "code", json!({})).await;
    let path = format!("/v1/logins/{}/verification", login.id);
    let body = json!({ "code": world.code() });
    let (_, done) = world.call("POST", &path, Some(&login.token), &[], Some(body)).await;
    let access = text(&done, "/tokens/access_token");
    let renew = ("POST", "/v1/me/recovery-codes");
    let (cost, made) = world.measure_as("", renew, Some(&access), &[], None).await;
    rows.add(world, "new recovery codes", "made", &cost);
    let login = world.login("ann").await;
    let body = json!({ "recovery_code": text(&made, "/recovery_codes/0") });
    let cost = world.step("", &login, "verification", body).await;
    rows.add(world, "recovery code", "right", &cost);
    let login = world.login("ann").await;
    let body = json!({ "recovery_code": "0000-0000-0000-0000-0000-0000" });
    let cost = world.step("", &login, "verification", body).await;
    rows.add(world, "", "wrong", &cost);
}

async fn guess(world: &World, login: &Login, code: &str) -> Cost {
    world.step("", login, "verification", json!({ "code": code })).await
}
