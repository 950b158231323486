use super::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

const RIGHT: [u8; 32] = [7; 32];
const WRONG: [u8; 32] = [8; 32];

fn tenant() -> TenantId {
    TenantId::parse("ten_aaaaaaaaaaaa").expect("an id")
}

fn user() -> UserId {
    UserId::generate(|b| b.fill(1))
}

fn application() -> ApplicationId {
    ApplicationId::generate(&tenant(), |b| b.fill(1))
}

fn login() -> LoginId {
    LoginId::generate(|b| b.fill(1))
}

fn provenance() -> Provenance {
    Provenance { client_ip: Some(IpAddr::from([192, 0, 2, 7])), request_id: Some("req-1".to_owned()) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_000 + seconds)
}

fn entry(mac: [u8; 32], seconds: i64) -> AttributeValue {
    let (application, provenance) = (application(), provenance());
    encode_guess(&Guess {
        // Under two peppers: any of them may be the code's.
        macs: &[[9; 32], mac],
        attempt: "a",
        max_attempts: 3,
        now: at(seconds),
        purpose: Purpose::SignIn,
        application: &application,
        provenance: &provenance,
    })
}

/// A challenge with a code that is out since second 10, and guesses at it.
fn challenge(judged: Vec<AttributeValue>) -> Item {
    let mut item = Item::from(
        [
            ("login", string(login().as_str())),
            ("max_attempts", number(3)),
            ("code_mac", AttributeValue::B(Blob::new(RIGHT))),
            ("first_sent_at", number(at(10).millis())),
            ("sent_hash", string("HASH")),
            ("sent_hint", string("…01")),
            ("judged", AttributeValue::L(judged)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    keys::challenge(&tenant(), &user(), at(0), &login()).add_to(&mut item);
    item
}

fn told(old: Option<&Item>, new: &Item) -> Vec<AuditEvent> {
    events_of(old, new).expect("a readable item")
}

fn kinds(events: &[AuditEvent]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn a_guess_is_told_by_the_change_that_added_it_and_by_no_later_one() {
    let (none, one) = (challenge(vec![]), challenge(vec![entry(WRONG, 20)]));
    let two = challenge(vec![entry(WRONG, 20), entry(RIGHT, 30)]);
    let first = told(Some(&none), &one).remove(0);
    assert_eq!((first.kind, first.at, &first.provenance), (EventKind::CodeRejected, at(20), &provenance()));
    assert_eq!((first.tenant, first.user, first.application), (tenant(), Some(user()), Some(application())));
    let second = told(Some(&one), &two);
    assert_eq!(kinds(&second), [EventKind::CodeAccepted]);
    let mut later = two.clone();
    later.insert("completed".to_owned(), number(at(31).millis()));
    assert_eq!(told(Some(&two), &later), []);
}

#[test]
fn an_event_has_the_same_id_however_it_is_told_and_no_other_event_has_it() {
    let one = challenge(vec![entry(WRONG, 20)]);
    let three = challenge(vec![entry(WRONG, 20), entry(WRONG, 21), entry(WRONG, 22)]);
    let by_one = told(Some(&challenge(vec![])), &one);
    let all = told(None, &three);
    assert_eq!(all[..1], by_one[..]);
    assert_eq!(told(Some(&one), &three), all[1..]);
    let last = [EventKind::CodeRejected, EventKind::LoginBlocked];
    assert_eq!(kinds(&all[2..]), last);
    let ids: BTreeSet<_> = all.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn a_recovery_codes_attempt_only_counts() {
    let item = challenge(vec![encode_recovery(at(20)), entry(WRONG, 21), entry(WRONG, 22)]);
    let wanted = [EventKind::CodeRejected, EventKind::CodeRejected, EventKind::LoginBlocked];
    assert_eq!(kinds(&told(None, &item)), wanted);
}

#[test]
fn a_guess_at_an_older_code_is_not_judged_by_the_one_that_is_out() {
    // Told of an item that has moved on: the code of second 5 is gone, and with it what the guess was worth.
    let item = challenge(vec![entry(RIGHT, 5), entry(WRONG, 20)]);
    assert_eq!(told(None, &item).iter().map(|event| event.at).collect::<Vec<_>>(), [at(20)]);
    let mut without = item.clone();
    without.remove("code_mac");
    assert_eq!(told(None, &without), []);
    // The change that added it knows, even where the clock of whoever sent the code was ahead.
    let (before, now) = (challenge(vec![]), challenge(vec![entry(RIGHT, 5)]));
    assert_eq!(kinds(&told(Some(&before), &now)), [EventKind::CodeAccepted]);
}

fn factor(failures: u32, last: bool) -> Item {
    let (application, provenance) = (application(), provenance());
    let guess = Guess {
        macs: &[],
        attempt: "a",
        max_attempts: 5,
        now: at(20),
        purpose: Purpose::SignIn,
        application: &application,
        provenance: &provenance,
    };
    let (tenant, user, login) = (tenant(), user(), login());
    let key = LoginKey { tenant: &tenant, user: &user, login: &login, started_at: at(0) };
    let mut item = Item::from([("failures".to_owned(), number(failures))]);
    if last {
        item.insert("last_failure".to_owned(), encode_failure(key, &guess));
    }
    keys::factor(&tenant, &user).add_to(&mut item);
    item
}

#[test]
fn the_failure_that_disables_a_factor_is_told_once_and_a_reset_is_not() {
    let disabled = told(Some(&factor(95, true)), &factor(96, true));
    assert_eq!(kinds(&disabled), [EventKind::FactorDisabled]);
    assert_eq!((disabled[0].at, &disabled[0].provenance), (at(20), &provenance()));
    assert_eq!(told(None, &factor(96, true)), disabled);
    assert_eq!(told(Some(&factor(96, true)), &factor(97, true)), []);
    assert_eq!(told(Some(&factor(96, true)), &factor(96, true)), []);
    assert_eq!(told(Some(&factor(96, true)), &factor(0, true)), []);
    // Failures of before there was anything to tell of them.
    assert_eq!(told(Some(&factor(95, false)), &factor(96, false)), []);
}

fn refused(hour: i64) -> (Item, Expression) {
    let step = LoginStep {
        tenant: tenant(),
        user: user(),
        application: application(),
        at: Timestamp::from_secs(hour * 3600 + 5),
        provenance: provenance(),
    };
    let (key, change) = counted(&RefusedSend { step, rule: "per_user_hour".to_owned() });
    let mut item: Item = change
        .values
        .iter()
        .filter(|(name, _)| name != ":one")
        .map(|(name, value)| (name.trim_start_matches(':').to_owned(), value.clone()))
        .collect();
    item.insert("refusals".to_owned(), number(1));
    key.add_to(&mut item);
    (item, change)
}

#[test]
fn the_first_refusal_of_a_users_hour_by_a_rule_is_told() {
    let (first, change) = refused(1);
    assert!(change.text.ends_with("ADD #refusals :one"), "{}", change.text);
    assert!(change.text.contains("#at = if_not_exists(#at, :at)"), "{}", change.text);
    let events = told(None, &first);
    assert_eq!(kinds(&events), [EventKind::SendRefused]);
    assert_eq!((events[0].user.clone(), &events[0].provenance), (Some(user()), &provenance()));
    let mut more = first.clone();
    more.insert("refusals".to_owned(), number(2));
    assert_eq!(told(Some(&first), &more), []);
    assert_eq!(told(None, &more), events);
    let (other, _) = refused(2);
    assert_ne!(told(None, &other)[0].id, events[0].id);
}

#[test]
fn other_items_tell_nothing_and_broken_ones_are_faults() {
    let mut item = Item::from([("judged".to_owned(), string("?"))]);
    keys::limit("number", "HASH").add_to(&mut item);
    assert_eq!(told(None, &item), []);
    let broken = challenge(vec![string("?")]);
    assert!(events_of(None, &broken).is_err());
    assert!(events_of(None, &Item::new()).is_err());
}

/// A QR login that was scanned, with what its user has decided.
fn qr_login(decision: Option<&str>) -> Item {
    let id = QrLoginId::generate(&tenant(), |b| b.fill(1));
    let mut item = Item::from(
        [
            ("id", string(id.as_str())),
            ("application", string(application().as_str())),
            ("asked_from", string("192.0.2.8")),
            ("user", string(user().as_str())),
            ("stage", string("scanned")),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    if let Some(decision) = decision {
        item.insert("stage".to_owned(), string(decision));
        item.insert("decision".to_owned(), string(decision));
        item.insert("at".to_owned(), number(at(5).millis()));
        item.extend(provenance_attributes(&provenance()));
    }
    keys::qr_login(&id).add_to(&mut item);
    item
}

#[test]
fn f2_the_change_that_decides_a_qr_login_is_told_and_no_other() {
    let (scanned, approved) = (qr_login(None), qr_login(Some("approved")));
    assert_eq!(events_of(None, &scanned).unwrap(), []);
    let [told] = &events_of(Some(&scanned), &approved).unwrap()[..] else { panic!("one event") };
    assert_eq!((told.kind, told.at), (EventKind::QrLoginApproved, at(5)));
    assert_eq!((&told.provenance, &told.user), (&provenance(), &Some(user())));
    // Without the old one it is the same event again, when it has been used too.
    let mut spent = approved.clone();
    spent.insert("stage".to_owned(), string("spent"));
    assert_eq!(events_of(None, &spent).unwrap().as_slice(), std::slice::from_ref(told));
    assert_eq!(events_of(Some(&approved), &spent).unwrap(), []);
    let [told] = &events_of(Some(&scanned), &qr_login(Some("rejected"))).unwrap()[..] else {
        panic!("one event")
    };
    assert_eq!(told.kind, EventKind::QrLoginRejected);
}
