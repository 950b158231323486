//! The engines and the proxy.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use tests::engine::Engine;
use tests::tables::Tables;
use tests::{sdk, template::Template};

async fn counts_to_two(engine: &Engine) {
    let tables = Tables::made_up(engine).await;
    let other = Tables::made_up(engine).await;
    assert_ne!(tables, other);
    let client = sdk::client(engine.url());
    for count in ["1", "2"] {
        let text = |text: &str| AttributeValue::S(text.into());
        let request = client
            .update_item()
            .table_name(&tables.logins)
            .key("pk", text("limit#x"))
            .key("sk", text("limit"));
        let request = request.update_expression("ADD n :one").return_values(ReturnValue::AllNew);
        let request = request.expression_attribute_values(":one", AttributeValue::N("1".into()));
        let item = request.send().await.unwrap().attributes.unwrap();
        assert_eq!(item["n"], AttributeValue::N(count.into()), "{}", engine.name());
    }
    let ttl = client.describe_time_to_live().table_name(&tables.logins).send().await.unwrap();
    assert_eq!(
        ttl.time_to_live_description.unwrap().attribute_name,
        Template::load().tables["LoginsTable"].ttl
    );
}

#[tokio::test]
async fn the_embedded_engine_serves_our_tables() {
    counts_to_two(&Engine::dynoxide().await).await;
}

#[tokio::test]
async fn dynamodb_local_serves_our_tables() {
    counts_to_two(&Engine::dynamodb_local().await).await;
}
