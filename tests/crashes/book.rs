//! What clients were told, and whether it is so.

use crate::program::Tenant;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use tests::http_client::{Call, HttpClient};

#[derive(Clone, Debug)]
pub struct Completed {
    pub user: String,
    pub number: String,
    pub login: String,
}

#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The number that each user wanted.
    pub users: BTreeMap<String, String>,
    /// Whose login was sent a code.
    pub sent: BTreeMap<String, String>,
    pub completed: Vec<Completed>,
    /// Wrong guesses that were answered, by user.
    pub wrong: BTreeMap<String, u64>,
    /// Sends that a limit refused: they are counted as those are that leave.
    pub refused_sends: u64,
    /// Sends that were asked for, and had no answer.
    pub unanswered_sends: u64,
    /// All answers that anybody has had.
    pub answers: u64,
    /// Calls that had none, with all that was left of their logins.
    pub unanswered: u64,
    count: usize,
}

impl fmt::Display for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong: u64 = self.wrong.values().sum();
        let (users, sent, completed) = (self.users.len(), self.sent.len(), self.completed.len());
        write!(
            f,
            "{} answers, {} calls without one, {users} users, {sent} codes, {wrong} wrong guesses, {completed} completed logins",
            self.answers, self.unanswered
        )
    }
}

impl Book {
    /// A new user's name, and a number that two of them want.
    pub fn next(&mut self) -> (String, String) {
        let (index, pair) = (self.count, self.count / 2);
        self.count += 1;
        (format!("visitor-{index}"), format!("+1202{}{:04}", 220 + pair % 80, pair / 80))
    }

    /// How many sends there have to be at least, and at most.
    pub fn sends(&self) -> (u64, u64) {
        let answered = self.sent.len() as u64 + self.refused_sends;
        (answered, answered + self.unanswered_sends)
    }

    pub fn heard_of_sends(&self) -> String {
        let (least, most) = self.sends();
        format!("{least} answered, {} without an answer", most - least)
    }

    pub async fn assert_on_record(&self, http: &HttpClient, tenant: &Tenant) {
        let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for user in self.users.keys() {
            let shown = get(http, tenant, &format!("/users/{user}")).await;
            if let Some(number) = shown["phone"].as_str() {
                assert_eq!(self.users[user], number, "a number that nobody asked for");
                owners.entry(number.to_owned()).or_default().push(user.clone());
            }
            let heard = self.wrong.get(user).copied().unwrap_or(0);
            let failures = shown["failed_codes"].as_u64().unwrap();
            // A bind clears them, also one whose answer was lost.
            assert!(
                failures >= heard || shown["phone"].is_string(),
                "{user}: {failures} of {heard} failures"
            );
            // And no more than the one guess that had no answer.
            assert!(failures <= heard + 1, "{user}: {failures} failures, and heard of {heard}");
            if shown["phone"].is_string() {
                assert_eq!(failures, 0, "{user}: bound, and failures stay");
            }
        }
        for (number, owners) in &owners {
            assert_eq!(owners.len(), 1, "{number} has two owners");
            let found = get(http, tenant, &format!("/users?phone={}", number.replace('+', "%2B"))).await;
            assert_eq!(found["items"][0]["id"], owners[0].as_str(), "{number}: its owner is not found by it");
        }
        for Completed { user, number, login } in &self.completed {
            assert_eq!(
                owners.get(number),
                Some(&vec![user.clone()]),
                "{user} was told that {number} is bound"
            );
            let challenge = self.challenge(http, tenant, user, login).await;
            assert_eq!(challenge["state"], "complete", "{login}: {challenge}");
            let heard = self.wrong.get(user).copied().unwrap_or(0);
            assert_eq!(challenge["attempts"], heard + 1, "{login}: {challenge}");
        }
        for (login, user) in &self.sent {
            let challenge = self.challenge(http, tenant, user, login).await;
            assert_eq!(challenge["sends"], 1, "{login}: {challenge}");
        }
    }

    async fn challenge(&self, http: &HttpClient, tenant: &Tenant, user: &str, login: &str) -> Value {
        let all = get(http, tenant, &format!("/users/{user}/challenges")).await;
        let found = all["items"].as_array().unwrap().iter().find(|challenge| challenge["login"] == login);
        found.unwrap_or_else(|| panic!("{login} is gone: {all}")).clone()
    }
}

async fn get(http: &HttpClient, tenant: &Tenant, path: &str) -> Value {
    http.send(Call::get(&format!("{}{path}", tenant.path)).bearer(&tenant.admin)).await.expect(200)
}
