use super::*;

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

#[test]
fn the_real_adapters_work() {
    assert!(SystemClock.now() > Timestamp::from_secs(1_700_000_000));
    let entropy: &dyn Entropy = &OsEntropy;
    assert_ne!(entropy.bytes::<32>(), entropy.bytes::<32>());
}
