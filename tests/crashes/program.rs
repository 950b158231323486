//! The program under test.

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tests::http_client::{Call, HttpClient};
use tests::process::Process;
use tests::repository;

/// A running `local`, on files that stay.
pub struct Program {
    process: Process,
    ready: Value,
}

/// What visitors need to know.
#[derive(Debug)]
pub struct Tenant {
    pub path: String,
    pub admin: String,
    pub application: String,
    pub secret: String,
}

impl Program {
    pub async fn start(data: &Path) -> Self {
        let mut command = Command::new(repository::program("debug", "local"));
        command.args(["--json", "--port", "0", "--data"]).arg(data);
        let mut process = Process::spawn(&mut command);
        let line = process.line(Duration::from_secs(60)).await;
        let line = line.unwrap_or_else(|| panic!("local is not ready:\n{}", process.log().text()));
        Self { ready: serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}")), process }
    }

    pub fn http(&self) -> HttpClient {
        HttpClient::new(self.url())
    }

    pub fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub async fn tenant(&self) -> Tenant {
        Tenant::make(&self.http(), self.ready["operator_key"].as_str().unwrap()).await
    }
}

impl Tenant {
    /// A tenant whose limits are out of the way.
    pub async fn make(http: &HttpClient, operator: &str) -> Self {
        let body = json!({ "name": "Crash", "home_country": "US" });
        let made = http.send(Call::post("/v1/tenants", &body).bearer(operator)).await.expect(201);
        let path = format!("/v1/tenants/{}", made["id"].as_str().unwrap());
        let admin = made["admin_key"]["secret"].as_str().unwrap().to_owned();
        let many = 1_000_000;
        let limits = json!({
            "per_range_hour": many, "per_country_day": many, "per_application_day": many,
            "per_tenant_day": many, "budget_usd_day": 100_000,
        });
        let body = json!({ "mfa": { "sms": { "enabled": true } }, "limits": limits });
        let patch = Call::new("PATCH", &format!("{path}/security")).json(&body).bearer(&admin);
        http.send(patch).await.expect(200);
        let body = json!({ "name": "Shop" });
        let made =
            http.send(Call::post(&format!("{path}/applications"), &body).bearer(&admin)).await.expect(201);
        Self {
            path,
            admin,
            application: made["id"].as_str().unwrap().to_owned(),
            secret: made["secret"]["secret"].as_str().unwrap().to_owned(),
        }
    }
}
