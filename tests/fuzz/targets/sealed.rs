//! What the service gives away and takes back: whatever is done to it, only the very text is worth something.

use shared::auth::{AccessTokenVerifier, Es256TokenSigner, SealingKeys, SigningKeys, XChaChaLoginSealer};
use shared::config::OsEntropy;
use shared::domain::ids::{ApplicationId, LoginId, TenantId, UserId};
use shared::domain::time::Timestamp;
use shared::ports::{AccessTokens, LoginSealer, SealedAs, TokenClaims, TokenSigner};
use std::sync::{Arc, LazyLock};

const BASE: &str = "https://mfa.example";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// A text with changes that the data describes: a place, what is done there, and the byte it is done with. Other than a change of bytes at
/// random it leaves most of a long text as it was.
pub(super) fn edited(text: &str, data: &[u8]) -> Option<String> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in data.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % (bytes.len() + 1);
        match edit[2] % 5 {
            0 => bytes.insert(at, edit[3]),
            1 if at < bytes.len() => bytes[at] = edit[3],
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => bytes.truncate(at),
            4 => {
                let end = (at + usize::from(edit[3])).min(bytes.len());
                bytes.extend_from_within(at..end);
            }
            _ => {}
        }
    }
    String::from_utf8(bytes).ok()
}

/// The first byte says what was sealed and what it is opened as; `=` in front takes the data as the text itself.
pub fn sealed(data: &[u8]) {
    static SEALER: LazyLock<XChaChaLoginSealer> = LazyLock::new(|| {
        let keys = SealingKeys::generate(&OsEntropy);
        let signing = SigningKeys::parse(SigningKeys::generate().expect("keys").expose());
        XChaChaLoginSealer::new(SealingKeys::parse(keys.expose()).expect("keys"), Arc::new(OsEntropy))
            .with_proofs(&signing.expect("keys"))
    });
    let Some((first, rest)) = data.split_first() else { return };
    if *first == b'=' {
        let Ok(text) = std::str::from_utf8(rest) else { return };
        for what in SealedAs::ALL {
            assert_eq!(SEALER.open(what, text), None, "made out of nothing");
        }
        return;
    }
    let [made, opened] = [first / 4, *first].map(|number| SealedAs::ALL[usize::from(number % 4)]);
    let text = SEALER.seal(made, b"a login");
    let Some(changed) = edited(&text, rest) else { return };
    let found = SEALER.open(opened, &changed);
    assert_eq!(found.is_some(), changed == text && made == opened, "{changed}");
}

pub fn access_token(data: &[u8]) {
    static TOKEN: LazyLock<(AccessTokenVerifier, String)> = LazyLock::new(|| {
        let made = SigningKeys::generate().expect("keys");
        let keys = SigningKeys::parse(made.expose()).expect("keys");
        let verifier = AccessTokenVerifier::new(&keys.public_keys(), BASE);
        let signer = Es256TokenSigner::new(keys, BASE, Arc::new(OsEntropy));
        let claims = TokenClaims {
            tenant: TenantId::parse("ten_aaaaaaaaaaaa").expect("an id"),
            application: ApplicationId::parse("app_aaaaaaaaaaaabbbbbbbbbb").expect("an id"),
            user: UserId::generate(|buffer| buffer.fill(3)),
            login: LoginId::generate(|buffer| buffer.fill(4)),
            auth_time: NOW,
            issued_at: NOW,
            amr: &["pwd"],
            acr: "aal1",
            code: None,
        };
        (verifier, signer.sign(&claims).expect("signed").access_token.expose().clone())
    });
    let (verifier, token) = &*TOKEN;
    if let Some(text) = std::str::from_utf8(data).ok().and_then(|text| text.strip_prefix('=')) {
        assert!(verifier.verify(text, NOW).is_none(), "made out of nothing");
        return;
    }
    let Some(changed) = edited(token, data) else { return };
    assert_eq!(verifier.verify(&changed, NOW).is_some(), changed == *token, "{changed}");
}
