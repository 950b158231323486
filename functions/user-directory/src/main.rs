//! Lambda function `user-directory`: the users of a tenant and their numbers.

use shared::api::user_directory::ROUTES;
use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let (operators, personal) = tokio::try_join!(lambda.operator(), lambda.personal())?;
    let operators = operators.hashes().to_vec();
    let app =
        compose::user_directory(&lambda.base, operators, lambda.own_origin()?, lambda.passwords()?, personal);
    lambda.serve(app, ROUTES).await
}
