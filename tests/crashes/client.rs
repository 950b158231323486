//! Who signs in: a new user each time, who binds a number that somebody else wants too.

use crate::Dice;
use crate::book::{Book, Completed};
use crate::program::Tenant;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tests::http_client::{Answer, Call, HttpClient};
use tests::local::code_in;

pub struct Visitor {
    http: HttpClient,
    tenant: Arc<Tenant>,
    book: Arc<Mutex<Book>>,
    dice: Dice,
}

/// Nobody answers: the program is gone.
struct Gone;

impl Visitor {
    pub fn new(http: HttpClient, tenant: Arc<Tenant>, book: Arc<Mutex<Book>>, dice: Dice) -> Self {
        Self { http, tenant, book, dice }
    }

    pub async fn comes_until_nobody_answers(mut self) {
        while self.signs_in().await.is_ok() {}
    }

    /// One login after the other, and what is left without an answer is left: its process is gone, and another takes the next call.
    pub async fn comes_until(mut self, closed: Arc<AtomicBool>) {
        while !closed.load(Ordering::Relaxed) {
            if self.signs_in().await.is_err() {
                self.book.lock().unwrap().unanswered += 1;
            }
        }
    }

    async fn send(&self, call: Call) -> Result<Answer, Gone> {
        let answer = self.http.try_send(call).await.map_err(|_| Gone)?;
        assert!(answer.status < 500 || answer.status == 503, "{} {}", answer.status, answer.text());
        self.book.lock().unwrap().answers += 1;
        // A program that ends may answer 503: its engine is gone before it is. (A function that is killed may not: it has none.)
        if answer.status == 503 { Err(Gone) } else { Ok(answer) }
    }

    async fn signs_in(&mut self) -> Result<(), Gone> {
        let (name, number) = self.book.lock().unwrap().next();
        let body = json!({ "username": name });
        let call = Call::post(&format!("{}/users", self.tenant.path), &body).bearer(&self.tenant.admin);
        let user = self.send(call).await?.expect(201)["id"].as_str().unwrap().to_owned();
        self.book.lock().unwrap().users.insert(user.clone(), number.clone());
        let body = json!({ "application": self.tenant.application, "assertion": { "user": user } });
        let started =
            self.send(Call::post("/v1/logins", &body).bearer(&self.tenant.secret)).await?.expect(200);
        let login = started["login"]["id"].as_str().unwrap().to_owned();
        let token = started["login_token"].as_str().unwrap().to_owned();
        let step =
            |step: &str, body: Value| Call::post(&format!("/v1/logins/{login}/{step}"), &body).bearer(&token);
        let named = self.send(step("phone", json!({ "phone": number }))).await?;
        if named.status != 200 {
            named.refused(409, "phone_taken");
            return Ok(());
        }
        let sent = self.send(step("code", json!({}))).await;
        let Ok(sent) = sent else {
            self.book.lock().unwrap().unanswered_sends += 1;
            return Err(Gone);
        };
        if sent.status != 200 {
            // The other one who wants the number has just been sent a code: one number, one wait.
            assert_eq!(sent.status, 429, "{}", sent.text());
            self.book.lock().unwrap().refused_sends += 1;
            return Ok(());
        }
        self.book.lock().unwrap().sent.insert(login.clone(), user.clone());
        let Some(code) = self.code_to(&number).await? else { return Ok(()) };
        for _ in 0..self.dice.below(3) {
            let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
            let answer = self.send(step("verification", json!({ "code": wrong }))).await?;
            answer.refused(401, "wrong_code");
            *self.book.lock().unwrap().wrong.entry(user.clone()).or_default() += 1;
        }
        let done = self.send(step("verification", json!({ "code": code }))).await?;
        if done.status != 200 {
            done.refused(409, "phone_taken");
            return Ok(());
        }
        let tokens = done.expect(200)["tokens"].is_object();
        assert!(tokens);
        self.book.lock().unwrap().completed.push(Completed { user, number, login });
        Ok(())
    }

    async fn code_to(&self, number: &str) -> Result<Option<String>, Gone> {
        let outbox =
            self.send(Call::get("/_local/outbox").header("accept", "application/json")).await?.expect(200);
        let messages = outbox.as_array().unwrap().iter().rev();
        let message =
            messages.filter(|message| message["to"] == number).find_map(|message| message["body"].as_str());
        Ok(message.map(code_in))
    }
}
