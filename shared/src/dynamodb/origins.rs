//! Browser origins, as the applications' items list them.

use super::{DynamoStore, fault, keys, string};
use crate::domain::ids::ApplicationId;
use crate::ports::{ApplicationOrigins, Fault, OriginDirectory};
use async_trait::async_trait;

/// An origin is a scheme, a host of 253 bytes at most and a port: anything longer is not one, and costs no read.
const MAX_LENGTH: usize = 300;

/// The form that an origin has in a key: scheme and host are case-insensitive (RFC 6454 §4). `None` for what can't be one.
pub fn normal_origin(origin: &str) -> Option<String> {
    let plausible = origin.len() <= MAX_LENGTH && origin.is_ascii() && origin.contains("://");
    plausible.then(|| origin.to_ascii_lowercase())
}

#[async_trait]
impl OriginDirectory for DynamoStore {
    async fn origin_is_known(&self, origin: &str) -> Result<bool, Fault> {
        let Some(origin) = normal_origin(origin) else { return Ok(false) };
        let found = self
            .client()
            .query()
            .table_name(self.directory())
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", string(keys::origin_partition(&origin)))
            .projection_expression(keys::SK)
            .limit(1)
            .consistent_read(true)
            .send()
            .await
            .map_err(fault)?;
        Ok(found.count() > 0)
    }
}

#[async_trait]
impl ApplicationOrigins for DynamoStore {
    async fn application_has_origin(&self, application: &ApplicationId, origin: &str) -> Result<bool, Fault> {
        let Some(origin) = normal_origin(origin) else { return Ok(false) };
        let key = keys::origin(&origin, application).attributes();
        let request = self.client().get_item().table_name(self.directory()).set_key(Some(key));
        let answer = request.projection_expression(keys::SK).consistent_read(true).send().await;
        Ok(answer.map_err(fault)?.item.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_spelling() {
        assert_eq!(normal_origin("https://Shop.Example:8443").as_deref(), Some("https://shop.example:8443"));
        for bad in ["null", "", "https://ü.example", &format!("https://{}", "a".repeat(300))] {
            assert_eq!(normal_origin(bad), None, "{bad}");
        }
    }
}
