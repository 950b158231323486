//! Lambda function `audit-trail`: keeps in the audit what changes of the logins table tell.

use shared::bootstrap::Lambda;
use shared::compose;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    let lambda = Lambda::start()?;
    let app = compose::audit_trail(&lambda.base);
    lambda.serve_stream(app).await
}
