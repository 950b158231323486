//! Lambda function `hosted-pages`: the pages of hosted logins, and OpenID Connect for the applications that open them.

use shared::api::hosted_pages::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let sealer = lambda.sealer().await?;
    let app = compose::hosted_pages(&lambda.base, sealer, lambda.base_url()?);
    lambda.serve(app, ROUTES).await
}
