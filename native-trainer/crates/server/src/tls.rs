//! TLS by two files: a certificate chain and its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{Error, Result};

const CERTIFICATE: &str = "certificate";

/// Options of TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificate chain in PEM; the server then answers HTTPS only
    pub certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    pub key: Option<PathBuf>,
}

impl TlsOptions {
    /// # Errors
    /// [`Error::Tls`] if a file cannot be read, or the certificate and key do not match.
    pub(super) fn acceptor(&self) -> Result<Option<TlsAcceptor>> {
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else { return Ok(None) };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
            .map_err(|source| unusable(CERTIFICATE, certificate, source))?;
        if chain.is_empty() {
            return Err(unusable(CERTIFICATE, certificate, PemError::NoItemsFound));
        }
        let private_key =
            PrivateKeyDer::from_pem_file(key).map_err(|source| unusable("private key", key, source))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|source| unusable(CERTIFICATE, certificate, source))?
            .with_no_client_auth()
            .with_single_cert(chain, private_key)
            .map_err(|source| unusable("certificate with this private key", certificate, source))?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

fn unusable(what: &'static str, path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Tls { what, path: path.to_owned(), source: Box::new(source) }
}
