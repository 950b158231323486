//! What an administrator writes of an application, at its creation and later, as a JSON merge patch.

use super::application::{Application, ApplicationType};
use super::change::Change;
use super::refusal::Refusal;
use super::{name, web};
use serde::Deserialize;

/// Most origins of one application. Each has an item in the index that answers preflights.
pub const MAX_ORIGINS: usize = 10;
pub const MAX_REDIRECT_URIS: usize = 20;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationPatch {
    #[serde(default)]
    pub name: Change<String>,
    #[serde(default, rename = "type")]
    pub kind: Change<String>,
    #[serde(default)]
    pub origins: Change<Vec<String>>,
    #[serde(default)]
    pub redirect_uris: Change<Vec<String>>,
    #[serde(default)]
    pub customize_security: Change<bool>,
    #[serde(default)]
    pub message_host: Change<String>,
}

impl ApplicationPatch {
    /// The switch after the patch.
    pub fn customizes(&self, application: &Application) -> bool {
        match self.customize_security {
            Change::Keep => application.custom_security.is_some(),
            Change::Restore => false,
            Change::Set(on) => on,
        }
    }

    /// The application with its details changed. The switch is not among them: turning it on needs the tenant's rules
    /// ([`Application::customize_security`]).
    pub fn apply(self, application: &Application) -> Result<Application, Refusal> {
        let now = application.clone();
        let patched = Application {
            name: match self.name {
                Change::Keep => now.name,
                Change::Set(text) => name::parse(&text)?,
                Change::Restore => return Err(Refusal::InvalidRequest("name has no default".into())),
            },
            kind: self.kind.resolve(
                now.kind,
                || ApplicationType::Public,
                |text| {
                    ApplicationType::parse(&text)
                        .ok_or_else(|| Refusal::InvalidRequest("type must be public or confidential".into()))
                },
            )?,
            origins: self
                .origins
                .resolve(now.origins, Vec::new, |texts| each("origins", texts, MAX_ORIGINS, web::origin))?,
            redirect_uris: self.redirect_uris.resolve(now.redirect_uris, Vec::new, |texts| {
                each("redirect_uris", texts, MAX_REDIRECT_URIS, web::redirect_uri)
            })?,
            message_host: self.message_host.resolve(
                now.message_host,
                || None,
                |text| web::host_name(&text).map(Some),
            )?,
            ..now
        };
        // A confidential application without a secret could start no login.
        if patched.kind == ApplicationType::Confidential && patched.secrets.is_empty() {
            return Err(Refusal::NotPossible("a confidential application needs a secret first"));
        }
        Ok(patched)
    }
}

/// A list in the order given, each address checked, without repeats.
fn each(
    field: &str,
    texts: Vec<String>,
    most: usize,
    parse: impl Fn(&str) -> Result<String, Refusal>,
) -> Result<Vec<String>, Refusal> {
    if texts.len() > most {
        return Err(Refusal::InvalidRequest(format!("{field} must have at most {most} entries")));
    }
    let mut list = Vec::with_capacity(texts.len());
    for text in &texts {
        let value = parse(text)?;
        if !list.contains(&value) {
            list.push(value);
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::tests::application;

    fn patch(text: &str) -> Result<Application, Refusal> {
        let patch: ApplicationPatch =
            serde_json::from_str(text).map_err(|error| Refusal::InvalidRequest(error.to_string()))?;
        patch.apply(&application())
    }

    #[test]
    fn details_change_one_by_one() {
        assert_eq!(patch("{}"), Ok(application()));
        assert_eq!(patch(r#"{"name":" Bank "}"#).expect("valid").name, "Bank");
        let origins =
            patch(r#"{"origins":["https://A.example","https://a.example:443","http://localhost:3000"]}"#);
        assert_eq!(origins.expect("valid").origins, ["https://a.example", "http://localhost:3000"]);
        let host = patch(r#"{"message_host":"Shop.example"}"#).expect("valid").message_host;
        assert_eq!(host.as_deref(), Some("shop.example"));
        assert_eq!(patch(r#"{"message_host":null,"origins":null,"type":null}"#), Ok(application()));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let origins = vec!["https://a.example"; MAX_ORIGINS + 1];
        let uris = vec!["https://a.example/"; MAX_REDIRECT_URIS + 1];
        let too_many = format!(r#"{{"origins":{origins:?}}}"#);
        let too_many_uris = format!(r#"{{"redirect_uris":{uris:?}}}"#);
        for bad in [
            r#"{"name":null}"#,
            r#"{"name":""}"#,
            r#"{"type":"native"}"#,
            r#"{"origins":["https://a.example/"]}"#,
            r#"{"origins":"https://a.example"}"#,
            r#"{"redirect_uris":["/cb"]}"#,
            r#"{"message_host":"https://a.example"}"#,
            r#"{"id":"app_x"}"#,
            &too_many,
            &too_many_uris,
        ] {
            assert!(matches!(patch(bad), Err(Refusal::InvalidRequest(_))), "{bad}");
        }
        let refused = patch(r#"{"type":"confidential"}"#);
        assert!(matches!(refused, Err(Refusal::NotPossible(_))), "without a secret");
    }
}
