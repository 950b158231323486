//! That no route which writes is without a case, but for those that say why.

use crate::cases::Case;
use crate::prepare::Prepared;
use crate::run::Laboratory;
use shared::http::Edge;
use std::collections::BTreeSet;

/// Reads by their method, and they write.
const WRITING_READS: &[&str] = &["send_login_code", "arrive_at_scan"];

/// Without a case, and why.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("lint_message_template", "writes nothing"),
    ("explain_policy", "writes nothing"),
    ("authorize_by_form", "writes nothing but a cookie"),
    ("get_userinfo_by_form", "writes nothing"),
    ("leave_login", "writes nothing but a cookie"),
    ("continue_login", "writes nothing but a cookie"),
    (
        "exchange_code",
        "takes a form; its one write, and that write's lost answer, are in tests/budgets/hosted.rs",
    ),
    (
        "delete_console_session",
        "takes a cookie; it deletes one item, and again the same (tests/budgets/console.rs)",
    ),
    ("submit_login_password", "a page's form for start_login"),
    ("submit_login_qr", "a page's form for ask_qr_login and start_login"),
    ("submit_login_phone", "a page's form for set_login_phone"),
    ("send_login_code", "a page's link for send_code"),
    ("resend_login_code", "a page's form for send_code"),
    ("submit_login_code", "a page's form for verify_code"),
    ("arrive_at_scan", "a page's link for scan_qr_login"),
    ("approve_scan", "a page's form for approve_qr_login"),
    ("reject_scan", "a page's form for reject_qr_login"),
];

/// The operation whose route a call takes.
pub fn operation(edge: &Edge, call: &Prepared) -> &'static str {
    let is_of = |pattern: &str| {
        let (pattern, path) = (pattern.split('/'), call.path.split('/'));
        pattern.clone().count() == path.clone().count()
            && pattern.zip(path).all(|(expected, part)| expected.starts_with('{') || expected == part)
    };
    let routes = edge.routes();
    let mut found = routes.iter().filter(|(method, pattern, _)| *method == call.method && is_of(pattern));
    found.next().unwrap_or_else(|| panic!("no route for {} {}", call.method, call.path)).2
}

#[tokio::test]
async fn every_route_that_writes_has_a_case() {
    let laboratory = Laboratory::new(crate::clients::hasty).await;
    let routes = laboratory.world.edge().routes();
    let writes =
        |(method, _, operation): &&(&str, &str, &str)| *method != "GET" || WRITING_READS.contains(operation);
    let writing: BTreeSet<_> = routes.iter().filter(writes).map(|(.., operation)| *operation).collect();
    let cases: BTreeSet<_> = Case::ALL.iter().map(|case| case.operation()).collect();
    let exceptions: BTreeSet<_> = EXCEPTIONS.iter().map(|(operation, _)| *operation).collect();
    assert!(cases.is_disjoint(&exceptions), "an exception has a case");
    // A look is a case too: it is a step of every login.
    let known: BTreeSet<_> = cases.union(&exceptions).copied().filter(|it| *it != "get_login").collect();
    assert_eq!(writing, known);
}
