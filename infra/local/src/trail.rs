//! In the place of the stream: hands on what the service's own writes have left in the logins table, for the audit.
//!
//! The embedded engine's streams slow every write down the longer they get (from 7 ms to 55 ms within 8,000 records), so the SDK's client is
//! watched instead: an update says what its item has become, and of a transaction the keys are taken that count a refusal. What a crash
//! leaves untold, the items tell at the next start; told twice, an event is kept once.

use crate::data::DataFolder;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::ReturnValue;
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use shared::dynamodb::keys::{self, Key};
use shared::dynamodb::{DynamoStore, Item, fault};
use shared::ports::Fault;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// How often a change is tried, and the wait before the next try.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// The file that says whether the last process ended with everything told.
const ALL_TOLD: &str = "audit.json";

/// What was written.
enum Written {
    Image(Item),
    Keys(Vec<Key>),
    /// Nothing more comes.
    End,
}

/// The task that keeps events. Dropped, it stops at once.
pub struct Trail {
    changes: UnboundedSender<Written>,
    task: JoinHandle<()>,
    data: Arc<DataFolder>,
}

impl Trail {
    /// Starts with what a process that did not end well has left. `plain` is a store whose writes nobody watches.
    pub fn start(plain: DynamoStore, data: Arc<DataFolder>) -> Self {
        let (changes, received) = unbounded_channel();
        let all_told = data.load(ALL_TOLD).ok().flatten().unwrap_or(false);
        save(&data, false);
        let task = tokio::spawn(async move {
            if !all_told && let Err(fault) = tell_all(&plain).await {
                tracing::warn!(%fault, "the audit may lack what happened before the last end");
            }
            keep(&plain, received).await;
        });
        Self { changes, task, data }
    }

    /// The same client, watched.
    pub fn watch(&self, client: &Client) -> Client {
        let watcher = Watcher(self.changes.clone());
        Client::from_conf(client.config().to_builder().interceptor(watcher).build())
    }

    /// Keeps what has been written so far, and ends.
    pub async fn stop(mut self) {
        if self.changes.send(Written::End).is_ok() && (&mut self.task).await.is_ok() {
            save(&self.data, true);
        }
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn save(data: &DataFolder, all_told: bool) {
    if let Err(error) = data.save(ALL_TOLD, &all_told) {
        tracing::warn!(%error, "the next start may tell the audit again what it has, or not what it lacks");
    }
}

/// Tells of every item what it still knows.
async fn tell_all(store: &DynamoStore) -> Result<(), Fault> {
    let scan = store.client().scan().table_name(store.logins()).consistent_read(true);
    let tells = "attribute_exists(judged) OR attribute_exists(last_failure) OR attribute_exists(refusals) \
                 OR attribute_exists(decision)";
    let mut items = scan.filter_expression(tells).into_paginator().items().send();
    while let Some(item) = items.next().await {
        store.keep_told(None, &item.map_err(fault)?).await?;
    }
    Ok(())
}

async fn keep(store: &DynamoStore, mut received: UnboundedReceiver<Written>) {
    while let Some(written) = received.recv().await {
        if matches!(written, Written::End) {
            return;
        }
        for attempt in 1..=TRIES {
            match keep_one(store, &written).await {
                Ok(()) => break,
                Err(fault) if attempt == TRIES => tracing::error!(%fault, "a change is missing in the audit"),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

async fn keep_one(store: &DynamoStore, written: &Written) -> Result<(), Fault> {
    match written {
        Written::Image(item) => store.keep_told(None, item).await,
        Written::Keys(keys) => {
            for key in keys {
                let get = store.client().get_item().table_name(store.logins()).consistent_read(true);
                let found = get.set_key(Some(key.attributes())).send().await.map_err(fault)?;
                if let Some(item) = found.item {
                    store.keep_told(None, &item).await?;
                }
            }
            Ok(())
        }
        Written::End => Ok(()),
    }
}

/// Sees what the client writes.
#[derive(Debug)]
struct Watcher(UnboundedSender<Written>);

/// The keys of a request's transaction that are worth reading after it.
#[derive(Debug)]
struct Keys(Vec<Key>);

impl Storable for Keys {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Watcher {
    fn name(&self) -> &'static str {
        "Watcher"
    }

    /// An update that wants no answer is asked for one.
    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(update) = context.input_mut().downcast_mut::<UpdateItemInput>() {
            update.return_values.get_or_insert(ReturnValue::AllNew);
        } else if let Some(transaction) = context.input().downcast_ref::<TransactWriteItemsInput>() {
            let updates = transaction.transact_items().iter().filter_map(|action| action.update());
            let keys: Vec<_> = updates.filter_map(|update| Key::of(update.key())).collect();
            let keys = keys.into_iter().filter(keys::is_refusals).collect();
            bag.interceptor_state().store_put(Keys(keys));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Ok(output)) = context.output_or_error() else { return Ok(()) };
        if let Some(output) = output.downcast_ref::<UpdateItemOutput>() {
            if let Some(item) = output.attributes() {
                let _ = self.0.send(Written::Image(item.clone()));
            }
        } else if let Some(Keys(keys)) = bag.load::<Keys>()
            && !keys.is_empty()
        {
            let _ = self.0.send(Written::Keys(keys.clone()));
        }
        Ok(())
    }
}
