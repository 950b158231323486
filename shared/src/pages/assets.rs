//! The pages' style and script. Each is served under a name that has the hash of its content in it, so that browsers may keep it for
//! ever.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// One file.
#[derive(Debug)]
pub struct Asset {
    /// Its path on our origin.
    pub path: String,
    pub media_type: &'static str,
    pub content: &'static [u8],
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("login", "css", "text/css; charset=utf-8", include_bytes!("static/login.css"))
});
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("login", "js", "text/javascript; charset=utf-8", include_bytes!("static/login.js"))
});

pub fn style() -> &'static Asset {
    &STYLE
}

pub fn script() -> &'static Asset {
    &SCRIPT
}

/// The file of a name below `/assets/`.
pub fn find(name: &str) -> Option<&'static Asset> {
    [style(), script()].into_iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(name))
}

impl Asset {
    /// An asset from its bytes.
    pub fn new(name: &str, extension: &str, media_type: &'static str, content: &'static [u8]) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(content)[..9]);
        Self { path: format!("/assets/{name}-{hash}.{extension}"), media_type, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_whole_name() {
        for asset in [style(), script()] {
            let name = asset.path.strip_prefix("/assets/").unwrap();
            assert_eq!(find(name).map(|found| found.content), Some(asset.content));
            assert!(find(&name.replace('-', "_x")).is_none());
        }
        for name in ["", "login.css", "../login.css"] {
            assert!(find(name).is_none(), "{name}");
        }
    }
}
