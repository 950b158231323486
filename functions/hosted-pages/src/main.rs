//! Lambda function `hosted-pages`: the pages of hosted logins, and OpenID Connect for the applications that open them.

use shared::api::hosted_pages::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (personal, finishing) = tokio::try_join!(lambda.personal(), lambda.finishing())?;
    let (sealer, signer, access) = (finishing.sealer, finishing.signer, finishing.access);
    let base_url = lambda.base_url()?;
    let app = compose::hosted_pages(&lambda.base, personal, sealer, signer, access, base_url);
    lambda.serve(app, ROUTES).await
}
