//! docs/DEPENDENCIES.md and the workspace's dependencies.

use crate::tables::{code, rows};
use std::collections::BTreeSet;
use tests::repository;

/// The names under `[workspace.dependencies]`, without our own crates.
fn in_cargo_toml() -> BTreeSet<String> {
    let text = repository::read("Cargo.toml");
    let section = text.split("[workspace.dependencies]").nth(1).expect("the section");
    let section = section.split("\n[").next().expect("its end");
    let lines = section.lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned());
    names.filter(|name| !["domain", "shared"].contains(&name.as_str())).collect()
}

/// The members' manifests.
fn manifests() -> Vec<String> {
    let of_one = ["shared", "shared/domain", "infra/local", "tests"];
    let of_one = of_one.map(|member| format!("{member}/Cargo.toml"));
    let of_many = ["functions", "tests/bench"].map(|folder| repository::files(folder, "Cargo.toml"));
    of_one.into_iter().chain(of_many.into_iter().flatten()).collect()
}

#[test]
fn every_dependency_is_accounted_for() {
    let text = repository::read("docs/DEPENDENCIES.md");
    let mut documented = BTreeSet::new();
    for row in rows(&text, "## Rust crates") {
        let [name, purpose, why, licence] = &row[..] else { panic!("not four cells: {row:?}") };
        assert!(!purpose.is_empty() && !why.is_empty() && !licence.is_empty(), "{name}");
        assert!(documented.insert(code(name).expect("a name")), "{name} twice");
    }
    assert_eq!(documented, in_cargo_toml());
}

#[test]
fn every_dependency_is_used() {
    let manifests: String = manifests().iter().map(|file| repository::read(file)).collect();
    for name in in_cargo_toml() {
        let forms = [format!("\n{name}.workspace = true"), format!("\n{name} = {{ workspace = true")];
        assert!(forms.iter().any(|form| manifests.contains(form)), "{name}");
    }
}

/// The members take their dependencies from the workspace's list, so that the list above is all there is.
#[test]
fn no_crate_has_a_dependency_of_its_own() {
    for manifest in manifests() {
        let text = repository::read(&manifest);
        let sections = text.split("\n[").filter(|section| section.contains("dependencies]"));
        for line in
            sections.flat_map(str::lines).filter(|line| line.contains(" = ") && !line.starts_with('#'))
        {
            let ours = line.contains("workspace = true") || line.contains("path = ");
            assert!(ours, "{manifest}: {line}");
        }
    }
}
