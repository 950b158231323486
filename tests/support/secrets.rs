//! A deployment's secrets: first values, by the program that makes them for operators, and where each of them is.

use serde_json::Value;
use shared::auth::SigningKeys;
use shared::config::{OsEntropy, SecretName};

/// Where a secret is.
pub fn arn(name: SecretName) -> String {
    format!("arn:aws:secretsmanager:us-east-1:123456789012:secret:{}-AbCdEf", name.as_str())
}

/// The operator's key, and every secret's first value, which admits it.
pub fn first_values() -> (String, Vec<(SecretName, Value)>) {
    let signing = keys::new(SecretName::Signing, &OsEntropy).unwrap().value;
    let public = SigningKeys::parse(&signing).unwrap().public_keys().jwks();
    let operator = keys::new(SecretName::Operator, &OsEntropy).unwrap();
    let value = |name| match name {
        SecretName::Signing => signing.clone(),
        SecretName::PublicKeys => public.clone(),
        SecretName::Operator => operator.value.clone(),
        other => keys::new(other, &OsEntropy).unwrap().value,
    };
    let values = SecretName::ALL.into_iter().map(|name| (name, value(name))).collect();
    (operator.operator_key.unwrap(), values)
}
