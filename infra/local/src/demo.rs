//! The demo: a tenant with SMS on, an application, and two users, one bound and one not. It is made through the service's own calls, as
//! anybody would make it, and its credentials are kept, since they are shown only once.

use crate::StartError;
use crate::announcement::{Demo, DemoUser};
use crate::data::DataFolder;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use shared::domain::ids::base62;
use shared::http::Edge;
use shared::ports::Entropy;

const FILE: &str = "demo.json";
/// A number that is reserved for fiction (NANP 555-0100 to 555-0199).
const BOUND_NUMBER: &str = "+12025550142";

/// The demo in the folder, if the engine still has it; else a new one.
pub async fn load_or_make(
    edge: &Edge,
    data: &DataFolder,
    entropy: &dyn Entropy,
    operator_key: &str,
) -> Result<Demo, StartError> {
    if let Some(demo) = data.load::<Demo>(FILE)? {
        let path = format!("/v1/tenants/{}", demo.tenant);
        if call(edge, Method::GET, &path, &demo.admin_key, None).await.0 == StatusCode::OK {
            return Ok(demo);
        }
    }
    let demo = make(edge, entropy, operator_key).await?;
    data.save(FILE, &demo).map_err(|error| StartError::Folder(data.path(FILE), error))?;
    Ok(demo)
}

async fn make(edge: &Edge, entropy: &dyn Entropy, operator_key: &str) -> Result<Demo, StartError> {
    let tenant = json!({ "name": "Demo", "home_country": "US" });
    let tenant = must(edge, Method::POST, "/v1/tenants", operator_key, tenant).await?;
    let (id, admin_key) = (text(&tenant, "/id")?, text(&tenant, "/admin_key/secret")?);
    let base = format!("/v1/tenants/{id}");
    let on = json!({ "mfa": { "sms": { "enabled": true } } });
    must(edge, Method::PATCH, &format!("{base}/security"), &admin_key, on).await?;
    let application = json!({ "name": "Demo application" });
    let application =
        must(edge, Method::POST, &format!("{base}/applications"), &admin_key, application).await?;
    let mut users = Vec::new();
    for (username, phone) in [("alice", Some(BOUND_NUMBER)), ("bob", None)] {
        let password = base62(16, |buffer| entropy.fill(buffer));
        let mut user = json!({ "username": username, "password": password });
        if let Some(phone) = phone {
            user["phone"] = phone.into();
        }
        must(edge, Method::POST, &format!("{base}/users"), &admin_key, user).await?;
        users.push(DemoUser { username: username.into(), password, phone: phone.map(str::to_owned) });
    }
    Ok(Demo {
        tenant: id,
        admin_key,
        application: text(&application, "/id")?,
        application_secret: text(&application, "/secret/secret")?,
        users,
    })
}

fn text(answer: &Value, pointer: &str) -> Result<String, StartError> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| StartError::Demo(format!("an answer has no {pointer}")))
}

async fn must(edge: &Edge, method: Method, path: &str, key: &str, body: Value) -> Result<Value, StartError> {
    let (status, answer) = call(edge, method, path, key, Some(body)).await;
    if status.is_success() {
        Ok(answer)
    } else {
        let code = answer["code"].as_str().unwrap_or("no code");
        Err(StartError::Demo(format!("{path} answered {status}, {code}")))
    }
}

async fn call(
    edge: &Edge,
    method: Method,
    path: &str,
    key: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.map(|body| body.to_string()).unwrap_or_default().into());
    let Ok(request) = request else { return (StatusCode::BAD_REQUEST, Value::Null) };
    let answer = edge.handle(request, None, None).await;
    (answer.status(), serde_json::from_slice(answer.body()).unwrap_or(Value::Null))
}
