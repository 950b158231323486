//! What administrators have changed.

use crate::cases::Case;
use crate::prepare::Prepared;
use crate::world::World;
use serde_json::Value;

/// Looked at as an administrator: what was changed has changed, what was made is there, what was deleted is gone.
pub async fn finish(world: &World, case: Case, ready: &Prepared, run: &str) {
    let look = |rest: String| async move {
        let path = format!("/v1/tenants{}{rest}", world.tenant);
        world.call("GET", &path, Some(&world.admin), &[], None).await
    };
    let thing = &ready.thing;
    let application = format!("/applications/{thing}");
    let (path, status, pointer, value): (_, u16, _, Value) = match case {
        Case::ChangeTenant => (String::new(), 200, "/name", "Renamed".into()),
        Case::ChangeSecurity => ("/security".into(), 200, "/limits/per_tenant_day", 900_000.into()),
        Case::ChangeApplication => (application, 200, "/name", "Renamed".into()),
        Case::ChangeApplicationSecurity => (format!("{application}/security"), 200, "/code/length", 7.into()),
        Case::DeleteApplication => (application, 404, "/code", "not_found".into()),
        Case::DeleteSecret => (application, 200, "/secrets/0", Value::Null),
        Case::DeleteSource => (format!("/identity-sources/{thing}"), 404, "/code", "not_found".into()),
        Case::DeleteAdminKey => (format!("/admin-keys/{thing}"), 404, "/code", "not_found".into()),
        Case::PutTemplate => ("/message-templates/de".into(), 200, "/text", "Code: {code}".into()),
        Case::DeleteTemplate => ("/message-templates/de".into(), 404, "/code", "not_found".into()),
        // One more each time: the answer has it.
        _ => return,
    };
    let (found, shown) = look(path).await;
    assert_eq!(found, status, "{run}: {shown}");
    assert_eq!(shown.pointer(pointer).unwrap_or(&Value::Null), &value, "{run}: {shown}");
}
