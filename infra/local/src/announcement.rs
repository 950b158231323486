//! What it says once it is ready: everything that somebody needs to try the service. It says so on standard output and nowhere else.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The line of `--json`.
#[derive(Clone, Serialize)]
pub struct Announcement {
    pub url: String,
    pub operator_key: String,
    pub demo: Demo,
}

/// The demo tenant with its application and users. Its credentials are shown at every start, so they are kept as they are.
#[derive(Clone, Serialize, Deserialize)]
pub struct Demo {
    pub tenant: String,
    pub admin_key: String,
    pub application: String,
    pub application_secret: String,
    pub users: Vec<DemoUser>,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct DemoUser {
    pub username: String,
    pub password: String,
    /// E.164; `None` for the user who binds a number at login.
    pub phone: Option<String>,
}

impl Announcement {
    /// One line of JSON, for programs. Strings always serialize; an empty object stands in should they ever not.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// Where the demo application's login can be tried in a browser.
    fn experience(&self) -> String {
        let Demo { tenant, application, .. } = &self.demo;
        format!("{}/t/{tenant}/experience/{application}", self.url)
    }
}

impl fmt::Display for Announcement {
    /// For people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Serving on         {}", self.url)?;
        writeln!(f, "Messages           {}/_local/outbox", self.url)?;
        writeln!(f, "Operator key       {}", self.operator_key)?;
        let demo = &self.demo;
        writeln!(f, "\nDemo tenant        {}", demo.tenant)?;
        writeln!(f, "Administrator key  {}", demo.admin_key)?;
        writeln!(f, "Application        {}", demo.application)?;
        writeln!(f, "Its secret         {}", demo.application_secret)?;
        writeln!(f, "Its login page     {}", self.experience())?;
        for user in &demo.users {
            let phone = user.phone.as_deref().unwrap_or("no number yet");
            writeln!(f, "User               {} / {} ({phone})", user.username, user.password)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcement").field("url", &self.url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

impl fmt::Debug for DemoUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoUser").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn announcement() -> Announcement {
        let user = |username: &str, phone: Option<&str>| DemoUser {
            username: username.into(),
            password: "open sesame".into(),
            phone: phone.map(str::to_owned),
        };
        let demo = Demo {
            tenant: "ten_1".into(),
            admin_key: "mfa_admin_1".into(),
            application: "app_1".into(),
            application_secret: "mfa_app_1".into(),
            users: vec![user("bound", Some("+12025550143")), user("unbound", None)],
        };
        Announcement { url: "http://127.0.0.1:9000".into(), operator_key: "mfa_operator_1".into(), demo }
    }

    #[test]
    fn h13_the_line_for_programs_is_the_contract() {
        let line = announcement().json();
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({"url": "http://127.0.0.1:9000", "operator_key": "mfa_operator_1", "demo": {"tenant": "ten_1",
                "admin_key": "mfa_admin_1", "application": "app_1", "application_secret": "mfa_app_1", "users": [
                    {"username": "bound", "password": "open sesame", "phone": "+12025550143"},
                    {"username": "unbound", "password": "open sesame", "phone": null}]}})
        );
    }

    #[test]
    fn people_see_the_same_and_a_log_nothing() {
        let announcement = announcement();
        let text = announcement.to_string();
        for part in [
            "http://127.0.0.1:9000/_local/outbox",
            "http://127.0.0.1:9000/t/ten_1/experience/app_1",
            "mfa_operator_1",
            "mfa_admin_1",
            "mfa_app_1",
            "open sesame",
        ] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains("unbound / open sesame (no number yet)"));
        let debug = format!("{announcement:?} {:?}", announcement.demo);
        assert!(!debug.contains("mfa_") && !debug.contains("sesame"), "{debug}");
    }
}
