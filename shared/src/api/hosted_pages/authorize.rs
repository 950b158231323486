//! `/t/{tenant}/authorize` (OpenID Connect Core 1.0 §3.1.2.1): by GET, or by a form.

use super::{HostedPagesApp, finish};
use super::{PageError, error_page};
use crate::domain::authorization::{PARAMETERS, Parameters, Unsound};
use crate::domain::ids::TenantId;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::usecase::authorize::Judged;

pub(super) async fn get(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let asked = call.query_parameters(&PARAMETERS);
    begin(app, &call, asked).await
}

/// What stands in the address of a form's call is not looked at.
pub(super) async fn post(app: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let asked = call.form_parameters(&PARAMETERS);
    begin(app, &call, asked).await
}

async fn begin(
    app: &HostedPagesApp,
    call: &Call,
    asked: Result<Parameters, Refusal>,
) -> Result<Reply, Problem> {
    let tenant = TenantId::parse(call.param("tenant")).ok_or(Refusal::NotFound)?;
    let Ok(asked) = asked else { return Ok(error_page(call, PageError::Unsound(Unsound::Malformed))) };
    match app.authorize.judge(&tenant, &asked).await? {
        Judged::Begin(request) => app.pages.begin(call, request, &*app.entropy)?.1.reply(),
        Judged::Back(location) => finish::leave(call, &location),
        Judged::Unsound(unsound) => Ok(error_page(call, PageError::Unsound(unsound))),
    }
}
