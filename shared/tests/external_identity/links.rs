//! Subjects that an administrator links to users.

use crate::world::{World, text};
use serde_json::{Value, json};
use shared::domain::audit::{Actor, AuditEvent, AuditedChange, Provenance};
use shared::domain::factor::owner_scope;
use shared::domain::identifier::SUBJECT;
use shared::domain::identity_source::ExternalSubject;
use shared::domain::ids::{EventId, SourceId, UserId};
use shared::domain::time::Timestamp;
use shared::domain::user::{SealedIdentifier, User, identity_field, place};
use shared::ports::{IdentityLinks, UserStore, UserWrite};

struct Scene {
    world: World,
    source: SourceId,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let source = SourceId::parse(&world.source(None).await).expect("an id");
        Self { world, source }
    }

    async fn user(&self, username: &str) -> UserId {
        let made = self.world.admin("POST", "/users", json!({"username": username})).await.expect(201);
        UserId::parse(&text(&made["id"])).expect("an id")
    }

    async fn read(&self, user: &UserId) -> User {
        let found = self.world.store.find_user(&self.world.tenant.id(), user).await;
        found.expect("the engine answers").expect("a user").0
    }

    fn sealed(&self, user: &UserId, sub: &str) -> SealedIdentifier {
        let (personal, tenant) = (&self.world.personal, self.world.tenant.id());
        let subject = ExternalSubject::parse(&self.source, sub).expect("a subject");
        SealedIdentifier {
            sealed: personal.seal(&place(&tenant, user, &identity_field(&self.source)), sub),
            hash: personal.hash(&owner_scope(&tenant, SUBJECT), &subject.canonical()),
        }
    }

    async fn link(&self, user: &User, sub: &str) -> UserWrite {
        let sealed = self.sealed(&user.id, sub);
        let Some(event) = self.event(user, Some(&sealed)) else { return UserWrite::Done };
        let written = self.world.store.link_subject(user, &self.source, &sealed, &event).await;
        written.expect("the engine answers")
    }

    async fn unlink(&self, user: &User) -> UserWrite {
        let Some(event) = self.event(user, None) else { return UserWrite::Done };
        let written = self.world.store.unlink_subject(user, &self.source, &event).await;
        written.expect("the engine answers")
    }

    /// What the audit would say of it.
    fn event(&self, user: &User, subject: Option<&SealedIdentifier>) -> Option<AuditEvent> {
        let change = AuditedChange::user_changed(user, &user.with_identity(&self.source, subject))?;
        let id = EventId::generate(|buffer| buffer.fill(7));
        let (tenant, at) = (self.world.tenant.id(), Timestamp::from_secs(0));
        Some(change.by(Actor::System, Provenance::default(), tenant, at, id))
    }

    /// Whom the subject signs in as.
    async fn who(&self, sub: &str) -> Option<UserId> {
        let answer = self.world.log_in(self.source.as_str(), sub).await;
        match answer.status {
            200 => UserId::parse(&text(&answer.body["login"]["user"])),
            _ => {
                assert_eq!(answer.outcome(), (401, "first_factor_failed"));
                None
            }
        }
    }
}

#[tokio::test]
async fn f2b_a_linked_subject_signs_in_as_its_user() {
    let scene = Scene::new().await;
    let alice = scene.user("alice").await;
    assert_eq!(scene.who("1").await, None);
    assert_eq!(scene.link(&scene.read(&alice).await, "1").await, UserWrite::Done);
    assert_eq!(scene.who("1").await.as_ref(), Some(&alice));
    // Another subject takes its place; the same again changes nothing.
    assert_eq!(scene.link(&scene.read(&alice).await, "2").await, UserWrite::Done);
    assert_eq!((scene.who("1").await, scene.who("2").await.as_ref()), (None, Some(&alice)));
    assert_eq!(scene.link(&scene.read(&alice).await, "2").await, UserWrite::Done);
    assert_eq!(scene.who("2").await.as_ref(), Some(&alice));
    assert_eq!(scene.unlink(&scene.read(&alice).await).await, UserWrite::Done);
    assert_eq!(scene.who("2").await, None);
    assert!(scene.read(&alice).await.identities.is_empty());
    assert_eq!(scene.world.counts().await, [1, 1, 1], "the username's owner is left");
}

#[tokio::test]
async fn f2b_a_subject_is_one_users() {
    let scene = Scene::new().await;
    let (alice, bob) = (scene.user("alice").await, scene.user("bob").await);
    scene.link(&scene.read(&alice).await, "1").await;
    assert_eq!(scene.link(&scene.read(&bob).await, "1").await, UserWrite::Duplicate(SUBJECT));
    assert_eq!(scene.who("1").await, Some(alice.clone()));
    // Once it is free, it may be another's.
    scene.unlink(&scene.read(&alice).await).await;
    assert_eq!(scene.link(&scene.read(&bob).await, "1").await, UserWrite::Done);
    assert_eq!(scene.who("1").await, Some(bob));
}

#[tokio::test]
async fn a_link_is_made_on_the_user_as_it_was_read() {
    let scene = Scene::new().await;
    let alice = scene.user("alice").await;
    let stale = scene.read(&alice).await;
    let path = format!("/users/{alice}");
    scene.world.admin("PATCH", &path, json!({"locale": "de"})).await.expect(200);
    assert_eq!(scene.link(&stale, "1").await, UserWrite::Stale);
    scene.world.admin("DELETE", &path, Value::Null).await.expect(204);
    assert_eq!(scene.link(&stale, "1").await, UserWrite::Stale, "nor on one that is gone");
    assert_eq!(scene.world.counts().await, [0, 0, 0]);
}

#[tokio::test]
async fn a_users_last_identity_stays() {
    let scene = Scene::new().await;
    let alice = scene.user("alice").await;
    scene.link(&scene.read(&alice).await, "1").await;
    let path = format!("/users/{alice}");
    scene.world.admin("PATCH", &path, json!({"username": null})).await.expect(200);
    assert_eq!(scene.unlink(&scene.read(&alice).await).await, UserWrite::LastIdentifier);
    assert_eq!(scene.who("1").await, Some(alice.clone()));
    scene.world.admin("PATCH", &path, json!({"username": "alice"})).await.expect(200);
    assert_eq!(scene.unlink(&scene.read(&alice).await).await, UserWrite::Done);
}

#[tokio::test]
async fn f2b_deleting_a_user_frees_its_subjects() {
    let scene = Scene::new().await;
    let (alice, bob) = (scene.user("alice").await, scene.user("bob").await);
    scene.link(&scene.read(&alice).await, "1").await;
    scene.world.admin("DELETE", &format!("/users/{alice}"), Value::Null).await.expect(204);
    assert_eq!(scene.who("1").await, None);
    assert_eq!(scene.link(&scene.read(&bob).await, "1").await, UserWrite::Done);
    assert_eq!(scene.world.counts().await, [1, 2, 1]);
}
