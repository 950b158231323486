//! Lambda function `hosted-pages`: the pages of hosted logins, and OpenID Connect for the applications that open them.

use shared::api::hosted_pages::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (personal, sealer, (signer, access)) =
        tokio::try_join!(lambda.personal(), lambda.sealer(), lambda.signer_and_access())?;
    let base_url = lambda.base_url()?;
    let app = compose::hosted_pages(&lambda.base, personal, sealer, signer, access, base_url);
    lambda.serve(app, ROUTES).await
}
