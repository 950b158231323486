//! What a refusal says to people: a title for the kind of refusal and a detail for the developer who has to act on it. Programs
//! read the code; these texts may change.
//!
//! Nothing in here depends on whether an account, a number or a password exists beyond what the code already says.

use crate::domain::refusal::Refusal;
use std::borrow::Cow;

/// The title, constant for each code.
pub(super) const fn title(refusal: &Refusal) -> &'static str {
    use Refusal::*;
    match refusal {
        Unauthenticated => "No valid credential",
        Forbidden(_) => "Not allowed",
        NotFound => "Not found",
        MethodNotAllowed { .. } => "Method not allowed",
        TooLarge { .. } => "Body too large",
        UnsupportedMediaType => "Body of another media type",
        InvalidRequest(_) => "Invalid request",
        SecurityNotCustomized => "The application follows its tenant's security rules",
        Duplicate { .. } => "Already taken",
        Conflict => "Changed by somebody else",
        NotPossible(_) => "Not possible as things are",
        PhoneTaken => "Phone number already bound",
        InvalidPhone(_) => "Invalid phone number",
        InvalidTemplate(_) => "The text can't be a message",
        FirstFactorFailed | IdTokenRefused(_) => "Sign-in failed",
        WrongCode => "Wrong code",
        CodeExpired => "Code expired",
        CodeAlreadyUsed => "Code already used",
        NoCodeSent => "No code sent yet",
        PhoneRequired => "No phone number yet",
        TooManyAttempts { .. } => "Too many attempts",
        ResendTooSoon { .. } => "Too soon for another message",
        TooManySends { .. } => "Too many messages",
        RateLimited { .. } => "Limit reached",
        CountryNotAllowed => "Country not allowed",
        NumberTypeNotAllowed => "Kind of number not allowed",
        SendingDisabled { .. } => "Sending is switched off",
        SelfBindingDisabled => "Binding is left to the administrator",
        FactorDisabled => "Factor disabled",
        LoginExpired => "Login expired",
        LoginComplete => "Login complete",
        QrLoginExpired => "QR code expired",
        QrLoginNotApproved => "QR code not approved",
        DeliveryFailed => "Message not sent",
        StepUpRequired => "Another proof is needed",
        IdempotencyMismatch => "Idempotency key used for something else",
    }
}

/// What is wrong in this case and what helps.
pub(super) fn detail(refusal: &Refusal) -> Cow<'static, str> {
    use Refusal::*;
    let text = match refusal {
        Unauthenticated => {
            "Send a live credential of the right kind for this call as `Authorization: Bearer …`."
        }
        Forbidden(why) | NotPossible(why) | InvalidPhone(why) | IdTokenRefused(why) => why,
        NotFound => "There is nothing at this address that the credential gives access to.",
        MethodNotAllowed { allow } => return format!("This address answers {allow}.").into(),
        TooLarge { limit_bytes } => {
            return format!("A body may have {limit_bytes} bytes at most.").into();
        }
        UnsupportedMediaType => {
            "Send the body as `Content-Type: application/json`, or a form as `application/x-www-form-urlencoded`, once."
        }
        InvalidRequest(why) => return why.clone().into(),
        InvalidTemplate(findings) => findings.first().map_or("", |finding| finding.kind.detail()),
        SecurityNotCustomized => {
            "Turn on `customize_security` for the application; then it has security rules of its own."
        }
        Duplicate { field } => {
            return format!("Another user of this tenant has the same {field}.").into();
        }
        Conflict => {
            "Several calls changed the same thing at the same time. Read it again and repeat the call."
        }
        PhoneTaken => "Another user of this tenant is bound to this number. Use another number.",
        FirstFactorFailed => {
            "The account does not exist, or what was sent does not prove it. Both look the same on purpose."
        }
        WrongCode => "The code is not the one of this login. `attempts_left` says how many guesses remain.",
        CodeExpired => "The code is no longer valid. Have a new one sent.",
        CodeAlreadyUsed => "This code has completed a login before. Start a new login.",
        NoCodeSent => "Have a code sent first.",
        PhoneRequired => "The user has no number yet. Send one to the login's `/phone` first.",
        TooManyAttempts { .. } => {
            "This login is blocked after too many wrong codes. Start a new login; `Retry-After` says when it can help."
        }
        ResendTooSoon { .. } => "A message left a moment ago. Wait until `resend_at`.",
        TooManySends { .. } => "This login has used up its messages. Start a new login after `Retry-After`.",
        RateLimited { rule, .. } => {
            return format!("The limit `{rule}` is used up. Try again after `Retry-After` seconds.").into();
        }
        CountryNotAllowed => {
            "The tenant's settings do not allow numbers of this country (`countries.allow`)."
        }
        NumberTypeNotAllowed => {
            "Codes are sent to mobile numbers; not to premium, shared cost, pager or internet numbers."
        }
        SendingDisabled { .. } => "Messages are switched off for this tenant (`sending.enabled`).",
        SelfBindingDisabled => "Users cannot bind a number themselves here: ask an administrator to bind it.",
        FactorDisabled => "Too many failures: an administrator has to bind the number again.",
        LoginExpired => "The login's time is over. Start a new login.",
        LoginComplete => "This login has already been completed. Start a new login.",
        QrLoginExpired => "The QR code's time is over, or it has been used. Ask for a new one.",
        QrLoginNotApproved => {
            "Nobody has approved this QR code, or somebody has rejected it: its status says which."
        }
        DeliveryFailed => {
            "The provider did not take the message. It counts as sent: try again at `resend_at`."
        }
        StepUpRequired => {
            "It takes a newer proof: sign in again with the code. A bound number is replaced with a code sent to it, with a recovery code, or by an \
             administrator."
        }
        IdempotencyMismatch => {
            "This `Idempotency-Key` came with another body before. Use a new key for a new request."
        }
    };
    Cow::Borrowed(text)
}
