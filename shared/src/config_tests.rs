use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_missing_variable_is_named() {
    let tables = environment(&[("DIRECTORY_TABLE", "d"), ("LOGINS_TABLE", "")]).tables();
    assert_eq!(tables.unwrap_err().to_string(), "the environment variable LOGINS_TABLE is not set");
    let aws = environment(&[("AWS_REGION", "eu-central-1")]).aws();
    assert_eq!(aws.unwrap_err().to_string(), "the environment variable AWS_ACCESS_KEY_ID is not set");
}

#[test]
fn the_base_url_is_https_or_on_this_machine() {
    let base = |url: &str| environment(&[("BASE_URL", url)]).base_url().ok();
    assert_eq!(base("https://mfa.example.com/").as_deref(), Some("https://mfa.example.com"));
    assert_eq!(base("http://127.0.0.1:9000").as_deref(), Some("http://127.0.0.1:9000"));
    for bad in
        ["http://mfa.example.com", "http://localhost.example.com", "https://", "https://a?b", "mfa", ""]
    {
        assert_eq!(base(bad), None, "{bad}");
    }
}

#[test]
fn what_sns_would_refuse_is_found_at_start() {
    assert_eq!(environment(&[("SMS_SENDER_ID", "")]).sms().unwrap(), SnsOptions::default());
    let options = environment(&[("SMS_SENDER_ID", "Example1"), ("SMS_MAX_PRICE_USD", "0.20")]).sms().unwrap();
    assert_eq!(options.sender_id.as_deref(), Some("Example1"));
    for (name, bad) in [
        ("SMS_SENDER_ID", "twelve-chars"),
        ("SMS_SENDER_ID", "LongerThan11"),
        ("SMS_MAX_PRICE_USD", "free"),
        ("SMS_MAX_PRICE_USD", "NaN"),
        ("SMS_MAX_PRICE_USD", "-1"),
    ] {
        assert!(environment(&[(name, bad)]).sms().is_err(), "{name} {bad}");
    }
}

#[test]
fn f2b_issuers_are_public_unless_the_deployment_says_otherwise() {
    let addresses = |value: &str| environment(&[("ALLOW_PRIVATE_ISSUERS", value)]).issuer_addresses().ok();
    assert_eq!(environment(&[]).issuer_addresses().ok(), Some(IssuerAddresses::Public));
    assert_eq!(addresses("false"), Some(IssuerAddresses::Public));
    assert_eq!(addresses("true"), Some(IssuerAddresses::Any));
    assert_eq!(addresses("yes"), None);
}

#[test]
fn h14_an_environment_does_not_print_its_values() {
    let environment = environment(&[("SECRET_SIGNING", "canary")]);
    assert!(!format!("{environment:?}").contains("canary"));
}

#[tokio::test]
async fn a_secret_comes_from_its_own_variable_or_its_arn() {
    let credentials = [("AWS_REGION", "r"), ("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let mut variables = credentials.to_vec();
    variables.push(("SECRET_CODE_PEPPER", "{}"));
    let environment = environment(&variables);
    let aws = environment.aws().unwrap();
    assert_eq!(environment.secret(&aws, SecretName::CodePepper).await.unwrap().expose(), "{}");
    let missing = environment.secret(&aws, SecretName::PersonalData).await.unwrap_err();
    assert_eq!(missing.to_string(), "the environment variable SECRET_PERSONAL_DATA_ARN is not set");
}

/// Reads the secret from a socket that gives this answer to the first request.
async fn secret_from(status: u16, body: &'static str) -> Result<Secret<String>, ConfigError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let answer = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        // The rest of the request is waited for, so that the connection ends in good order.
        let _ = stream.read(&mut [0; 4096]).await;
    });
    let environment = environment(&[
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "k"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &url),
        ("SECRET_SIGNING_ARN", "arn:aws:secretsmanager:eu-central-1:123456789012:secret:signing"),
    ]);
    environment.secret(&environment.aws().unwrap(), SecretName::Signing).await
}

#[tokio::test]
async fn a_secret_is_read_from_secrets_manager() {
    let secret = secret_from(200, r#"{"Name":"signing","SecretString":"{\"current\":\"a\"}"}"#).await;
    assert_eq!(secret.unwrap().expose(), r#"{"current":"a"}"#);
    let denied = secret_from(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#).await;
    assert_eq!(denied.unwrap_err().to_string(), "the secret signing can't be read: AccessDeniedException");
    let binary = secret_from(200, r#"{"Name":"signing","SecretBinary":"AAA="}"#).await;
    assert_eq!(binary.unwrap_err().to_string(), "the secret signing can't be read: it holds no text");
}

#[test]
fn the_real_adapters_work() {
    assert!(SystemClock.now() > Timestamp::from_secs(1_700_000_000));
    let entropy: &dyn Entropy = &OsEntropy;
    assert_ne!(entropy.bytes::<32>(), entropy.bytes::<32>());
}
