//! A root that exists for one run, with an intermediate and a server's certificate under it: RSA of 2048 bits all three, as AWS's endpoints
//! show them, so that a handshake costs the client what it costs there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tests::repository::TemporaryFolder;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

const SCRIPT: &str = r#"
set -e
make() { openssl req -new -newkey rsa:2048 -nodes -keyout "$1.key" -subj "/CN=$1" -out "$1.csr"; }
sign() { openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.pem"; }
make root
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' | tee root.ext > intermediate.ext
openssl x509 -req -in root.csr -signkey root.key -days 2 -extfile root.ext -out root.pem
make intermediate
sign intermediate root
make server
printf 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > server.ext
sign server intermediate
cat server.pem intermediate.pem > chain.pem
"#;

pub struct Authority {
    folder: TemporaryFolder,
    pub server: Arc<ServerConfig>,
}

impl Authority {
    /// # Panics
    /// Without `openssl`.
    pub fn create() -> Self {
        let folder = TemporaryFolder::new();
        let made = Command::new("sh").args(["-c", SCRIPT]).current_dir(folder.path()).output();
        let made = made.unwrap();
        assert!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        let server = Arc::new(server(folder.path()));
        Self { folder, server }
    }

    /// The root's certificate, for those who are to trust it.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }
}

fn server(folder: &Path) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(folder.join("chain.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap()
}
