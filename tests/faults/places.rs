//! What can go wrong, and where.

use crate::cases::Case;
use crate::clients::DELAY;
use serde_json::Value;
use std::collections::HashMap;
use tests::proxy::{CONFLICT, Fault, Record};

/// A request as it can be found again in another run of the same case: what it does, and the how many-th such it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    what: String,
    occurrence: usize,
    is_read: bool,
    is_transaction: bool,
    /// Of a write: those that have a condition, and whether they ask to be shown the item that it does not hold for.
    actions: Vec<Action>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Action {
    has_condition: bool,
    wants_item: bool,
}

/// One thing that goes wrong.
#[derive(Clone, Debug)]
pub struct Wrong {
    pub place: Place,
    pub fault: Fault,
    /// Each such request from this one on, and not this one only: no attempt of the client's gets through.
    pub for_good: bool,
}

/// The operation and the kinds of the keys in it; keys are random.
fn what(record: &Record) -> String {
    fn kinds(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value) in map {
                    match value["S"].as_str() {
                        Some(key) if name == "pk" || name == ":pk" => {
                            let kind = if key.starts_with("limit#") {
                                key.splitn(3, '#').take(2).collect()
                            } else {
                                vec![key.split('#').next().unwrap_or("")]
                            };
                            found.push(kind.join("#"));
                        }
                        _ => kinds(value, found),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|value| kinds(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    kinds(&record.body, &mut found);
    found.sort();
    format!("{} {}", record.operation, found.join("+"))
}

/// Every request of a run, as a place.
pub fn places(records: &[Record]) -> Vec<Place> {
    let mut seen = HashMap::new();
    records.iter().map(|record| place(record, &mut seen)).collect()
}

fn place(record: &Record, seen: &mut HashMap<String, usize>) -> Place {
    let what = what(record);
    let occurrence = seen.entry(what.clone()).or_default();
    *occurrence += 1;
    let action = |action: &&Value| Action {
        has_condition: action["ConditionExpression"].is_string(),
        wants_item: action["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD",
    };
    Place {
        what,
        occurrence: *occurrence,
        is_read: record.is_read(),
        is_transaction: record.body["TransactItems"].is_array(),
        actions: record.actions().iter().map(action).collect(),
    }
}

/// Says of each request what goes wrong with it.
pub fn judge(wrongs: Vec<Wrong>) -> impl Fn(&Record) -> Option<Fault> + Send + Sync + 'static {
    let seen = std::sync::Mutex::new(HashMap::new());
    move |record| {
        let found = place(record, &mut seen.lock().unwrap());
        let hit = |wrong: &&Wrong| {
            wrong.place.what == found.what
                && (wrong.place.occurrence == found.occurrence
                    || wrong.for_good && wrong.place.occurrence < found.occurrence)
        };
        wrongs.iter().find(hit).map(|wrong| wrong.fault.clone())
    }
}

impl Wrong {
    /// Whether it is over by the next attempt: nobody need hear of one such fault.
    pub fn is_passing(&self) -> bool {
        !self.for_good
            && !matches!(
                self.fault,
                Fault::Stale
                    | Fault::ConditionFailed { .. }
                    | Fault::Cancelled { code: "ItemCollectionSizeLimitExceeded" | "ValidationError", .. }
            )
    }

    /// Whether it says of a wrong guess's count that its factor is no longer there.
    pub fn says_user_is_gone(&self, case: Case) -> bool {
        case == Case::GuessWrong && self.place.occurrence == 2 && self.refuses("UpdateItem login")
    }

    /// Whether it says that a condition does not hold.
    pub fn is_a_refusal(&self) -> bool {
        matches!(self.fault, Fault::ConditionFailed { .. })
    }

    /// The same, of a request that does this.
    pub fn refuses(&self, what: &str) -> bool {
        self.place.what.starts_with(what) && self.is_a_refusal()
    }

    /// Whether it hits the note of what became of a message that did not leave.
    pub fn hits_the_note(&self) -> bool {
        self.place.what.contains("limit#refused")
    }
}

impl Place {
    /// What can go wrong with it once. Each action's condition can be the reason of a cancelled transaction. For what is no condition, in a step
    /// of a login each action is one; in the other cases, and for two reasons that are as another one, the first and the last.
    pub fn faults(&self, case: Case) -> Vec<Fault> {
        let mut faults = vec![
            Fault::Throttled,
            Fault::InternalError,
            Fault::LostRequest,
            Fault::LostAnswer,
            Fault::Silence,
            Fault::SilenceAfter,
            Fault::Delayed(DELAY),
        ];
        faults.push(if self.is_read { Fault::Stale } else { Fault::TransactionConflict });
        let last = self.actions.len().saturating_sub(1);
        for (action, said) in self.actions.iter().enumerate() {
            if said.has_condition {
                let shown: &[bool] = if said.wants_item { &[false, true] } else { &[false] };
                faults.extend(
                    shown.iter().map(|with_item| Fault::ConditionFailed { action, with_item: *with_item }),
                );
            }
            if !self.is_transaction || !(case.is_in_a_login() || action == 0 || action == last) {
                continue;
            }
            for code in ["ThrottlingError", "ValidationError"] {
                faults.push(Fault::Cancelled { action, code });
            }
            if action == 0 || action == last {
                for code in ["ProvisionedThroughputExceeded", "ItemCollectionSizeLimitExceeded"] {
                    faults.push(Fault::Cancelled { action, code });
                }
            }
            if action > 0 {
                faults.push(Fault::Cancelled { action, code: CONFLICT });
            }
        }
        faults
    }

    /// What can go wrong with it as a second thing. In the four cases that every login is made of, all but a condition that does not hold; else
    /// of those with the same effect the quickest: not seen, seen and not heard of, in the way, for good, out of date.
    pub fn second_faults(&self, case: Case) -> Vec<Fault> {
        let mut faults = self.faults(case);
        faults.retain(|fault| match fault {
            Fault::ConditionFailed { .. } => false,
            _ if case.is_a_logins() => true,
            Fault::InternalError | Fault::LostAnswer | Fault::TransactionConflict | Fault::Stale => true,
            Fault::Cancelled { action, code } => *action == 0 && *code == "ValidationError",
            _ => false,
        });
        faults
    }

    /// This and every such request after it meets one of these.
    pub fn ends(&self) -> impl Iterator<Item = Wrong> + '_ {
        [Fault::Throttled, Fault::InternalError, Fault::LostRequest, Fault::Silence]
            .into_iter()
            .map(|fault| Wrong { place: self.clone(), fault, for_good: true })
    }
}
