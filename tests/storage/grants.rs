//! Grants: a code is taken once, its own lost answer is no second time, and what was voided stays void.

use crate::{Engine, Stage, at, fresh};
use shared::domain::ids::{GrantId, LoginId, TenantId, UserId};
use shared::ports::authorization::{ClaimReader, GrantReader, GrantStore, Redeemed, Redemption};

impl Stage {
    async fn redeem(&self, grant: &GrantId, attempt: &str) -> Redeemed {
        let (tenant, login) = (&self.tenant, &self.login);
        self.store.redeem(Redemption { tenant, grant, login, attempt, now: at(1) }).await.unwrap()
    }

    async fn holds(&self, grant: &GrantId) -> bool {
        let holds = self.store.grant_holds(&self.tenant, grant).await.unwrap();
        let facts = self.store.claim_facts(&self.tenant, &self.user, grant).await.unwrap();
        assert_eq!(facts.grant_holds, holds, "both look at the same");
        assert_eq!(facts.user.unwrap().0.id, self.user);
        holds
    }
}

contract!(
    h11_a_code_is_taken_once_and_its_own_lost_answer_is_no_second_time,
    h11_what_is_void_stays_void_and_what_never_was_is_not_made,
    h11_a_grant_is_its_tenants_and_no_other_is_touched,
);

async fn h11_a_code_is_taken_once_and_its_own_lost_answer_is_no_second_time(stage: Stage) {
    let grant = GrantId::generate(fresh());
    assert!(!stage.holds(&grant).await, "nothing was exchanged yet");
    assert_eq!(stage.redeem(&grant, "one").await, Redeemed::First);
    assert_eq!(stage.redeem(&grant, "one").await, Redeemed::First, "its own lost answer");
    assert!(stage.holds(&grant).await);
    assert_eq!(stage.redeem(&grant, "two").await, Redeemed::Again);
    assert_eq!(stage.redeem(&grant, "one").await, Redeemed::First, "who was first stays first");
    assert!(stage.holds(&grant).await, "whether it is void is decided by whoever came again");
}

async fn h11_what_is_void_stays_void_and_what_never_was_is_not_made(stage: Stage) {
    let grant = GrantId::generate(fresh());
    stage.store.void(&stage.tenant, &grant, at(1)).await.unwrap();
    assert_eq!(stage.redeem(&grant, "one").await, Redeemed::First, "nothing was there to void");
    stage.store.void(&stage.tenant, &grant, at(2)).await.unwrap();
    assert!(!stage.holds(&grant).await);
    stage.store.void(&stage.tenant, &grant, at(3)).await.unwrap();
    assert_eq!(stage.redeem(&grant, "two").await, Redeemed::Again);
    assert!(!stage.holds(&grant).await);
}

async fn h11_a_grant_is_its_tenants_and_no_other_is_touched(stage: Stage) {
    let (grant, other) = (GrantId::generate(fresh()), GrantId::generate(fresh()));
    let elsewhere = TenantId::generate(fresh());
    for grant in [&grant, &other] {
        assert_eq!(stage.redeem(grant, "one").await, Redeemed::First);
    }
    stage.store.void(&stage.tenant, &other, at(2)).await.unwrap();
    stage.store.void(&elsewhere, &grant, at(2)).await.unwrap();
    assert!(stage.holds(&grant).await);
    assert!(!stage.store.grant_holds(&elsewhere, &grant).await.unwrap());
    let login = LoginId::generate(fresh());
    let redemption =
        Redemption { tenant: &elsewhere, grant: &grant, login: &login, attempt: "x", now: at(1) };
    assert_eq!(stage.store.redeem(redemption).await.unwrap(), Redeemed::First, "another tenant's is another");
    let nobody = UserId::generate(fresh());
    let facts = stage.store.claim_facts(&stage.tenant, &nobody, &grant).await.unwrap();
    assert!(facts.grant_holds && facts.user.is_none());
}
