//! What docs/ARCHITECTURE.md says of the functions' rights, against template.yaml.

use crate::tables::{code, rows};
use std::collections::{BTreeMap, BTreeSet};
use tests::repository;
use tests::template::Template;

/// Everything between backticks.
fn codes(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_right_on_a_table_is_documented_and_no_other() {
    let mut granted = BTreeSet::new();
    for (name, function) in Template::load().functions {
        for statement in function.statements {
            let Some(keys) = statement.leading_keys else { continue };
            let table = statement.resources.concat().replace("Table", "").to_lowercase();
            let actions: BTreeSet<_> =
                statement.actions.iter().map(|action| action.replace("dynamodb:", "")).collect();
            granted.insert((name.clone(), table, BTreeSet::from_iter(keys), actions));
        }
    }
    let documented =
        rows(&repository::read("docs/ARCHITECTURE.md"), "### Rights on the tables").into_iter().map(|row| {
            let actions = row[3].split(", ").map(str::to_owned).collect();
            (code(&row[0]).unwrap(), row[1].clone(), codes(&row[2]), actions)
        });
    assert_eq!(documented.collect::<BTreeSet<_>>(), granted);
}

#[test]
fn every_functions_secrets_are_documented_and_no_other() {
    let granted: BTreeMap<String, BTreeSet<String>> = Template::load()
        .functions
        .into_iter()
        .map(|(name, function)| {
            let secrets = function.environment.iter().filter_map(|variable| {
                let secret = variable.strip_prefix("SECRET_")?.strip_suffix("_ARN")?;
                Some(secret.to_lowercase().replace('_', "-"))
            });
            (name, secrets.collect())
        })
        .collect();
    let documented = rows(&repository::read("docs/ARCHITECTURE.md"), "## The functions");
    let of_functions = documented.into_iter().filter(|row| row.len() == 3);
    let documented: BTreeMap<_, _> =
        of_functions.map(|row| (code(&row[0]).unwrap(), codes(&row[2]))).collect();
    assert_eq!(documented, granted);
}
