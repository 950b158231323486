//! Lambda function `policy-admin`: tenants, applications, sources, keys and settings.

use shared::api::policy_admin::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let operators = lambda.operator().await?;
    let app = compose::policy_admin(&lambda.base, operators.hashes().to_vec(), lambda.own_origin()?);
    lambda.serve(app, ROUTES).await
}
