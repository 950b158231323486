//! `/v1/tenants/{tenant}/users`
//!
//! An administrator sees numbers and addresses in full: they are the tenant's own data. A password, or what is kept of it, is in no answer.

use super::paging::{self, PageBody};
use super::user_directory::UserDirectory;
use crate::domain::change::Change;
use crate::domain::identifier::{Account, EMAIL, Email, PHONE, USERNAME, Username};
use crate::domain::ids::UserId;
use crate::domain::phone::PhoneNumber;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::user::{Locale, new_password};
use crate::http::{Call, Problem, Reply};
use crate::ports::Page;
use crate::usecase::authenticate::{ReadUsers, WriteUsers};
use crate::usecase::users::{NewUser, OpenedUser, UserPatch};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUserBody {
    username: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    password: Option<String>,
    locale: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserPatchBody {
    #[serde(default)]
    username: Change<String>,
    #[serde(default)]
    email: Change<String>,
    #[serde(default)]
    password: Change<String>,
    #[serde(default)]
    locale: Change<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhoneBody {
    phone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    limit: Option<u16>,
    cursor: Option<String>,
    username: Option<String>,
    email: Option<String>,
    phone: Option<String>,
}

#[derive(Serialize)]
struct UserBody {
    id: String,
    username: Option<String>,
    /// E.164, in full.
    phone: Option<String>,
    /// `null` while none is bound.
    phone_bound_at: Option<String>,
    email: Option<String>,
    locale: Option<String>,
    has_password: bool,
    /// Wrong codes in a row over all logins: at 100 the user gets no more until a number is bound anew.
    failed_codes: u32,
    created_at: String,
}

impl From<&OpenedUser> for UserBody {
    fn from(user: &OpenedUser) -> Self {
        Self {
            id: user.id.as_str().to_owned(),
            username: user.username.clone(),
            phone: user.phone.as_ref().map(|phone| phone.e164.clone()),
            phone_bound_at: user.phone.as_ref().map(|phone| phone.bound_at.rfc3339()),
            email: user.email.clone(),
            locale: user.locale.as_ref().map(|locale| locale.as_str().to_owned()),
            has_password: user.has_password,
            failed_codes: user.failures,
            created_at: user.created_at.rfc3339(),
        }
    }
}

/// The user that the path names. What is no id at all names nobody either.
pub(super) fn in_path(call: &Call) -> Result<UserId, Refusal> {
    UserId::parse(call.param("user")).ok_or(Refusal::NotFound)
}

pub(super) async fn create(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    let body: NewUserBody = call.json()?;
    let new = NewUser {
        username: body.username.as_deref().map(Username::parse).transpose()?,
        email: body.email.as_deref().map(Email::parse).transpose()?,
        phone: body.phone.as_deref().map(PhoneNumber::parse).transpose()?,
        password: body.password.map(|text| new_password(&Secret::new(text))).transpose()?,
        locale: body.locale.as_deref().map(Locale::parse).transpose()?,
    };
    let user = app.users.create(&allowed, new).await?;
    Ok(Reply::created(&UserBody::from(&user)))
}

/// A page of users or, by exact `username`, `email` or `phone`, the one that has it.
pub(super) async fn list(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let query: ListQuery = call.query()?;
    let filters = [(USERNAME, query.username), (EMAIL, query.email), (PHONE, query.phone)];
    let mut filters = filters.into_iter().filter_map(|(kind, text)| Some((kind, text?)));
    let Some((kind, text)) = filters.next() else {
        let page = app.users.list(&allowed, &paging::request(query.limit, query.cursor)?).await?;
        return Ok(Reply::ok(&PageBody::<UserBody>::of(page)));
    };
    if filters.next().is_some() || query.cursor.is_some() {
        let what = "only one of username, email and phone, and no cursor with it";
        return Err(Refusal::InvalidRequest(what.into()).into());
    }
    let account = Account::parse(&text).filter(|account| account.kind() == kind);
    let found = match account {
        Some(account) => app.users.by_account(&allowed, &account).await?,
        None => None,
    };
    Ok(Reply::ok(&PageBody::<UserBody>::of(Page { items: found.into_iter().collect(), next: None })))
}

pub(super) async fn get(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<ReadUsers>(&call).await?;
    let user = app.users.read(&allowed, &in_path(&call)?).await?;
    Ok(Reply::ok(&UserBody::from(&user)))
}

pub(super) async fn update(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    let id = in_path(&call)?;
    let body: UserPatchBody = call.json()?;
    let patch = UserPatch {
        username: parsed(body.username, |text| Username::parse(&text))?,
        email: parsed(body.email, |text| Email::parse(&text))?,
        password: parsed(body.password, |text| new_password(&Secret::new(text)))?,
        locale: parsed(body.locale, |text| Locale::parse(&text))?,
    };
    let user = app.users.change(&allowed, &id, patch).await?;
    Ok(Reply::ok(&UserBody::from(&user)))
}

pub(super) async fn delete(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    app.users.delete(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}

pub(super) async fn bind_phone(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    let id = in_path(&call)?;
    let body: PhoneBody = call.json()?;
    let user = app.bindings.bind(&allowed, &id, &PhoneNumber::parse(&body.phone)?).await?;
    Ok(Reply::ok(&UserBody::from(&user)))
}

pub(super) async fn unbind_phone(app: &UserDirectory, call: Call) -> Result<Reply, Problem> {
    let allowed = app.allow::<WriteUsers>(&call).await?;
    app.bindings.unbind(&allowed, &in_path(&call)?).await?;
    Ok(Reply::no_content())
}

fn parsed<T>(
    change: Change<String>,
    parse: impl FnOnce(String) -> Result<T, Refusal>,
) -> Result<Change<T>, Refusal> {
    Ok(match change {
        Change::Keep => Change::Keep,
        Change::Restore => Change::Restore,
        Change::Set(text) => Change::Set(parse(text)?),
    })
}
