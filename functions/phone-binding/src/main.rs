//! Lambda function `phone-binding`: the number that an unbound user wants to bind, and what users do about their second factor.

use shared::api::phone_binding::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (personal, sealer, access, recovery) =
        tokio::try_join!(lambda.personal(), lambda.sealer(), lambda.access_tokens(), lambda.recovery())?;
    let base_url = lambda.base_url()?;
    let app = compose::phone_binding(&lambda.base, personal, sealer, access, recovery, &base_url);
    lambda.serve(app, ROUTES).await
}
