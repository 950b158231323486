//! Lambda function `notifications`: tells users, at the number that was bound, that something about their second factor has changed.

use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let sender = lambda.sms()?;
    let personal = lambda.personal().await?;
    let app = compose::notifications(&lambda.base, personal, sender);
    lambda.serve_stream(app).await
}
