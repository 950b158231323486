//! `POST /t/{tenant}/login/{txn}/verification`: the code of the message, or a recovery code.

use super::{Step, form, open};
use crate::api::code_verification::{CodeVerificationApp, is_code};
use crate::api::pages::PageAnswer;
use crate::domain::authorization::Done;
use crate::domain::login::{Proof, SecondFactor, Ticket};
use crate::domain::phone::half_width;
use crate::domain::recovery::RecoveryCode;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::http::{Call, Problem, Reply};
use crate::usecase::LoginFailure;
use crate::usecase::verify_code::Verified;

form!(VerificationForm {
    code: Option<String>,
    recovery_code: Option<String>,
    trust_device: Option<String>,
});

/// What the page says where the refusal's own code would say too little: of which of the two codes it speaks, and that neither is one.
const CODE_MALFORMED: &str = "code_malformed";
const RECOVERY_CODE_MALFORMED: &str = "recovery_code_malformed";
const WRONG_RECOVERY_CODE: &str = "wrong_recovery_code";

pub async fn submit(app: &CodeVerificationApp, call: Call) -> Result<Reply, Problem> {
    let Step { session, ticket, form, answer } =
        match open::<VerificationForm>(&app.pages, &app.tokens, &call)? {
            Ok(step) => step,
            Err(reply) => return Ok(reply),
        };
    let days = ticket.trusted_devices.days;
    let given = Given::read(&ticket, &form);
    let (second, verified) = match given {
        Ok(Given::Code(code)) => {
            (SecondFactor::Sms, app.verify.verify(ticket, &code, &call.provenance()).await)
        }
        Ok(Given::Recovery(code)) => {
            (SecondFactor::RecoveryCode, app.recover.take(ticket, &code, &call.provenance()).await)
        }
        Err((says, refusal)) => {
            let failed = app.verify.refuse(ticket, refusal).await;
            return answer.said_as(says, failed.into()).reply();
        }
    };
    let verified = match verified {
        Ok(verified) => verified,
        Err(failed) => return refused(answer, second, failed).reply(),
    };
    let device = match form.trust_device {
        Some(_) => app.trust.trust(&verified, &call.provenance()).await,
        None => None,
    };
    let Verified { state, recovery_codes, .. } = verified;
    let proof = Proof { first: state.ticket.first, second: Some(second) };
    let done = Done::new(session.page.transaction.clone(), &state.ticket, proof, state.now)
        .with_recovery_codes(recovery_codes.unwrap_or_default());
    let answer = answer.done(&done);
    match device {
        Some(device) => answer.trusted_device(&device.token, days).reply(),
        None => answer.reply(),
    }
}

fn refused(answer: PageAnswer, second: SecondFactor, failed: LoginFailure) -> PageAnswer {
    let problem = Problem::from(failed);
    if second == SecondFactor::RecoveryCode && problem.code() == Refusal::WrongCode.code() {
        answer.said_as(WRONG_RECOVERY_CODE, problem)
    } else {
        answer.said(problem)
    }
}

enum Given {
    Code(Secret<String>),
    Recovery(RecoveryCode),
}

impl Given {
    /// What can't be a code costs no attempt. People copy codes with the spaces that they see in them.
    fn read(ticket: &Ticket, form: &VerificationForm) -> Result<Self, (&'static str, Refusal)> {
        match (&form.code, &form.recovery_code) {
            (Some(text), None) => {
                let code: String =
                    text.chars().filter(|c| !c.is_whitespace() && *c != '-').map(half_width).collect();
                let length = ticket.code.length;
                if is_code(&code, length) {
                    return Ok(Self::Code(Secret::new(code)));
                }
                let why = format!("code takes exactly {length} ASCII digits");
                Err((CODE_MALFORMED, Refusal::InvalidRequest(why)))
            }
            (None, Some(text)) => RecoveryCode::parse(text).map(Self::Recovery).ok_or_else(|| {
                let why = "recovery_code takes 24 letters and digits";
                (RECOVERY_CODE_MALFORMED, Refusal::InvalidRequest(why.into()))
            }),
            _ => {
                let why = "exactly one of code and recovery_code is needed";
                Err((CODE_MALFORMED, Refusal::InvalidRequest(why.into())))
            }
        }
    }
}
