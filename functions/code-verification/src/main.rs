//! Lambda function `code-verification`: judges guesses and finishes logins.

use shared::api::code_verification::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (codes, recovery, sealer, signer) =
        tokio::try_join!(lambda.codes(), lambda.recovery(), lambda.sealer(), lambda.signer())?;
    let app = compose::code_verification(&lambda.base, codes, recovery, sealer, signer, &lambda.base_url()?);
    lambda.serve(app, ROUTES).await
}
