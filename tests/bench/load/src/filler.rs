//! Fills the embedded engine's file with tenants and users by the hundred thousand: copies of one real tenant's and one real user's items, each
//! under a name of its own. Nobody signs in as one of them; they are there, as large and as spread as the real ones are.

use crate::Failed;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::{Database, Item};
use serde_json::json;
use std::ops::Range;
use std::path::Path;

const TABLES: [&str; 2] = ["directory", "logins"];

/// How many items go into the file at once, in the order of their keys.
const BATCH: usize = 200_000;

/// What copies are made of: a tenant and one of its users.
pub struct Model {
    tenant: Kind,
    user: Kind,
    tenant_name: String,
}

/// The items of one of them, and the names in their keys that are its own.
#[derive(Default)]
struct Kind {
    names: Vec<String>,
    items: Vec<(&'static str, String)>,
}

impl Model {
    /// From a file in which there is nothing but the two, and what the service makes by itself.
    pub fn of(file: &Path, tenant: &str, user: &str) -> Result<Self, Failed> {
        let database = open(file)?;
        let mut model =
            Self { tenant: Kind::default(), user: Kind::default(), tenant_name: tenant.to_owned() };
        for table in TABLES {
            let request: ScanRequest = serde_json::from_value(json!({ "TableName": table }))?;
            for item in database.scan(request)?.items.unwrap_or_default() {
                let text = serde_json::to_string(&item)?;
                let key = format!("{}#{}", part(&item, "pk")?, part(&item, "sk")?);
                // What the audit has of somebody is read by nobody who signs in.
                if key.starts_with("audit#") {
                    continue;
                }
                let kind = match (text.contains(user), key.contains(tenant)) {
                    (true, _) => &mut model.user,
                    (false, true) => &mut model.tenant,
                    (false, false) => continue,
                };
                kind.names.extend(
                    key.split('#').filter(|part| part.len() >= 22 && *part != tenant).map(str::to_owned),
                );
                kind.items.push((table, text));
            }
        }
        for kind in [&mut model.tenant, &mut model.user] {
            kind.names.sort();
            kind.names.dedup();
            if kind.items.is_empty() {
                return Err("there is nothing to copy".into());
            }
        }
        Ok(model)
    }

    /// How many items a copy of the tenant and one of the user are.
    pub fn sizes(&self) -> (usize, usize) {
        (self.tenant.items.len(), self.user.items.len())
    }

    /// The tenant's name in its copies; the first is the real one, which has users that are copies.
    fn tenant_name(&self, at: usize) -> String {
        if at == 0 { self.tenant_name.clone() } else { other_name(&self.tenant_name, at) }
    }

    fn copy(&self, kind: &Kind, at: usize, tenant: usize) -> Result<Vec<(&'static str, Item)>, Failed> {
        let mut names: Vec<_> = kind.names.iter().map(|name| (name, other_name(name, at))).collect();
        names.push((&self.tenant_name, self.tenant_name(tenant)));
        let copied = kind.items.iter().map(|(table, text)| {
            let text = names.iter().fold(text.clone(), |text, (name, other)| text.replace(*name, other));
            Ok((*table, serde_json::from_str(&text)?))
        });
        copied.collect()
    }
}

fn part(item: &Item, name: &str) -> Result<String, Failed> {
    let value = serde_json::to_value(item.get(name).ok_or("an item without a key")?)?;
    Ok(value["S"].as_str().unwrap_or_default().to_owned())
}

/// A name as long as this one, of the same letters' kind, that looks drawn: the same for the same `at`.
fn other_name(name: &str, at: usize) -> String {
    let fixed = name.find('_').map_or(0, |end| end + 1);
    let mut state = (at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let drawn = name[fixed..].chars().map(|_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let letters = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        letters[(state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 58) as usize % letters.len()] as char
    });
    name[..fixed].chars().chain(drawn).collect()
}

fn open(file: &Path) -> Result<Database, Failed> {
    Ok(Database::new(file.to_str().ok_or("the folder's name is not Unicode")?)?)
}

/// Adds copies of the tenant and of the user with these numbers; users are spread over all tenants so far. `local` must not be running on the file.
pub fn fill(file: &Path, model: &Model, tenants: Range<usize>, users: Range<usize>) -> Result<(), Failed> {
    let database = open(file)?;
    database.enable_bulk_loading()?;
    let mut waiting: [Vec<Item>; 2] = Default::default();
    let all_tenants = tenants.end.max(1);
    let copied = tenants.map(|at| model.copy(&model.tenant, at, at));
    let copied = copied.chain(users.map(|at| model.copy(&model.user, at, at % all_tenants)));
    for items in copied {
        for (table, item) in items? {
            waiting[usize::from(table == TABLES[1])].push(item);
        }
        if waiting.iter().map(Vec::len).sum::<usize>() >= BATCH {
            import(&database, &mut waiting)?;
        }
    }
    import(&database, &mut waiting)?;
    database.disable_bulk_loading()?;
    Ok(())
}

fn import(database: &Database, waiting: &mut [Vec<Item>; 2]) -> Result<(), Failed> {
    for (table, items) in TABLES.iter().zip(waiting) {
        let mut items = std::mem::take(items);
        if !items.is_empty() {
            items.sort_by_cached_key(|item| format!("{:?}", item.get("pk")));
            database.import_items(table, items, dynoxide::ImportOptions::default())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_have_names_of_their_own_of_the_same_form() {
        let name = "usr_UnbUzVv0gEEfyMKr6TZnr6";
        let (one, two) = (other_name(name, 1), other_name(name, 2));
        assert_eq!((one.len(), &one[..4]), (name.len(), "usr_"));
        assert!(one != two && one != name);
        assert_eq!(one, other_name(name, 1));
    }
}
