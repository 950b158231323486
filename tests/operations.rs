//! infra/operations.yaml, the metrics that the code counts, and docs/RUNBOOK.md name the same things.
#![allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]

use serde_json::Value;
use shared::telemetry::metrics::METRICS;
use std::collections::BTreeSet;
use tests::repository;
use tests::source::Source;
use tests::template::long_form_of;

/// How the template spells the service's own namespace.
const NAMESPACE: &str = "${MetricsNamespace}";

fn operations() -> Value {
    long_form_of(&repository::read("infra/operations.yaml"))
}

fn alarms(template: &Value) -> Vec<(String, Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    let alarms = resources.filter(|(_, it)| it["Type"] == "AWS::CloudWatch::Alarm");
    alarms.map(|(name, it)| (name.clone(), it["Properties"].clone())).collect()
}

fn widgets() -> Vec<Value> {
    let body = operations()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].clone();
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    body["widgets"].as_array().unwrap().clone()
}

/// A metric of ours with the dimension that it is looked at by, if by any.
type Used = (String, Option<String>);

/// What the dashboard shows of ours: `["namespace", "Name"]`, or a search by one dimension.
fn shown() -> BTreeSet<Used> {
    let mut used = BTreeSet::new();
    for widget in widgets() {
        for metric in widget["properties"]["metrics"].as_array().into_iter().flatten() {
            if metric[0] == NAMESPACE {
                assert!(metric[2].is_null(), "{metric}: by a dimension there is a search");
                used.insert((metric[1].as_str().unwrap().to_owned(), None));
            }
            let search = metric[0]["expression"].as_str().filter(|text| text.starts_with("SEARCH("));
            if let Some(search) = search {
                let (_, rest) = search.split_once(&format!("{{{NAMESPACE},")).unwrap();
                let (dimension, rest) = rest.split_once('}').unwrap();
                let name = rest.split('"').nth(1).unwrap();
                used.insert((name.to_owned(), Some(dimension.to_owned())));
            }
        }
    }
    used
}

/// What the alarms watch of ours.
fn watched() -> BTreeSet<Used> {
    let mut used = BTreeSet::new();
    for (name, alarm) in alarms(&operations()) {
        let several = alarm["Metrics"].as_array().into_iter().flatten().map(|it| &it["MetricStat"]["Metric"]);
        for metric in several.chain([&alarm]) {
            if metric["Namespace"]["Ref"] == "MetricsNamespace" {
                assert!(metric["Dimensions"].is_null(), "{name}: by which value?");
                used.insert((metric["MetricName"].as_str().unwrap().to_owned(), None));
            }
        }
    }
    used
}

#[test]
fn every_metric_that_is_looked_at_is_counted_and_the_reverse() {
    let counted: BTreeSet<Used> = METRICS
        .iter()
        .flat_map(|metric| {
            metric
                .dimensions
                .iter()
                .map(|set| (metric.name.to_owned(), set.first().map(|it| (*it).to_owned())))
        })
        .collect();
    let (shown, watched) = (shown(), watched());
    assert_eq!(shown.union(&watched).cloned().collect::<BTreeSet<_>>(), counted);
    assert!(watched.len() >= 5, "{watched:?}");
}

#[test]
fn every_metric_is_counted_somewhere_and_nothing_else_is() {
    let mut counted = BTreeSet::new();
    for source in Source::all("shared/src").into_iter().filter(|it| it.strings.iter().any(|s| s == "metrics"))
    {
        if !source.file.contains("telemetry") {
            let text = repository::read(&source.file);
            let names = METRICS.iter().filter(|metric| text.contains(&format!(" {} = ", metric.name)));
            counted.extend(names.map(|metric| metric.name));
            for (at, _) in text.match_indices("target: \"metrics\"") {
                let event = text[at..].split(");").next().unwrap();
                let names = event.split([',', '(']).filter_map(|field| field.trim().split_once(" = "));
                let names = names.map(|(name, _)| name).filter(|name| name.starts_with(char::is_uppercase));
                for name in names {
                    let of_line = ["Country", "Rule", "Tenant", "Application"].contains(&name);
                    assert!(of_line || METRICS.iter().any(|it| it.name == name), "{}: {name}", source.file);
                }
            }
        }
    }
    assert_eq!(counted, METRICS.iter().map(|metric| metric.name).collect());
}

#[test]
fn every_alarm_says_what_to_do_and_tells_somebody() {
    let runbook = repository::read("docs/RUNBOOK.md");
    let headings: BTreeSet<_> = runbook
        .lines()
        .filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")))
        .map(|heading| heading.to_lowercase().replace(' ', "-"))
        .collect();
    let main = long_form_of(&repository::read("template.yaml"));
    let all = [alarms(&operations()), alarms(&main)].concat();
    let counted = format!("| alarms | {} |", all.len());
    assert!(repository::read("docs/COST.md").contains(&counted), "{counted}");
    for (name, alarm) in all {
        let description = alarm["AlarmDescription"].as_str().unwrap();
        let (_, section) = description.split_once("docs/RUNBOOK.md#").unwrap_or_else(|| panic!("{name}"));
        assert!(headings.contains(section), "{name}: no section {section}");
        assert_eq!(alarm["AlarmActions"].as_array().map(Vec::len), Some(1), "{name}");
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
    }
    for topic in [
        "send-failures",
        "spend",
        "conversion-drop",
        "hot-partition",
        "throttling",
        "key-rotation",
        "restore-from-pitr",
        "leaving-the-sns-sandbox",
        "raising-the-spend-limit",
        "country-rules",
    ] {
        assert!(headings.contains(topic), "the runbook lacks {topic}");
    }
}

#[test]
fn what_the_stack_asks_for_is_what_it_is_given() {
    let asked = operations()["Parameters"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let main = long_form_of(&repository::read("template.yaml"));
    let given = main["Resources"]["Operations"]["Properties"]["Parameters"].as_object().unwrap().clone();
    assert_eq!(given.keys().cloned().collect::<BTreeSet<_>>(), asked);
}
