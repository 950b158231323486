//! The two tables as data, for the engines that start empty. In AWS the deployment template makes them, and a test compares the two.

use super::{fault, keys};
use crate::ports::Fault;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::describe_table::DescribeTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};
use std::time::Duration;

/// A table's shape. Keys are strings in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableDefinition {
    pub partition_key: &'static str,
    pub sort_key: &'static str,
    /// The attribute by which the engine tidies up, in epoch seconds.
    pub ttl: Option<&'static str>,
}

/// Tenants, applications, sources, keys, users, owners of identifiers, audit. Nothing in it goes away by itself.
pub const DIRECTORY: TableDefinition =
    TableDefinition { partition_key: keys::PK, sort_key: keys::SK, ttl: None };

/// Each user's factor and challenges, limits.
pub const LOGINS: TableDefinition =
    TableDefinition { partition_key: keys::PK, sort_key: keys::SK, ttl: Some(keys::TTL) };

/// How often a table is asked whether it is ready, and how often at most: half a minute, which only DynamoDB itself may need.
const POLL: Duration = Duration::from_millis(100);
const POLLS: u32 = 300;

/// Creates the tables that are not there and leaves the others as they are. Several processes may do so at once.
pub async fn create_missing(client: &Client, directory: &str, logins: &str) -> Result<(), Fault> {
    for (name, definition) in [(directory, DIRECTORY), (logins, LOGINS)] {
        if status(client, name).await?.is_none() {
            create(client, name, definition).await?;
        }
        wait_until_active(client, name).await?;
        if let Some(attribute) = definition.ttl {
            enable_ttl(client, name, attribute).await?;
        }
    }
    Ok(())
}

/// `None` if there is no such table.
async fn status(client: &Client, name: &str) -> Result<Option<TableStatus>, Fault> {
    match client.describe_table().table_name(name).send().await {
        Ok(answer) => Ok(answer.table.and_then(|table| table.table_status)),
        Err(error) => match error.as_service_error() {
            Some(DescribeTableError::ResourceNotFoundException(_)) => Ok(None),
            _ => Err(fault(error)),
        },
    }
}

async fn create(client: &Client, name: &str, definition: TableDefinition) -> Result<(), Fault> {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, key_type) in
        [(definition.partition_key, KeyType::Hash), (definition.sort_key, KeyType::Range)]
    {
        let key = KeySchemaElement::builder()
            .attribute_name(attribute)
            .key_type(key_type)
            .build()
            .map_err(Fault::new)?;
        let attribute = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(Fault::new)?;
        request = request.key_schema(key).attribute_definitions(attribute);
    }
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            // Somebody else was quicker.
            Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
            _ => Err(fault(error)),
        },
    }
}

async fn wait_until_active(client: &Client, name: &str) -> Result<(), Fault> {
    for _ in 0..POLLS {
        if status(client, name).await? == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(Fault::new(format!("table {name} does not become active")))
}

async fn enable_ttl(client: &Client, name: &str, attribute: &str) -> Result<(), Fault> {
    let answer = client.describe_time_to_live().table_name(name).send().await.map_err(fault)?;
    let status = answer.time_to_live_description.and_then(|ttl| ttl.time_to_live_status);
    if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(attribute)
        .build()
        .map_err(Fault::new)?;
    match client.update_time_to_live().table_name(name).time_to_live_specification(specification).send().await
    {
        Ok(_) => Ok(()),
        // Somebody else was quicker.
        Err(error) if error.message().is_some_and(|text| text.contains("already enabled")) => Ok(()),
        Err(error) => Err(fault(error)),
    }
}
