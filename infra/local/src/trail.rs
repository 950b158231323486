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
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often a change is tried, and the wait before the next try.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);

/// How many changes may be untold before nothing new is worked on: the engine does one thing after the other, and where many ask, the audit
/// gets few of its turns.
const MOST_UNTOLD: usize = 2000;

/// What an item has of which it tells the audit.
const TELLING: [&str; 4] = ["judged", "last_failure", "refusals", "decision"];

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
    changes: Changes,
    task: JoinHandle<()>,
    data: Arc<DataFolder>,
}

/// The way of the changes to the task, and how many are on it.
#[derive(Clone, Debug)]
struct Changes {
    queue: UnboundedSender<Written>,
    untold: watch::Sender<usize>,
}

impl Changes {
    /// False if the task has ended.
    fn add(&self, written: Written) -> bool {
        // Counted first: the task may be done with it before this goes on.
        self.untold.send_modify(|untold| *untold += 1);
        let taken = self.queue.send(written).is_ok();
        if !taken {
            self.untold.send_modify(|untold| *untold -= 1);
        }
        taken
    }
}

/// How far the audit is behind.
pub struct Arrears(watch::Receiver<usize>);

impl Arrears {
    #[cfg(test)]
    pub fn none() -> Self {
        Self(watch::Sender::new(0).subscribe())
    }

    /// Waits until no more is untold than may be.
    pub async fn are_few(&self) {
        // An error says that the trail is gone: then nothing is told any more, and there is nothing to wait for.
        let _ = self.0.clone().wait_for(|untold| *untold <= MOST_UNTOLD).await;
    }
}

impl Trail {
    /// Starts with what a process that did not end well has left. `plain` is a store whose writes nobody watches.
    pub fn start(plain: DynamoStore, data: Arc<DataFolder>) -> Self {
        let (queue, received) = unbounded_channel();
        let changes = Changes { queue, untold: watch::Sender::new(0) };
        let untold = changes.untold.clone();
        let all_told = data.load(ALL_TOLD).ok().flatten().unwrap_or(false);
        save(&data, false);
        let task = tokio::spawn(async move {
            if !all_told && let Err(fault) = tell_all(&plain).await {
                tracing::warn!(%fault, "the audit may lack what happened before the last end");
            }
            keep(&plain, received, &untold).await;
        });
        Self { changes, task, data }
    }

    /// The same client, watched.
    pub fn watch(&self, client: &Client) -> Client {
        let watcher = Watcher(self.changes.clone());
        Client::from_conf(client.config().to_builder().interceptor(watcher).build())
    }

    /// What to look at before anything new is worked on.
    pub fn arrears(&self) -> Arrears {
        Arrears(self.changes.untold.subscribe())
    }

    /// Keeps what has been written so far, and ends.
    pub async fn stop(mut self) {
        if self.changes.add(Written::End) && (&mut self.task).await.is_ok() {
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
    let tells = TELLING.map(|name| format!("attribute_exists({name})")).join(" OR ");
    let mut items = scan.filter_expression(tells).into_paginator().items().send();
    while let Some(item) = items.next().await {
        store.keep_told(None, &item.map_err(fault)?).await?;
    }
    Ok(())
}

async fn keep(store: &DynamoStore, mut received: UnboundedReceiver<Written>, untold: &watch::Sender<usize>) {
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
        untold.send_modify(|untold| *untold -= 1);
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
struct Watcher(Changes);

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
            let tells = |item: &&Item| TELLING.iter().any(|name| item.contains_key(*name));
            if let Some(item) = output.attributes().filter(tells) {
                self.0.add(Written::Image(item.clone()));
            }
        } else if let Some(Keys(keys)) = bag.load::<Keys>()
            && !keys.is_empty()
        {
            self.0.add(Written::Keys(keys.clone()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::TestFolder;
    use crate::{Local, Options};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn t31_nothing_new_is_worked_on_while_too_much_is_untold() {
        let folder = TestFolder::new();
        let options = Options { port: 0, data: folder.0.clone(), dynamodb: None, messages_to: None };
        let local = Local::start(options).await.unwrap();
        let untold = &local.trail.changes.untold;
        untold.send_modify(|untold| *untold += MOST_UNTOLD + 1);
        let host = local.announcement.url.trim_start_matches("http://");
        let mut client = TcpStream::connect(host).await.unwrap();
        let call = format!("GET /_local/outbox HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
        client.write_all(call.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let waits =
            tokio::time::timeout(Duration::from_millis(200), client.read_to_string(&mut answer)).await;
        assert!(waits.is_err(), "{answer}");
        untold.send_modify(|untold| *untold -= MOST_UNTOLD + 1);
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        local.stop().await;
    }

    #[tokio::test]
    async fn h13_what_is_told_is_not_counted_any_more_nor_what_nobody_takes() {
        let folder = TestFolder::new();
        let data = Arc::new(DataFolder::open(&folder.0).unwrap());
        let engine = crate::Engine::start(&folder.0.join("engine.sqlite")).unwrap();
        let trail = Trail::start(DynamoStore::new(engine.client(), "directory", "logins"), data);
        let changes = trail.changes.clone();
        for _ in 0..=MOST_UNTOLD {
            assert!(changes.add(Written::Keys(Vec::new())));
        }
        assert_eq!(*changes.untold.borrow(), MOST_UNTOLD + 1);
        trail.arrears().are_few().await;
        trail.stop().await;
        assert!(!changes.add(Written::End), "nobody takes it");
        assert!(*changes.untold.borrow() <= 1, "the end is not told");
        engine.stop().await;
    }
}
