//! All secrets of the service in one file. In AWS each is a secret of its own that only some functions can read.

use crate::StartError;
use crate::data::DataFolder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::auth::{
    CodePeppers, OperatorHashes, PersonalDataKeys, RecoveryPeppers, SealingKeys, SigningKeys,
};
use shared::ports::Entropy;
use std::fmt;

const FILE: &str = "keys.json";

/// The service's secrets, each in the form that its reader in `shared::auth` takes, and the operator's credential.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Keys {
    pub signing: Value,
    pub code_pepper: Value,
    /// Folders of before have none, and get one.
    #[serde(default)]
    pub recovery_pepper: Value,
    pub sealing: Value,
    pub personal_data: Value,
    pub operator: Value,
    operator_key: String,
}

impl Keys {
    /// The keys in the folder; made and put there at the first start.
    pub fn load_or_make(data: &DataFolder, entropy: &dyn Entropy) -> Result<Self, StartError> {
        if let Some(mut keys) = data.load::<Self>(FILE)? {
            if keys.recovery_pepper.is_null() {
                keys.recovery_pepper = RecoveryPeppers::generate(entropy).into_exposed();
                keys.save(data)?;
            }
            return Ok(keys);
        }
        let (operator_key, operator) = OperatorHashes::generate(entropy);
        let keys = Self {
            signing: SigningKeys::generate()?.into_exposed(),
            code_pepper: CodePeppers::generate(entropy).into_exposed(),
            recovery_pepper: RecoveryPeppers::generate(entropy).into_exposed(),
            sealing: SealingKeys::generate(entropy).into_exposed(),
            personal_data: PersonalDataKeys::generate(entropy).into_exposed(),
            operator,
            operator_key: operator_key.text.into_exposed(),
        };
        keys.save(data)?;
        Ok(keys)
    }

    fn save(&self, data: &DataFolder) -> Result<(), StartError> {
        data.save(FILE, self).map_err(|error| StartError::Folder(data.path(FILE), error))
    }

    /// The operator's credential, which is shown at every start.
    pub fn operator_key(&self) -> &str {
        &self.operator_key
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys([secret])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::tests::TestFolder;
    use shared::auth::credential::Credential;
    use shared::config::OsEntropy;

    #[test]
    fn h13_the_same_keys_come_back_and_the_service_takes_them() {
        let folder = TestFolder::new();
        let data = DataFolder::open(&folder.0).unwrap();
        let made = Keys::load_or_make(&data, &OsEntropy).unwrap();
        let loaded = Keys::load_or_make(&data, &OsEntropy).unwrap();
        assert_eq!(serde_json::to_value(&made).unwrap(), serde_json::to_value(&loaded).unwrap());
        SigningKeys::parse(&loaded.signing).unwrap();
        CodePeppers::parse(&loaded.code_pepper).unwrap();
        RecoveryPeppers::parse(&loaded.recovery_pepper).unwrap();
        SealingKeys::parse(&loaded.sealing).unwrap();
        PersonalDataKeys::parse(&loaded.personal_data).unwrap();
        let operators = OperatorHashes::parse(&loaded.operator).unwrap();
        assert!(operators.admits(&Credential::parse(loaded.operator_key()).unwrap()));
        assert_eq!(format!("{loaded:?}"), "Keys([secret])");
    }

    #[test]
    fn h7_a_folder_of_before_recovery_codes_gets_a_pepper_and_keeps_it() {
        let folder = TestFolder::new();
        let data = DataFolder::open(&folder.0).unwrap();
        let mut old = serde_json::to_value(Keys::load_or_make(&data, &OsEntropy).unwrap()).unwrap();
        old.as_object_mut().unwrap().remove("recovery-pepper").unwrap();
        data.save(FILE, &old).unwrap();
        let first = Keys::load_or_make(&data, &OsEntropy).unwrap();
        RecoveryPeppers::parse(&first.recovery_pepper).unwrap();
        let second = Keys::load_or_make(&data, &OsEntropy).unwrap();
        assert_eq!(serde_json::to_value(&first).unwrap(), serde_json::to_value(&second).unwrap());
        assert_eq!(first.signing, old["signing"]);
    }
}
