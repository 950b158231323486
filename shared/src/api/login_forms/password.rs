//! `POST /t/{tenant}/login/{txn}/password`: the first factor of a hosted login.

use super::form;
use crate::api::sign_in::{MAX_INPUT, SignInApp};
use crate::domain::authorization::Done;
use crate::domain::login::Proof;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply};
use crate::usecase::sign_in::{Begun, Caller, FirstFactorProof, Start};

form!(PasswordForm { account: String, password: String });

pub async fn submit(app: &SignInApp, call: Call) -> Result<Reply, Problem> {
    let Some((session, form)) = app.pages.form::<PasswordForm>(&call)? else {
        return app.pages.to_page(&call);
    };
    let answer = app.pages.answer(&session);
    if form.account.len().max(form.password.len()) > MAX_INPUT {
        let refusal = Refusal::InvalidRequest("account or password is too long".into());
        return answer.said(refusal.into()).reply();
    }
    let start = Start {
        application: session.page.request.application.as_str(),
        caller: Caller::Page,
        trusted_device: session.trusted_device.as_ref(),
        provenance: call.provenance(),
    };
    let proof = FirstFactorProof::Password {
        account: form.account.trim().to_owned(),
        password: Secret::new(form.password),
    };
    match app.sign_in.start(&start, proof, &|_| {}).await {
        Ok(Begun::Challenge { login_token, .. }) => answer.login(&login_token).reply(),
        Ok(Begun::Done { ticket, second, .. }) => {
            let proof = Proof { first: ticket.first, second };
            let transaction = session.page.transaction.clone();
            answer.done(&Done::new(transaction, &ticket, proof, app.pages.now())).reply()
        }
        Err(failed) => answer.said(failed.into()).reply(),
    }
}
