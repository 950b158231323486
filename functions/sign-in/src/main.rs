//! Lambda function `sign-in`: first factors, QR logins, a look at a login, public keys, and browsers' preflight requests.

use shared::api::sign_in::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (personal, finishing) = tokio::try_join!(lambda.personal(), lambda.finishing())?;
    let (sealer, signer, access) = (finishing.sealer, finishing.signer, finishing.access);
    let (passwords, id_tokens) = (lambda.passwords()?, lambda.id_tokens()?);
    let base_url = lambda.base_url()?;
    let app =
        compose::sign_in(&lambda.base, passwords, id_tokens, personal, sealer, signer, access, &base_url);
    lambda.serve_with_preflight(app, ROUTES).await
}
