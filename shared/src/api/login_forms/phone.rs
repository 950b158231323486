//! `POST /t/{tenant}/login/{txn}/phone`: the number to bind, as its owner writes it at home.

use super::{Step, form, open};
use crate::api::phone_binding::PhoneBindingApp;
use crate::domain::phone::PhoneNumber;
use crate::http::{Call, Problem, Reply};

form!(PhoneForm { country: String, phone: String });

pub async fn submit(app: &PhoneBindingApp, call: Call) -> Result<Reply, Problem> {
    let Step { ticket, form, answer, .. } = match open::<PhoneForm>(&app.pages, &app.tokens, &call)? {
        Ok(step) => step,
        Err(reply) => return Ok(reply),
    };
    let asked = match PhoneNumber::parse_in(&form.country, &form.phone) {
        Ok(phone) => app.ask.ask(ticket, phone.e164()).await,
        Err(refusal) => Err(app.ask.refuse(ticket, refusal).await),
    };
    match asked {
        Ok(_) => answer.reply(),
        Err(failed) => answer.said(failed.into()).reply(),
    }
}
