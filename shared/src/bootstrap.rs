//! What every Lambda function's `main` does: read the environment, fetch exactly the secrets that this function may have, open the
//! connections, serve.

use crate::auth::{
    AccessTokenVerifier, Argon2Passwords, CodePeppers, Es256TokenSigner, HmacCodes, HmacRecoveryCodes,
    OidcIdTokens, OperatorHashes, PersonalDataKeys, PublicKeys, RecoveryPeppers, SealingKeys, SigningKeys,
    XChaChaLoginSealer, XChaChaPersonalData,
};
use crate::compose::Base;
use crate::config::{Aws, Environment, OsEntropy, SecretName, SystemClock};
use crate::dynamodb::{DynamoStore, LIMITS_AT_ONCE};
use crate::http::{Edge, Route};
use crate::ports::sms::SmsSender;
use crate::ports::{
    AccessTokens, Clock, Codes, Entropy, IdTokens, LoginSealer, Passwords, PersonalData, RecoveryMacs,
    TokenSigner,
};
use crate::sms::SnsSender;
use crate::stream::Consumer;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long a start waits for its connections at most. A first request then opens its own.
const WARMING: Duration = Duration::from_secs(1);

type Error = lambda_http::Error;

/// A Lambda function that is starting.
pub struct Lambda {
    environment: Environment,
    aws: Aws,
    pub base: Base,
    /// Connections that are being opened, while the secrets are read.
    warming: Mutex<Vec<JoinHandle<()>>>,
}

/// What makes tokens, and the proofs that are exchanged for them; and what checks tokens, with the same keys' public parts.
pub struct Finishing {
    pub sealer: Arc<dyn LoginSealer>,
    pub signer: Arc<dyn TokenSigner>,
    pub access: Arc<dyn AccessTokens>,
}

impl Lambda {
    /// Reads the environment, and begins to open the connection to DynamoDB: the first TLS handshake costs tens of milliseconds of CPU,
    /// which initialisation has in full and a small function's first request has not.
    ///
    /// # Errors
    /// Names the variable that is missing or wrong. Lambda reports it as a failed initialisation.
    pub fn start() -> Result<Self, Error> {
        Self::start_with(1)
    }

    /// As [`Lambda::start`], with a connection for each of the requests that a send makes side by side.
    ///
    /// # Errors
    /// The same.
    pub fn start_to_send() -> Result<Self, Error> {
        Self::start_with(LIMITS_AT_ONCE)
    }

    fn start_with(connections: usize) -> Result<Self, Error> {
        crate::telemetry::init();
        let environment = Environment::of_process();
        tracing::info!(keys_version = environment.keys_version(), "start");
        let aws = environment.aws()?;
        let tables = environment.tables()?;
        let base = Base {
            store: DynamoStore::new(aws.dynamodb(), tables.directory, tables.logins),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
        };
        let open = |store: DynamoStore| tokio::spawn(async move { store.connect().await });
        let opening = (0..connections).map(|_| open(base.store.clone())).collect();
        Ok(Self { environment, aws, base, warming: Mutex::new(opening) })
    }

    async fn secret(&self, name: SecretName) -> Result<Value, Error> {
        let text = self.environment.secret(&self.aws, name).await?;
        // serde's own message could quote the secret.
        serde_json::from_str(text.expose())
            .map_err(|_| format!("secret {} is not JSON", name.as_str()).into())
    }

    pub async fn sealer(&self) -> Result<Arc<dyn LoginSealer>, Error> {
        let keys = SealingKeys::parse(&self.secret(SecretName::Sealing).await?)?;
        Ok(Arc::new(XChaChaLoginSealer::new(keys, self.base.entropy.clone())))
    }

    pub async fn personal(&self) -> Result<Arc<dyn PersonalData>, Error> {
        let keys = PersonalDataKeys::parse(&self.secret(SecretName::PersonalData).await?)?;
        Ok(Arc::new(XChaChaPersonalData::new(keys, self.base.entropy.clone())))
    }

    pub async fn codes(&self) -> Result<Arc<dyn Codes>, Error> {
        let peppers = CodePeppers::parse(&self.secret(SecretName::CodePepper).await?)?;
        Ok(Arc::new(HmacCodes::new(peppers)))
    }

    pub async fn recovery(&self) -> Result<Arc<dyn RecoveryMacs>, Error> {
        let peppers = RecoveryPeppers::parse(&self.secret(SecretName::RecoveryPepper).await?)?;
        Ok(Arc::new(HmacRecoveryCodes::new(peppers)))
    }

    /// What the functions that finish logins have.
    pub async fn finishing(&self) -> Result<Finishing, Error> {
        let (sealing, signing) =
            futures::try_join!(self.secret(SecretName::Sealing), self.secret(SecretName::Signing))?;
        let keys = SigningKeys::parse(&signing)?;
        let (base, entropy) = (self.environment.base_url()?, || self.base.entropy.clone());
        let sealer = XChaChaLoginSealer::new(SealingKeys::parse(&sealing)?, entropy()).with_proofs(&keys);
        let access = AccessTokenVerifier::new(&keys.public_keys(), &base);
        let signer = Es256TokenSigner::new(keys, &base, entropy());
        Ok(Finishing { sealer: Arc::new(sealer), signer: Arc::new(signer), access: Arc::new(access) })
    }

    pub async fn access_tokens(&self) -> Result<Arc<dyn AccessTokens>, Error> {
        let keys = PublicKeys::parse(&self.secret(SecretName::PublicKeys).await?)?;
        Ok(Arc::new(AccessTokenVerifier::new(&keys, &self.environment.base_url()?)))
    }

    pub async fn operator(&self) -> Result<OperatorHashes, Error> {
        Ok(OperatorHashes::parse(&self.secret(SecretName::Operator).await?)?)
    }

    pub fn passwords(&self) -> Result<Arc<dyn Passwords>, Error> {
        let passwords = Argon2Passwords::new(self.base.entropy.clone());
        Ok(Arc::new(passwords.map_err(|fault| fault.to_string())?))
    }

    pub fn id_tokens(&self) -> Result<Arc<dyn IdTokens>, Error> {
        Ok(Arc::new(OidcIdTokens::new(self.environment.issuer_addresses()?)))
    }

    /// Asked for before the secrets, its connection is opened beside theirs.
    pub fn sms(&self) -> Result<Arc<dyn SmsSender>, Error> {
        let sender = Arc::new(SnsSender::new(self.aws.sns(), self.environment.sms()?));
        let connecting = Arc::clone(&sender);
        let opening = tokio::spawn(async move { connecting.connect().await });
        self.warming.lock().unwrap_or_else(PoisonError::into_inner).push(opening);
        Ok(sender)
    }

    /// This deployment's own address, which every issuer starts with.
    pub fn base_url(&self) -> Result<String, Error> {
        Ok(self.environment.base_url()?)
    }

    /// Where this deployment's own pages are.
    pub fn own_origin(&self) -> Result<String, Error> {
        Ok(self.environment.own_origin()?)
    }

    /// Serves until Lambda stops the environment, once the connections are open.
    pub async fn serve<A: Send + Sync + 'static>(
        self,
        app: A,
        routes: &'static [Route<A>],
    ) -> Result<(), Error> {
        self.serve_edge(|edge| edge.mount(Arc::new(app), routes)).await
    }

    /// As [`Lambda::serve`], with browsers' preflight requests.
    pub async fn serve_with_preflight<A: Send + Sync + 'static>(
        self,
        app: A,
        routes: &'static [Route<A>],
    ) -> Result<(), Error> {
        let origins = Arc::new(self.base.store.clone());
        self.serve_edge(|edge| edge.mount(Arc::new(app), routes).with_preflight(origins)).await
    }

    /// Hands the changes of the logins table to `consumer` until Lambda stops the environment.
    pub async fn serve_stream<C: Consumer + 'static>(self, consumer: C) -> Result<(), Error> {
        self.warm().await;
        crate::stream::run(Arc::new(consumer)).await
    }

    async fn serve_edge(self, mount: impl FnOnce(Edge) -> Edge) -> Result<(), Error> {
        self.warm().await;
        let clock: Arc<dyn Clock> = self.base.clock.clone();
        let entropy: Arc<dyn Entropy> = self.base.entropy.clone();
        crate::http::lambda::run(mount(Edge::new(clock, entropy))).await
    }

    async fn warm(&self) {
        let opening = std::mem::take(&mut *self.warming.lock().unwrap_or_else(PoisonError::into_inner));
        if tokio::time::timeout(WARMING, futures::future::join_all(opening)).await.is_err() {
            tracing::debug!("the connections were not opened in time");
        }
    }
}
