//! Lambda function `code-verification`: judges guesses and finishes logins.

use shared::api::code_verification::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (codes, recovery, finishing) =
        tokio::try_join!(lambda.codes(), lambda.recovery(), lambda.finishing())?;
    let (sealer, signer) = (finishing.sealer, finishing.signer);
    let app = compose::code_verification(&lambda.base, codes, recovery, sealer, signer, &lambda.base_url()?);
    lambda.serve(app, ROUTES).await
}
