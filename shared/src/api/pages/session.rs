//! One hosted login in one browser: tenant and transaction are in the path, everything else is in the transaction's own cookies.

use super::cookies::{self, Kind};
use super::{Said, ShownQr};
use crate::domain::authorization::{AuthorizationRequest, Done, PageRequest, REQUEST_SECONDS};
use crate::domain::ids::{TenantId, TransactionId, base62};
use crate::domain::login::Ticket;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::http::cookies::SetCookie;
use crate::http::{Call, Problem, Reply};
use crate::ports::{Clock, Entropy, Fault, LoginSealer};
use crate::usecase::login_token::LoginTokens;
use crate::usecase::page_tokens::PageTokens;
use http::header;
use serde::de::DeserializeOwned;
use std::cmp::Reverse;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use url::Url;

/// How long a refusal waits for its page, in seconds.
const SAID_SECONDS: u32 = 60;
/// How many hosted logins a browser may have open, and how many bytes their cookies may have when one more begins: the headers that API Gateway
/// lets through have 10,240 bytes in all, and the one that begins has its login token still to come.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const MAX_OPEN: usize = 3;
const MAX_OPEN_BYTES: usize = 6 * 1024;
/// 62^22 is about 2^131.
const CSRF_LENGTH: usize = 22;

/// Opens hosted logins' sessions. Every function that answers a page or a form of one has this.
#[derive(Clone)]
pub struct Pages {
    tokens: PageTokens,
    clock: Arc<dyn Clock>,
    origin: String,
}

/// The fields that every form has.
pub trait PageForm: DeserializeOwned {
    /// What the page put into the form's hidden field `csrf`.
    fn csrf(&self) -> &str;
}

/// A hosted login as its browser shows it.
#[derive(Debug)]
pub struct PageSession {
    pub page: PageRequest,
    /// Its login token, as it came.
    pub login_token: Option<Secret<String>>,
    pub done: Option<Done>,
    /// What the last step refused.
    pub said: Option<Said>,
    /// The token of a trusted device of the same application.
    pub trusted_device: Option<Secret<String>>,
    /// The QR code that the page shows.
    pub qr: Option<ShownQr>,
}

impl Pages {
    /// `base` is the service's public address.
    pub fn new(sealer: Arc<dyn LoginSealer>, clock: Arc<dyn Clock>, base: &str) -> Self {
        // An address that is none has an opaque origin, which no browser sends: every form is refused.
        let origin =
            Url::parse(base).map_or_else(|_| String::new(), |url| url.origin().ascii_serialization());
        Self { tokens: PageTokens::new(sealer), clock, origin }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new hosted login. Its answer sets its cookies, and takes away those of the oldest where a browser has many open.
    pub fn begin(
        &self,
        call: &Call,
        request: AuthorizationRequest,
        entropy: &dyn Entropy,
    ) -> Result<(PageSession, PageAnswer), Problem> {
        let page = PageRequest {
            transaction: TransactionId::generate(|buffer| entropy.fill(buffer)),
            request,
            csrf: Secret::new(base62(CSRF_LENGTH, |buffer| entropy.fill(buffer))),
            expires_at: self.now().plus_secs(REQUEST_SECONDS),
        };
        let mut answer = PageAnswer::new(&page, &self.tokens);
        let sealed = self.tokens.seal_request(&page);
        answer.set(Kind::Request, sealed.expose());
        for old in self.crowded_out(call, sealed.expose().len())? {
            answer.cookies.extend(Kind::ALL.iter().flat_map(|kind| cookies::clear(*kind, &old)));
        }
        let session =
            PageSession { page, login_token: None, done: None, said: None, trusted_device: None, qr: None };
        Ok((session, answer))
    }

    /// The transactions that have to go before one more begins, whose request has `coming` bytes: those that are over, and the oldest.
    fn crowded_out(&self, call: &Call, coming: usize) -> Result<Vec<TransactionId>, Refusal> {
        let mut open: Vec<(i64, TransactionId)> = Vec::new();
        for transaction in cookies::transactions(call)? {
            let text = cookies::read(call, Kind::Request, &transaction)?;
            let page = text.and_then(|text| self.tokens.open_request(&text, self.now()));
            open.push((page.map_or(0, |page| page.expires_at.millis()), transaction));
        }
        open.sort_by_key(|(expires_at, _)| Reverse(*expires_at));
        let (mut keep, mut bytes) = (0, coming);
        for (expires_at, transaction) in open.iter().take(MAX_OPEN - 1) {
            bytes += cookies::length(call, transaction)?;
            if *expires_at == 0 || bytes > MAX_OPEN_BYTES {
                break;
            }
            keep += 1;
        }
        Ok(open.into_iter().skip(keep).map(|(_, transaction)| transaction).collect())
    }

    /// The hosted login that the path names, from this browser's cookies. `None` where it is over or was never this browser's: the page says
    /// so, and [`to_page`](Self::to_page) leads there. It changes nothing and asks for no proof of where the call comes from.
    pub fn open(&self, call: &Call) -> Result<Option<PageSession>, Problem> {
        let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
        let transaction = TransactionId::parse(call.param("txn")).ok_or(Refusal::NotFound)?;
        let now = self.now();
        let Some(sealed) = cookies::read(call, Kind::Request, &transaction)? else { return Ok(None) };
        // One of another transaction or tenant was moved here by hand.
        let page = self.tokens.open_request(&sealed, now);
        let Some(page) =
            page.filter(|page| page.transaction == transaction && page.request.tenant() == tenant)
        else {
            return Ok(None);
        };
        let done = cookies::read(call, Kind::Done, &transaction)?;
        let done = done
            .and_then(|text| self.tokens.open_done(&text, now))
            .filter(|done| done.transaction == transaction && done.application == page.request.application);
        let said = cookies::read(call, Kind::Said, &transaction)?;
        let device = call.cookie(&cookies::device_name(&page.request.application))?;
        let qr = cookies::read(call, Kind::Qr, &transaction)?;
        Ok(Some(PageSession {
            login_token: cookies::read(call, Kind::Login, &transaction)?.map(Secret::new),
            done,
            said: said.and_then(|text| Said::decode(&text)),
            trusted_device: device.map(|text| Secret::new(text.to_owned())),
            qr: qr.and_then(|text| ShownQr::parse(&text)),
            page,
        }))
    }

    /// A form of the hosted login that the path names. 403 for one that no page of ours sent (threat T24); `None` as for
    /// [`open`](Self::open).
    pub fn form<T: PageForm>(&self, call: &Call) -> Result<Option<(PageSession, T)>, Problem> {
        self.require_same_origin(call)?;
        let Some(session) = self.open(call)? else { return Ok(None) };
        let form: T = call.form()?;
        let right = form.csrf().as_bytes().ct_eq(session.page.csrf.expose().as_bytes());
        if bool::from(right) {
            Ok(Some((session, form)))
        } else {
            Err(Refusal::Forbidden("the form is not from this login's page").into())
        }
    }

    /// Whether a page of ours made the call, as far as the browser tells: `Origin` and `Sec-Fetch-Site` are headers that no page can write.
    pub fn require_same_origin(&self, call: &Call) -> Result<(), Refusal> {
        let origin = call.header(header::ORIGIN)?.is_none_or(|origin| origin == self.origin);
        let site = call.header("sec-fetch-site")?.is_none_or(|site| ["same-origin", "none"].contains(&site));
        if origin && site {
            Ok(())
        } else {
            Err(Refusal::Forbidden("the call comes from another site's page"))
        }
    }

    /// An answer to a step of this hosted login.
    pub fn answer(&self, session: &PageSession) -> PageAnswer {
        PageAnswer::new(&session.page, &self.tokens)
    }

    /// 303 to the page of the path's own login, where there is no session to answer with.
    pub fn to_page(&self, call: &Call) -> Result<Reply, Problem> {
        let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
        let transaction = TransactionId::parse(call.param("txn")).ok_or(Refusal::NotFound)?;
        Ok(Reply::see_other(&page_path(&tenant, &transaction))?)
    }
}

impl PageSession {
    /// The ticket of the login in progress. `None` where there is none, or one that this request does not take: of another application, or
    /// not of ours (threat: session fixation).
    pub fn ticket(&self, tokens: &LoginTokens) -> Option<Ticket> {
        let ticket = tokens.open_any(self.login_token.as_ref()?.expose()).ok()?;
        self.page.request.takes(&ticket).then_some(ticket)
    }

    /// The page's own address on our origin.
    pub fn path(&self) -> String {
        page_path(&self.page.request.tenant(), &self.page.transaction)
    }
}

fn page_path(tenant: &TenantId, transaction: &TransactionId) -> String {
    format!("/t/{tenant}/login/{transaction}")
}

/// Collects the cookies of an answer.
pub struct PageAnswer {
    tokens: PageTokens,
    transaction: TransactionId,
    device: String,
    path: String,
    cookies: Vec<SetCookie>,
    because: Option<Problem>,
}

impl PageAnswer {
    fn new(page: &PageRequest, tokens: &PageTokens) -> Self {
        Self {
            tokens: tokens.clone(),
            transaction: page.transaction.clone(),
            device: cookies::device_name(&page.request.application),
            path: page_path(&page.request.tenant(), &page.transaction),
            cookies: Vec::new(),
            because: None,
        }
    }

    fn set(&mut self, kind: Kind, value: &str) {
        let seconds = if kind == Kind::Said { SAID_SECONDS } else { REQUEST_SECONDS };
        match cookies::write(kind, &self.transaction, value, seconds) {
            Some(cookies) => self.cookies.extend(cookies),
            None => {
                self.because = Some(Fault::new("a value of a hosted login is too long for cookies").into())
            }
        }
    }

    fn clear(&mut self, kind: Kind) {
        self.cookies.extend(cookies::clear(kind, &self.transaction));
    }

    /// Keeps the token of a login that has begun; one of before is gone.
    #[must_use]
    pub fn login(mut self, login_token: &Secret<String>) -> Self {
        self.clear(Kind::Done);
        self.set(Kind::Login, login_token.expose());
        self
    }

    /// Keeps the proof that the login is complete. The login token has served.
    #[must_use]
    pub fn done(mut self, done: &Done) -> Self {
        let sealed = self.tokens.seal_done(done);
        self.clear(Kind::Login);
        self.set(Kind::Done, sealed.expose());
        self
    }

    /// Keeps the token of the device that this browser has just become.
    #[must_use]
    pub fn trusted_device(mut self, token: &Secret<String>, days: u16) -> Self {
        let seconds = u32::from(days) * 24 * 60 * 60;
        self.cookies.push(SetCookie::new(self.device.clone(), token.expose().clone(), seconds));
        self
    }

    /// Tells the page why the step did not happen.
    #[must_use]
    pub fn said(mut self, problem: Problem) -> Self {
        self.set(Kind::Said, &Said::of(&problem).encode());
        self.because = Some(problem);
        self
    }

    /// Tells the page why, by a code of the pages' own where the refusal's would say too little.
    #[must_use]
    pub fn said_as(mut self, code: &'static str, problem: Problem) -> Self {
        self.set(Kind::Said, &Said { code: code.to_owned(), ..Said::of(&problem) }.encode());
        self.because = Some(problem);
        self
    }

    /// Tells the page something that is no refusal.
    #[must_use]
    pub fn tells(mut self, code: &'static str) -> Self {
        self.set(Kind::Said, &Said { code: code.to_owned(), rule: None, retry_at: None }.encode());
        self
    }

    /// Keeps the request in the place of the one of before, which it differs from in nothing that matters.
    #[must_use]
    pub fn keep(mut self, page: &PageRequest) -> Self {
        let sealed = self.tokens.seal_request(page);
        self.set(Kind::Request, sealed.expose());
        self
    }

    /// The page shows this QR code from now on.
    #[must_use]
    pub fn shows(mut self, qr: &ShownQr) -> Self {
        self.set(Kind::Qr, qr.text().expose());
        self
    }

    /// The page shows no QR code any more.
    #[must_use]
    pub fn without_qr(mut self) -> Self {
        self.clear(Kind::Qr);
        self
    }

    /// Forgets what was said: the page has shown it.
    #[must_use]
    pub fn unsaid(mut self) -> Self {
        self.clear(Kind::Said);
        self
    }

    /// Forgets the login in progress, so that another may begin for the same request.
    #[must_use]
    pub fn back(mut self) -> Self {
        for kind in [Kind::Login, Kind::Done, Kind::Said, Kind::Qr] {
            self.clear(kind);
        }
        self
    }

    /// Forgets everything of this hosted login: the browser goes back to the application.
    #[must_use]
    pub fn over(mut self) -> Self {
        for kind in Kind::ALL {
            self.clear(kind);
        }
        self
    }

    /// 303 to the page, which shows the step that is next.
    pub fn reply(self) -> Result<Reply, Problem> {
        let reply = Reply::see_other(&self.path)?;
        Ok(self.with(reply))
    }

    /// These cookies on another answer: a page, or a redirect to the application.
    pub fn with(self, reply: Reply) -> Reply {
        let reply = reply.with_cookies(&self.cookies);
        match self.because {
            Some(problem) => reply.because(problem),
            None => reply,
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
