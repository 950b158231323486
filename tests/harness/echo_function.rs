//! A function for the harness to test itself with: it says what it got, fails, or ends, as it is told.
#![allow(clippy::print_stderr, reason = "what it writes is looked for")]

use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    eprintln!("started with {} variables", std::env::vars().count());
    if std::env::var_os("FAIL_AT_START").is_some() {
        return Err("told to".into());
    }
    run(service_fn(echo)).await
}

async fn echo(request: Request) -> Result<Response<Body>, Error> {
    let address = request.extensions().get::<lambda_http::request::RequestContext>().and_then(address);
    match request.raw_http_path() {
        "/fail" => Err("told to".into()),
        "/end" => std::process::exit(3),
        path => {
            let answer = serde_json::json!({
                "method": request.method().as_str(),
                "path": path,
                "query": request.uri().query(),
                "header": request.headers().get("x-test").and_then(|value| value.to_str().ok()),
                "body": String::from_utf8_lossy(request.body()),
                "address": address,
                "home": std::env::var("HOME").ok(),
            });
            let response = Response::builder().status(201).header("content-type", "application/json");
            Ok(response.header("x-test", "back").body(Body::Text(answer.to_string()))?)
        }
    }
}

fn address(context: &lambda_http::request::RequestContext) -> Option<String> {
    match context {
        lambda_http::request::RequestContext::ApiGatewayV2(context) => context.http.source_ip.clone(),
        _ => None,
    }
}
