//! A browser without script, as far as a hosted login needs one: cookies, plain forms, redirects on our own origin.

use crate::world::World;
use std::collections::BTreeMap;
use tests::hosted::{CHALLENGE, Jar, encode, form};
use tests::http_client::{Answer, Call};
use tests::local::Local;

pub const CALLBACK: &str = "https://shop.example/callback";

/// One browser at one page.
pub struct Browser<'a> {
    local: &'a Local,
    pub jar: Jar,
    /// Sent with every call, as browsers send it.
    pub language: &'static str,
    /// Path and query of the page.
    pub at: String,
    pub page: Answer,
    /// Where the last redirect left our origin to.
    pub left: Option<String>,
}

impl<'a> Browser<'a> {
    pub fn new(local: &'a Local) -> Self {
        let page = Answer::new(0, http::HeaderMap::new(), bytes::Bytes::new());
        Self { local, jar: Jar::default(), language: "en", at: String::new(), page, left: None }
    }

    /// At the login page of the world's application, which takes hosted logins from now on.
    pub async fn at_login(world: &'a World) -> Self {
        let path = format!("/applications/{}", world.application);
        let patch = serde_json::json!({ "redirect_uris": [CALLBACK] });
        world.admin("PATCH", &path, Some(&patch)).await.expect(200);
        let mut browser = Self::new(&world.local);
        browser.ask(world, &world.application, &[]).await;
        browser
    }

    /// Sends an authorization request, with some more parameters.
    pub async fn ask(&mut self, world: &World, application: &str, more: &[(&str, &str)]) {
        let mut fields = vec![
            ("client_id", application),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "s 1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        fields.extend(more);
        self.go(&format!("/t/{}/authorize?{}", world.tenant, encode(&fields))).await;
    }

    /// Opens an address of ours.
    pub async fn go(&mut self, target: &str) {
        let call = Call::get(target).header("sec-fetch-site", "none");
        self.follow(call, target).await;
    }

    /// Loads the page again.
    pub async fn reload(&mut self) {
        let at = self.at.clone();
        self.go(&at).await;
    }

    /// Sends a form of the page, filled in, with its hidden fields.
    pub async fn submit(&mut self, to: &str, fields: &[(&str, &str)]) {
        let html = self.page.text();
        let (action, mut filled) = form_of(&html, to);
        filled.extend(fields.iter().map(|(name, value)| (name.to_string(), value.to_string())));
        let fields: Vec<_> = filled.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let origin = self.local.url().to_owned();
        let call = form(&action, &fields).header("origin", &origin).header("sec-fetch-site", "same-origin");
        self.follow(call, &action).await;
    }

    /// One call with the browser's cookies, which keeps what the answer sets.
    pub async fn send(&mut self, call: Call) -> Answer {
        let answer = self.local.send(self.jar.on(call.header("accept-language", self.language))).await;
        self.jar.keep(&answer);
        answer
    }

    async fn follow(&mut self, call: Call, target: &str) {
        self.left = None;
        self.at = target.to_owned();
        self.page = self.send(call).await;
        for _ in 0..10 {
            if self.page.status != 303 {
                return;
            }
            let location = self.page.header("location").expect("a redirect leads somewhere").to_owned();
            let own = location.strip_prefix(self.local.url()).unwrap_or(&location);
            if !own.starts_with('/') {
                self.left = Some(location);
                return;
            }
            self.at = own.to_owned();
            self.page = self.send(Call::get(own)).await;
        }
        panic!("too many redirects, the last to {}", self.at);
    }

    pub fn html(&self) -> String {
        self.page.text()
    }

    /// Whether the page is at a step, told by its heading.
    #[track_caller]
    pub fn shows(&self, heading: &str) {
        let html = self.html();
        assert!(html.contains(&format!("<h1 id=\"title\">{heading}</h1>")), "no {heading:?} in {html}");
    }

    #[track_caller]
    pub fn says(&self, sentence: &str) {
        let html = self.html();
        assert!(html.contains(sentence), "no {sentence:?} in {html}");
    }

    /// Where the browser has gone to, with the parameters that it took there.
    #[track_caller]
    pub fn left_with(&self, name: &str) -> String {
        let left = self.left.as_deref().unwrap_or_else(|| panic!("still at {}: {}", self.at, self.html()));
        assert!(left.starts_with(CALLBACK), "{left}");
        tests::hosted::parameter(left, name).unwrap_or_else(|| panic!("no {name} in {left}"))
    }

    /// A hidden field of the page.
    pub fn hidden(&self, name: &str) -> String {
        let html = self.html();
        let start = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
        let found = html.split_once(&start).and_then(|(_, rest)| rest.split_once('"'));
        found.unwrap_or_else(|| panic!("no hidden {name} in {html}")).0.to_owned()
    }

    /// Signs in up to the second factor.
    pub async fn password(&mut self, account: &str, password: &str) {
        self.submit("password", &[("account", account), ("password", password)]).await;
    }

    pub async fn code(&mut self, code: &str) {
        self.submit("verification", &[("code", code)]).await;
    }
}

/// The address of the page's first form that leads to `to`, and its hidden fields.
fn form_of(html: &str, to: &str) -> (String, BTreeMap<String, String>) {
    let form = html
        .split("<form ")
        .skip(1)
        .find(|form| attribute(form, "action").is_some_and(|action| action.ends_with(&format!("/{to}"))))
        .unwrap_or_else(|| panic!("no form to {to} in {html}"));
    let form = form.split("</form>").next().unwrap();
    assert_eq!(attribute(form, "method").as_deref(), Some("post"));
    let hidden = form.split("<input ").skip(1).filter(|field| field.starts_with("type=\"hidden\""));
    let fields = hidden.map(|field| (attribute(field, "name").unwrap(), attribute(field, "value").unwrap()));
    (attribute(form, "action").unwrap(), fields.collect())
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!("{name}=\""))?;
    // As it is escaped where it is more than a path of ours that is known to need none.
    Some(rest.split_once('"')?.0.replace("&#x2f;", "/"))
}
