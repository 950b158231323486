//! Lambda function `code-issuance`: sends codes.

use shared::api::code_issuance::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start_to_send()?;
    let sender = lambda.sms()?;
    let (codes, personal, sealer) = tokio::try_join!(lambda.codes(), lambda.personal(), lambda.sealer())?;
    let base_url = lambda.base_url()?;
    let app = compose::code_issuance(&lambda.base, codes, personal, sealer, sender, &base_url);
    lambda.serve(app, ROUTES).await
}
