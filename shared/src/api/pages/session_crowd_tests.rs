//! Several hosted logins in one browser.

use super::*;

#[test]
fn a_browser_has_few_hosted_logins_open() {
    let mut bench = Bench::new();
    let mut begun = vec![bench.path().1];
    for minute in 1..6 {
        begun.push(bench.begin(minute, request(&bench.application)));
        let open = begun.iter().filter(|transaction| bench.is_open(transaction)).count();
        assert_eq!(open, begun.len().min(MAX_OPEN));
        assert!(bench.is_open(&begun[begun.len() - 1]), "the newest");
    }
    // One that is nobody's goes first.
    let nobodys = "z".repeat(12);
    bench.jar.0.insert(format!("__Host-mfa-req-{nobodys}-0"), "nonsense".into());
    bench.begin(6, request(&bench.application));
    assert!(!bench.is_open(&nobodys));
}

#[test]
fn large_requests_leave_no_more_cookies_than_fit_into_a_requests_headers() {
    let mut bench = Bench::new();
    let (state, nonce) = (Some("s".repeat(2048)), Some("n".repeat(512)));
    for minute in 1..6 {
        let large = AuthorizationRequest {
            state: state.clone(),
            nonce: nonce.clone(),
            ..request(&bench.application)
        };
        let newest = bench.begin(minute, large);
        assert!(bench.is_open(&newest));
        assert!(bench.jar.header().len() < 8 * 1024, "{}", bench.jar.header().len());
    }
}
