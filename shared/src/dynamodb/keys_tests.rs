//! Items outlive the release that wrote them, and the rights of the functions name the kinds: a key that is spelled otherwise loses what is stored.

use super::*;

const TENANT_ID: &str = "ten_aaaaaaaaaaaa";
const USER_ID: &str = "usr_bbbbbbbbbbbbbbbbbbbbbb";

fn tenant_id() -> TenantId {
    TenantId::parse(TENANT_ID).expect("an id")
}

fn user_id() -> UserId {
    UserId::parse(USER_ID).expect("an id")
}

fn key(pk: &str, sk: &str) -> Key {
    Key { pk: pk.to_owned(), sk: sk.to_owned() }
}

/// 2026-11-28T12:34:56.789Z.
fn moment() -> Timestamp {
    Timestamp::from_millis(1_795_869_296_789)
}

#[test]
fn what_the_directory_keeps_of_a_tenant_is_in_its_partition() {
    let tenant = tenant_id();
    let in_policy = |sk: &str| key("policy#ten_aaaaaaaaaaaa", sk);
    assert_eq!(super::tenant(&tenant), in_policy("tenant"));
    let id = ApplicationId::parse("app_aaaaaaaaaaaacccccccccc").expect("an id");
    assert_eq!(application(&id), in_policy("application#app_aaaaaaaaaaaacccccccccc"));
    let id = SourceId::parse("src_dddddddddddddddddddddd").expect("an id");
    assert_eq!(source(&tenant, &id), in_policy("source#src_dddddddddddddddddddddd"));
    let id = KeyId::parse("key_eeeeeeeeeeee").expect("an id");
    assert_eq!(admin_key(&tenant, &id), in_policy("key#key_eeeeeeeeeeee"));
    assert_eq!(console_sessions(&tenant, &id), in_policy("console#key_eeeeeeeeeeee"));
}

#[test]
fn an_origin_lists_its_applications() {
    let id = ApplicationId::parse("app_aaaaaaaaaaaacccccccccc").expect("an id");
    assert_eq!(
        origin("https://shop.example", &id),
        key("policy#origin#https://shop.example", "application#app_aaaaaaaaaaaacccccccccc")
    );
}

#[test]
fn users_and_what_they_own_are_their_tenants() {
    assert_eq!(user(&tenant_id(), &user_id()), key("user#ten_aaaaaaaaaaaa", USER_ID));
    assert_eq!(owner(&tenant_id(), "phone", "Zm9v"), key("owner#ten_aaaaaaaaaaaa#phone#Zm9v", "owner"));
}

#[test]
fn an_event_is_in_its_month_and_with_its_user() {
    let id = EventId::parse("evt_ffffffffffffffffffffff").expect("an id");
    let sk = "1795869296789#evt_ffffffffffffffffffffff";
    let month = key("audit#ten_aaaaaaaaaaaa#2026-11", sk);
    let of_user = key("audit#ten_aaaaaaaaaaaa#usr_bbbbbbbbbbbbbbbbbbbbbb", sk);
    assert_eq!(audit(&tenant_id(), moment(), &id, None), vec![month.clone()]);
    assert_eq!(audit(&tenant_id(), moment(), &id, Some(&user_id())), vec![month, of_user]);
}

#[test]
fn a_month_begins_with_its_first_moment() {
    let start = audit_month_start(moment());
    assert_eq!(start.rfc3339(), "2026-11-01T00:00:00.000Z");
    assert_eq!(audit_partition(&tenant_id(), start), audit_partition(&tenant_id(), moment()));
    let before = Timestamp::from_millis(start.millis() - 1);
    assert_ne!(audit_partition(&tenant_id(), before), audit_partition(&tenant_id(), moment()));
}

#[test]
fn text_order_is_time_order() {
    let early = Timestamp::from_millis(999);
    assert_eq!(events_since(early), "0000000000999");
    assert!(events_since(early) < events_since(moment()));
    assert_eq!(challenges_since(early), "challenge#0000000000999");
    assert!(challenges_since(early) < challenges_since(moment()));
    // A clock before 1970 sorts first.
    assert_eq!(events_since(Timestamp::from_millis(-1)), "0000000000000");
    assert_eq!(challenges_since(Timestamp::from_millis(-1)), "challenge#0000000000000");
}

#[test]
fn what_a_login_needs_is_in_its_users_partition_in_the_order_in_which_it_is_read() {
    let (tenant, user) = (tenant_id(), user_id());
    let in_logins = |sk: &str| key("login#ten_aaaaaaaaaaaa#usr_bbbbbbbbbbbbbbbbbbbbbb", sk);
    let login = LoginId::parse("log_gggggggggggggggggggggg").expect("an id");
    let device = DeviceId::parse("dev_hhhhhhhhhhhhhhhhhhhhhh").expect("an id");
    let keys = [
        challenge(&tenant, &user, moment(), &login),
        factor(&tenant, &user),
        recovery(&tenant, &user),
        trusted_device(&tenant, &user, &device),
    ];
    assert_eq!(
        keys,
        [
            in_logins("challenge#1795869296789#log_gggggggggggggggggggggg"),
            in_logins("factor"),
            in_logins("recovery"),
            in_logins("trusted-device#dev_hhhhhhhhhhhhhhhhhhhhhh"),
        ]
    );
    assert!(keys.is_sorted_by(|a, b| a.sk < b.sk));
    assert!(keys[0].sk > challenges_since(moment()));
    assert_eq!(after_trusted_devices(), "trusted-device#~");
    assert!(keys[3].sk < after_trusted_devices());
}

#[test]
fn a_login_partition_tells_whose_it_is() {
    let partition = login_partition(&tenant_id(), &user_id());
    assert_eq!(login_partition_of(&partition), Some((tenant_id(), user_id())));
    for other in ["", "login#", "login#ten_aaaaaaaaaaaa", "grant#ten_aaaaaaaaaaaa#usr_bbbbbbbbbbbbbbbbbbbbbb"]
    {
        assert_eq!(login_partition_of(other), None, "{other}");
    }
}

#[test]
fn grants_and_qr_logins_are_their_tenants() {
    let id = GrantId::parse("grt_iiiiiiiiiiiiiiiiiiiiii").expect("an id");
    assert_eq!(grant(&tenant_id(), &id), key("grant#ten_aaaaaaaaaaaa#grt_iiiiiiiiiiiiiiiiiiiiii", "grant"));
    let id = QrLoginId::parse("qr_aaaaaaaaaaaajjjjjjjjjjjjjjjjjjjjjj").expect("an id");
    let of_qr = qr_login(&id);
    assert_eq!(of_qr, key("qr#ten_aaaaaaaaaaaa#qr_aaaaaaaaaaaajjjjjjjjjjjjjjjjjjjjjj", "qr"));
    assert!(is_qr_login(&of_qr));
    assert!(!is_qr_login(&factor(&tenant_id(), &user_id())));
}

#[test]
fn limits_name_their_rule() {
    assert_eq!(limit("phone-hour", "Zm9v"), key("limit#phone-hour#Zm9v", "limit"));
    assert_eq!(tenant_day(&tenant_id(), 20_785, 3), key("limit#tenant#ten_aaaaaaaaaaaa#20785#3", "limit"));
    let refused = refusals(&tenant_id(), &user_id(), "per_user_hour", moment());
    assert_eq!(
        refused,
        key("limit#refused#ten_aaaaaaaaaaaa#usr_bbbbbbbbbbbbbbbbbbbbbb#per_user_hour#498852", "limit")
    );
    assert!(is_refusals(&refused));
    assert!(!is_refusals(&limit("phone-hour", "Zm9v")));
    assert!(!is_refusals(&key(&refused.pk, "another")));
}

#[test]
fn a_users_notices_are_in_one_partition_in_the_order_of_their_making() {
    let made = notice(&user_id(), moment(), "k");
    // The sum of an id's bytes: 117 + 115 + 114 + 95 + 22 * 98 = 2597, which leaves 1.
    assert_eq!(made, key("notice#1", "1795869296789#usr_bbbbbbbbbbbbbbbbbbbbbb#k"));
    let later = notice(&user_id(), Timestamp::from_millis(moment().millis() + 1), "a");
    assert_eq!(later.pk, made.pk);
    assert!(later.sk > made.sk);
    assert_eq!(notice(&user_id(), Timestamp::from_millis(-1), "k").sk, format!("0000000000000#{USER_ID}#k"));
}

#[test]
fn a_key_is_read_back_from_its_item() {
    let key = key("a", "b");
    let expected = HashMap::from([("pk".to_owned(), string("a")), ("sk".to_owned(), string("b"))]);
    assert_eq!(key.attributes(), expected);
    let mut item = HashMap::from([("other".to_owned(), string("c"))]);
    key.add_to(&mut item);
    assert_eq!(Key::of(&item), Some(key));
    assert_eq!(item.len(), 3);
    item.remove(SK);
    assert_eq!(Key::of(&item), None);
}
