//! Lambda function `secrets-setup`: CloudFormation calls it at a deployment; it gives a first value to each secret that has none.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    shared::setup::run().await
}
