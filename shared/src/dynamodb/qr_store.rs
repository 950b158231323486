//! QR logins: see [`crate::domain::qr_login`].
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `v` | N | version of the item's format |
//! | `id` | S | it is in the key too |
//! | `application`, `application_name` | S | which application asked, and as it was called then |
//! | `secret_hash` | B | SHA-256 of the secret that the asking browser has |
//! | `asked_from` | S | the address that asked; absent where a back end did |
//! | `browser`, `system` | S | names of ours for what asked |
//! | `created_at`, `expires_at` | N | epoch milliseconds |
//! | `stage` | S | `pending`, `scanned`, `approved`, `rejected`, `spent` |
//! | `user` | S | who scanned it; absent while it is pending |
//! | `proven_at` | N | when the user who approved had signed in |
//! | `decision` | S | `approved` or `rejected`, whatever comes after it |
//! | `at`, `client_ip`, `request_id` | N, S, S | when and from where that was decided, for the audit |
//! | `spent_by` | S | id of the request that made a login of it: by it a lost answer is recognised |
//! | `ttl` | N | epoch seconds: a day after its end |

use super::challenge_item::{Reader, binary};
use super::login_audit::provenance_attributes;
use super::request::{Item, condition_failed, fault, number, string};
use super::{DynamoStore, keys};
use crate::domain::browser::Browser;
use crate::domain::ids::{ApplicationId, QrLoginId, UserId};
use crate::domain::qr_login::{Asked, PER_IP_HOUR, PER_IP_HOUR_RULE, QrLogin, QrStage, QrState, QrStep};
use crate::domain::time::Timestamp;
use crate::ports::Fault;
use crate::ports::limits::Reserved;
use crate::ports::qr_login::{QrReader, QrStore, Spending, StepBy, UserStep};
use async_trait::async_trait;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue::AllNew;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

/// How long an item is kept after its end, in seconds.
const KEPT_SECONDS: u32 = 86_400;

#[async_trait]
impl QrReader for DynamoStore {
    async fn qr_login(&self, qr: &QrLoginId) -> Result<Option<QrLogin>, Fault> {
        let key = keys::qr_login(qr).attributes();
        let request = self.client().get_item().table_name(self.logins()).set_key(Some(key));
        let answer = request.consistent_read(true).send().await.map_err(fault)?;
        answer.item.map(|item| decode(&item)).transpose()
    }
}

#[async_trait]
impl QrStore for DynamoStore {
    async fn count_qr_login(&self, address: &str, attempt: &str, now: Timestamp) -> Result<Reserved, Fault> {
        self.hourly(keys::hourly("qr", address, now), PER_IP_HOUR_RULE, PER_IP_HOUR, attempt, now).await
    }

    async fn put_qr_login(&self, qr: &QrLogin) -> Result<(), Fault> {
        let mut item = encode(qr);
        keys::qr_login(&qr.id).add_to(&mut item);
        let put = self.client().put_item().table_name(self.logins()).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)");
        let Err(error) = put.return_values_on_condition_check_failure(AllOld).send().await else {
            return Ok(());
        };
        // Its id has more random bits than could collide, so it can only be our own, whose answer was lost.
        let old = condition_failed(error)?.unwrap_or_default();
        let ours = Reader(&old).bytes("secret_hash") == Some(qr.secret_hash);
        if ours { Ok(()) } else { Err(Fault::new("a QR login's id is taken")) }
    }

    async fn step_qr_login(
        &self,
        qr: &QrLoginId,
        step: UserStep,
        by: &StepBy<'_>,
    ) -> Result<Result<QrLogin, Option<QrLogin>>, Fault> {
        let mut set = vec!["#stage = :to", "#user = :user"];
        // Whoever scans first is the one.
        let whose = match step {
            UserStep::Scan => "attribute_not_exists(#user)",
            UserStep::Approve { .. } | UserStep::Reject => "#user = :user",
        };
        let mut update = self
            .qr_update(qr, step.kind(), by.now)
            .expression_attribute_values(":user", string(by.user.as_str()));
        if let UserStep::Approve { proven_at } = step {
            set.push("proven_at = :proven_at");
            update = update.expression_attribute_values(":proven_at", number(proven_at.millis()));
        }
        if step != UserStep::Scan {
            set.extend(["decision = :to", "#at = :now"]);
            update = update.expression_attribute_names("#at", "at");
            for (name, value) in provenance_attributes(by.provenance) {
                set.push(if name == "client_ip" {
                    "client_ip = :client_ip"
                } else {
                    "request_id = :request_id"
                });
                update = update.expression_attribute_values(format!(":{name}"), value);
            }
        }
        let outcome = update
            .update_expression(format!("SET {}", set.join(", ")))
            .condition_expression(format!("#stage = :from AND expires_at > :now AND {whose}"))
            .send()
            .await;
        match outcome {
            Ok(answer) => decode(&answer.attributes.unwrap_or_default()).map(Ok),
            Err(error) => Ok(Err(condition_failed(error)?.map(|old| decode(&old)).transpose()?)),
        }
    }

    async fn spend_qr_login(&self, spending: &Spending<'_>) -> Result<bool, Fault> {
        let outcome = self
            .qr_update(spending.qr, QrStep::Spend, spending.now)
            .update_expression("SET #stage = :to, spent_by = :attempt")
            .condition_expression(
                "#stage = :from AND expires_at > :now AND #user = :user AND secret_hash = :secret_hash \
                 AND application = :application",
            )
            .expression_attribute_values(":user", string(spending.user.as_str()))
            .expression_attribute_values(":secret_hash", binary(spending.secret_hash))
            .expression_attribute_values(":application", string(spending.application.as_str()))
            .expression_attribute_values(":attempt", string(spending.attempt))
            .send()
            .await;
        match outcome {
            Ok(_) => Ok(true),
            Err(error) => {
                let old = condition_failed(error)?.unwrap_or_default();
                Ok(Reader(&old).text("spent_by") == Some(spending.attempt))
            }
        }
    }
}

impl DynamoStore {
    fn qr_update(&self, qr: &QrLoginId, step: QrStep, now: Timestamp) -> UpdateItemFluentBuilder {
        self.client()
            .update_item()
            .table_name(self.logins())
            .set_key(Some(keys::qr_login(qr).attributes()))
            .expression_attribute_names("#stage", "stage")
            .expression_attribute_names("#user", "user")
            .expression_attribute_values(":from", string(step.from().as_str()))
            .expression_attribute_values(":to", string(step.to().as_str()))
            .expression_attribute_values(":now", number(now.millis()))
            .return_values(AllNew)
            .return_values_on_condition_check_failure(AllOld)
    }
}

/// One that was just asked for.
fn encode(qr: &QrLogin) -> Item {
    let asked = &qr.asked;
    let mut item = Item::from(
        [
            ("v", number(1)),
            ("id", string(qr.id.as_str())),
            ("application", string(qr.application.as_str())),
            ("application_name", string(&asked.application_name)),
            ("secret_hash", binary(&qr.secret_hash)),
            ("created_at", number(asked.at.millis())),
            ("expires_at", number(qr.expires_at.millis())),
            ("stage", string(qr.state.stage().as_str())),
            (keys::TTL, number(qr.expires_at.plus_secs(KEPT_SECONDS).secs())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let optional = [
        ("asked_from", asked.address.map(|address| address.to_string())),
        ("browser", asked.browser.and_then(|browser| browser.name).map(str::to_owned)),
        ("system", asked.browser.and_then(|browser| browser.system).map(str::to_owned)),
    ];
    for (name, value) in optional {
        item.extend(value.map(|value| (name.to_owned(), string(value))));
    }
    item
}

pub(super) fn decode(item: &Item) -> Result<QrLogin, Fault> {
    let read = Reader(item);
    Ok(QrLogin {
        id: Reader::need(read.text("id").and_then(QrLoginId::parse), "id")?,
        application: Reader::need(read.text("application").and_then(ApplicationId::parse), "application")?,
        asked: Asked {
            application_name: Reader::need(read.text("application_name"), "application_name")?.to_owned(),
            address: read.text("asked_from").and_then(|text| text.parse().ok()),
            browser: Browser::of_parts(read.text("browser"), read.text("system")),
            at: Reader::need(read.time("created_at"), "created_at")?,
        },
        secret_hash: Reader::need(read.bytes("secret_hash"), "secret_hash")?,
        expires_at: Reader::need(read.time("expires_at"), "expires_at")?,
        state: state(item)?,
    })
}

fn state(item: &Item) -> Result<QrState, Fault> {
    let read = Reader(item);
    let by = || Reader::need(read.text("user").and_then(UserId::parse), "user");
    Ok(match Reader::need(read.text("stage").and_then(QrStage::parse), "stage")? {
        QrStage::Pending => QrState::Pending,
        QrStage::Scanned => QrState::Scanned { by: by()? },
        QrStage::Approved => {
            QrState::Approved { by: by()?, proven_at: Reader::need(read.time("proven_at"), "proven_at")? }
        }
        QrStage::Rejected => QrState::Rejected { by: by()? },
        QrStage::Spent => QrState::Spent { by: by()? },
    })
}
