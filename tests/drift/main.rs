//! What time and age do to a login: functions whose clocks differ, items that DynamoDB deletes too early, too late or in the middle, and
//! items that have an attribute more or less than they should. Each has an answer, and none lets anybody in.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod clocks;
mod flows;
mod flows_clocks;
mod flows_items;
mod flows_ttl;
mod items;
mod ttl;
#[path = "../budgets/world.rs"]
#[allow(dead_code, reason = "another suite's, which uses all of it")]
mod world;

use serde_json::{Value, json};
use tests::sdk;
use tests::values::text;
use world::{Login, World};

pub const NUMBER: &str = "+12025550101";

impl World {
    /// A login that a back end starts.
    pub async fn asserted(&self, user: &str) -> Login {
        let body = json!({ "application": self.application, "assertion": { "user": user } });
        let (status, answer) = self.call("POST", "/v1/logins", Some(&self.secret), &[], Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        Login { id: text(&answer, "/login/id"), token: text(&answer, "/login_token") }
    }

    /// A step of a login: status and code, or what it answers.
    pub async fn does(&self, login: &Login, step: &str, body: Value) -> (u16, Value) {
        let path = format!("/v1/logins/{}/{step}", login.id);
        self.call("POST", &path, Some(&login.token), &[], Some(body)).await
    }

    pub async fn sends(&self, login: &Login) {
        let (status, answer) = self.does(login, "code", json!({})).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// The code of the last message is given.
    pub async fn gives_code(&self, login: &Login) -> (u16, Value) {
        self.does(login, "verification", json!({ "code": self.code() })).await
    }

    /// A client of the test's own, past the proxy.
    pub fn engine_client(&self) -> aws_sdk_dynamodb::Client {
        sdk::client(self.engine.url())
    }
}

/// What a problem says.
pub fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or(""))
}
