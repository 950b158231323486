//! `local`: how it is started, and its tenants and users.

use crate::Failed;
use crate::connection::{Connection, text};
use crate::login::{Tenant, User, number};
use crate::server::{Server, free_port, pinned};
use serde_json::{Value, json};
use std::path::Path;

/// More than any load here asks for. Every limit counts as it always does; only where it would refuse is moved, since all logins of a
/// benchmark come from one application within minutes. What one number and one user may have stays at its default.
const MANY: u32 = 100_000_000;

/// Starts it on a folder. The line it answers says how to use it.
pub async fn start(program: &Path, data: &Path, sink: &str) -> Result<(Server, Value), Failed> {
    let port = free_port()?;
    let mut command = pinned(&program.to_string_lossy());
    command.args(["--json", "--port", &port.to_string(), "--messages-to", sink, "--data"]).arg(data);
    let (server, line) = Server::start_with_line(command, port).await?;
    Ok((server, serde_json::from_str(&line)?))
}

/// Whoever makes tenants and users.
pub struct Operator {
    http: Connection,
    key: String,
}

/// A tenant as its administrator has it.
pub struct Administered {
    path: String,
    key: String,
    pub tenant: Tenant,
}

impl Administered {
    pub fn id(&self) -> &str {
        self.path.trim_start_matches("/v1/tenants/")
    }
}

impl Operator {
    pub fn of(server: &Server, line: &Value) -> Result<Self, Failed> {
        let key = format!("Bearer {}", text(line, "/operator_key")?);
        Ok(Self { http: Connection::to(&server.address), key })
    }

    pub async fn tenant(&mut self) -> Result<Administered, Failed> {
        let body = json!({ "name": "Load", "home_country": "US" });
        let made =
            self.http.post("/v1/tenants", Some(("authorization", &self.key)), &body).await?.expect(201)?;
        let path = format!("/v1/tenants/{}", text(&made, "/id")?);
        let key = format!("Bearer {}", text(&made, "/admin_key/secret")?);
        let limits = json!({
            "per_range_hour": MANY, "per_country_day": MANY, "per_application_day": MANY, "per_tenant_day": MANY,
            "budget_usd_day": 100_000,
        });
        let body = json!({ "mfa": { "sms": { "enabled": true } }, "limits": limits });
        let admin = Some(("authorization", key.as_str()));
        self.http.send("PATCH", &format!("{path}/security"), admin, &body).await?.expect(200)?;
        let body = json!({ "name": "Shop" });
        let made = self.http.post(&format!("{path}/applications"), admin, &body).await?.expect(201)?;
        let secret = format!("Bearer {}", text(&made, "/secret/secret")?);
        let tenant = Tenant { application: text(&made, "/id")?, secret };
        Ok(Administered { path, key, tenant })
    }

    /// Makes the n-th user, with its number, in a tenant.
    pub async fn user(&mut self, at: usize, tenant: usize, of: &Administered) -> Result<User, Failed> {
        let number = number(at);
        let body = json!({ "username": format!("user{at}"), "phone": number });
        let admin = Some(("authorization", of.key.as_str()));
        let made = self.http.post(&format!("{}/users", of.path), admin, &body).await?.expect(201)?;
        Ok(User { id: text(&made, "/id")?, number, tenant })
    }
}
