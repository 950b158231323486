//! `/assets/{file}`: the pages' style and script.

use super::HostedPagesApp;
use crate::domain::refusal::Refusal;
use crate::http::{Call, Problem, Reply};
use crate::pages::assets::find;
use http::{HeaderValue, StatusCode, header};

/// A file's name follows from its content, so nobody asks for it twice.
pub(super) async fn get(_: &HostedPagesApp, call: Call) -> Result<Reply, Problem> {
    let asset = find(call.param("file")).ok_or(Refusal::NotFound)?;
    Ok(Reply::body(StatusCode::OK, HeaderValue::from_static(asset.media_type), asset.content)
        .with_header(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")))
}
