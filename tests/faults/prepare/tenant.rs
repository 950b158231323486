//! Use cases of administrators.

use super::{Person, Prepared, first_login};
use crate::cases::Case;
use crate::world::World;
use serde_json::{Value, json};
use tests::values::text;

/// A source of identities, of this name.
fn source(name: &str) -> Value {
    json!({ "kind": "oidc", "name": name, "issuer": "https://id.example", "audience": "a" })
}

impl Case {
    /// Whether it is about no user.
    pub fn is_of_a_tenant(self) -> bool {
        matches!(
            self,
            Case::ChangeTenant
                | Case::OpenConsole
                | Case::ChangeSecurity
                | Case::CreateTenant
                | Case::CreateApplication
                | Case::ChangeApplication
                | Case::ChangeApplicationSecurity
                | Case::DeleteApplication
                | Case::AddSecret
                | Case::DeleteSecret
                | Case::CreateSource
                | Case::DeleteSource
                | Case::CreateAdminKey
                | Case::DeleteAdminKey
                | Case::PutTemplate
                | Case::DeleteTemplate
        )
    }

    /// About a user.
    pub(super) async fn of_user(self, world: &World, person: &Person) -> Prepared {
        let path = format!("/v1/tenants{}/users/{}", world.tenant, person.user);
        let ready =
            |method, rest: &str, body| Prepared::of(method, format!("{path}{rest}"), &world.admin, body);
        match self {
            Case::RenameUser => {
                ready("PATCH", "", Some(json!({ "username": format!("{}-renamed", person.name) })))
            }
            Case::AdminBinds => ready("PUT", "/phone", Some(json!({ "phone": person.number }))),
            Case::AdminUnbinds => ready("DELETE", "/phone", None),
            Case::DeleteUser => ready("DELETE", "", None),
            Case::LinkIdentity | Case::UnlinkIdentity => {
                let source = text(&world.admin("POST", "/identity-sources", source("Company")).await, "/id");
                let rest = format!("/identities/{source}");
                let link = json!({ "subject": person.name });
                let call = if self == Case::UnlinkIdentity {
                    world.admin("PUT", &format!("/users/{}{rest}", person.user), link).await;
                    ready("DELETE", &rest, None)
                } else {
                    ready("PUT", &rest, Some(link))
                };
                Prepared { thing: source, ..call }
            }
            _ => {
                let device = text(&first_login(world, person, true).await, "/trusted_device/id");
                let rest = match self {
                    Case::RevokeDevice => format!("/trusted-devices/{device}"),
                    _ => "/trusted-devices".to_owned(),
                };
                Prepared { thing: device, ..ready("DELETE", &rest, None) }
            }
        }
    }

    /// About the tenant and what is its own.
    pub(super) async fn of_tenant(self, world: &World) -> Prepared {
        let tenant = format!("/v1/tenants{}", world.tenant);
        let ready =
            |method, rest: &str, body| Prepared::of(method, format!("{tenant}{rest}"), &world.admin, body);
        match self {
            Case::CreateTenant => {
                let body = json!({ "name": "Other", "home_country": "US" });
                Prepared::of("POST", "/v1/tenants", world.operator(), Some(body))
            }
            Case::OpenConsole => {
                let headers = vec![("x-console", "1"), ("sec-fetch-site", "same-origin")];
                let call = Prepared::of("POST", "/v1/console/session", &world.admin, None);
                Prepared { headers, ..call }
            }
            Case::ChangeTenant => ready("PATCH", "", Some(json!({ "name": "Renamed" }))),
            Case::ChangeSecurity => {
                ready("PATCH", "/security", Some(json!({ "limits": { "per_tenant_day": 900_000 } })))
            }
            Case::CreateApplication => ready("POST", "/applications", Some(json!({ "name": "Other" }))),
            Case::ChangeApplication
            | Case::ChangeApplicationSecurity
            | Case::DeleteApplication
            | Case::AddSecret
            | Case::DeleteSecret => self.of_application(world, ready).await,
            Case::CreateSource => ready("POST", "/identity-sources", Some(source("Other"))),
            Case::DeleteSource => {
                let id = text(&world.admin("POST", "/identity-sources", source("Other")).await, "/id");
                Prepared { thing: id.clone(), ..ready("DELETE", &format!("/identity-sources/{id}"), None) }
            }
            Case::PutTemplate | Case::DeleteTemplate => {
                let body = json!({ "text": "Ihr Code: {code}" });
                if self == Case::PutTemplate {
                    return ready("PUT", "/message-templates/de", Some(json!({ "text": "Code: {code}" })));
                }
                world.admin("PUT", "/message-templates/de", body).await;
                ready("DELETE", "/message-templates/de", None)
            }
            Case::DeleteAdminKey => {
                let body = json!({ "name": "another", "role": "support" });
                let id = text(&world.admin("POST", "/admin-keys", body).await, "/id");
                Prepared { thing: id.clone(), ..ready("DELETE", &format!("/admin-keys/{id}"), None) }
            }
            _ => ready("POST", "/admin-keys", Some(json!({ "name": "another", "role": "support" }))),
        }
    }

    /// About an application that is made for it.
    async fn of_application(
        self,
        world: &World,
        ready: impl Fn(&'static str, &str, Option<Value>) -> Prepared,
    ) -> Prepared {
        let body = json!({ "name": "Other", "customize_security": true });
        let made = world.admin("POST", "/applications", body).await;
        let path = format!("/applications/{}", text(&made, "/id"));
        let call = match self {
            Case::ChangeApplication => ready("PATCH", &path, Some(json!({ "name": "Renamed" }))),
            Case::ChangeApplicationSecurity => {
                ready("PATCH", &format!("{path}/security"), Some(json!({ "code": { "length": 7 } })))
            }
            Case::DeleteApplication => ready("DELETE", &path, None),
            Case::AddSecret => ready("POST", &format!("{path}/secrets"), None),
            _ => ready("DELETE", &format!("{path}/secrets/{}", text(&made, "/secret/id")), None),
        };
        Prepared { thing: text(&made, "/id"), ..call }
    }
}
