//! The proxy counts what comes through and breaks what it is told to.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tests::engine::Engine;
use tests::proxy::{Fault, Gate, Proxy, Tally, operations, tally};
use tests::sdk;
use tests::tables::Tables;

struct World {
    proxy: Proxy,
    client: Client,
    tables: Tables,
    _engine: Engine,
}

impl World {
    async fn new() -> Self {
        let engine = Engine::dynoxide().await;
        let tables = Tables::made_up(&engine).await;
        let proxy = Proxy::start(engine.url()).await;
        let client = sdk::client(&proxy.url());
        Self { proxy, client, tables, _engine: engine }
    }

    fn key() -> HashMap<String, AttributeValue> {
        ["pk", "sk"].map(|name| (name.to_owned(), AttributeValue::S("limit#x".into()))).into()
    }

    async fn add(&self, client: &Client) -> Result<(), String> {
        let request = client.update_item().table_name(&self.tables.logins).set_key(Some(Self::key()));
        let request = request.update_expression("ADD n :one").expression_attribute_values(":one", one());
        let sent = request.send().await;
        sent.map(drop).map_err(|error| error.code().unwrap_or("no answer").to_owned())
    }

    async fn count(&self) -> String {
        let request = self.client.get_item().table_name(&self.tables.logins).set_key(Some(Self::key()));
        let item = request.consistent_read(true).send().await.unwrap().item;
        item.map_or("0".to_owned(), |item| item["n"].as_n().unwrap().clone())
    }

    /// A client that gives up at the first error.
    fn once(&self) -> Client {
        let config = self.client.config().to_builder().retry_config(RetryConfig::disabled());
        Client::from_conf(config.build())
    }
}

fn one() -> AttributeValue {
    AttributeValue::N("1".into())
}

#[tokio::test]
async fn requests_are_counted_with_their_tables_and_bodies() {
    let world = World::new().await;
    world.add(&world.client).await.unwrap();
    assert_eq!(world.count().await, "1");
    let records = world.proxy.take();
    assert_eq!(operations(&records), ["UpdateItem", "GetItem"]);
    assert_eq!(tally(&records), Tally { reads: 1, writes: 1 });
    assert_eq!(records[0].tables, [world.tables.logins.as_str()]);
    assert_eq!(records[0].body["UpdateExpression"], "ADD n :one");
    assert_eq!(records[1].answer["Item"]["n"]["N"], "1");
    assert_eq!(records.map_statuses(), [Some(200), Some(200)]);
    assert!(world.proxy.take().is_empty());
}

trait Statuses {
    fn map_statuses(&self) -> Vec<Option<u16>>;
}

impl Statuses for Vec<tests::proxy::Record> {
    fn map_statuses(&self) -> Vec<Option<u16>> {
        self.iter().map(|record| record.status).collect()
    }
}

#[tokio::test]
async fn a_lost_answer_is_done_and_the_sdk_asks_again() {
    let world = World::new().await;
    world.proxy.fail_next("UpdateItem", Fault::LostAnswer);
    world.add(&world.client).await.unwrap();
    let records = world.proxy.take();
    assert_eq!(records.map_statuses(), [None, Some(200)]);
    assert_eq!(world.count().await, "2", "both attempts reached the engine");
}

/// The SDK takes it for final; the service's client doesn't (`shared/src/config/conflicts.rs`).
#[tokio::test]
async fn h2_a_single_write_that_met_a_transaction_is_made_again() {
    let world = World::new().await;
    world.proxy.fail_next("UpdateItem", Fault::TransactionConflict);
    world.add(&world.client).await.unwrap();
    assert_eq!(world.proxy.take().map_statuses(), [Some(400), Some(200)]);
}

#[tokio::test]
async fn without_retries_each_fault_shows() {
    let world = World::new().await;
    let once = world.once();
    for (fault, error) in [
        (Fault::Throttled, "ThrottlingException"),
        (Fault::InternalError, "InternalServerError"),
        (Fault::TransactionConflict, "TransactionConflictException"),
        (Fault::LostRequest, "no answer"),
    ] {
        world.proxy.fail_next("UpdateItem", fault);
        assert_eq!(world.add(&once).await, Err(error.to_owned()));
    }
    assert_eq!(world.proxy.take().len(), 4, "the proxy repeats nothing");
    assert_eq!(world.count().await, "0");
    world.proxy.fail_when(|record| (record.operation == "UpdateItem").then_some(Fault::Throttled));
    assert!(world.add(&world.client).await.is_err());
    assert_eq!(world.proxy.take().len(), 1 + 3, "the read above, and all of the client's attempts");
    world.proxy.heal();
    world.add(&world.client).await.unwrap();
}

#[tokio::test]
async fn a_transaction_is_cancelled_by_a_conflict() {
    let world = World::new().await;
    world.proxy.fail_next("TransactWriteItems", Fault::TransactionConflict);
    let update = Update::builder().table_name(&world.tables.logins).set_key(Some(World::key()));
    let update = update.update_expression("ADD n :one").expression_attribute_values(":one", one()).build();
    let actions = TransactWriteItem::builder().update(update.unwrap()).build();
    let client = world.once();
    let error = client.transact_write_items().transact_items(actions).send().await.unwrap_err();
    let SdkError::ServiceError(context) = error else { panic!("{error:?}") };
    let reasons = match context.into_err() {
        aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
            cancelled,
        ) => cancelled.cancellation_reasons.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(reasons[0].code.as_deref(), Some("TransactionConflict"));
}

#[tokio::test]
async fn a_gate_holds_a_request_while_others_pass() {
    let world = World::new().await;
    let gate = Gate::new();
    world.proxy.fail_next("UpdateItem", Fault::Held(gate.clone()));
    let held = world.add(&world.client);
    let meanwhile = async {
        gate.arrival().await;
        assert_eq!(world.count().await, "0");
        world.add(&world.client).await.unwrap();
        assert_eq!(world.count().await, "1");
        gate.open();
    };
    let (held, ()) = tokio::join!(held, meanwhile);
    held.unwrap();
    assert_eq!(world.count().await, "2");
    world.proxy.fail_next("GetItem", Fault::Delayed(Duration::from_millis(200)));
    let started = Instant::now();
    world.count().await;
    assert!(started.elapsed() >= Duration::from_millis(200));
}
