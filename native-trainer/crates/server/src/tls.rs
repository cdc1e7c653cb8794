//! TLS by two files: a certificate chain and its key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{Error, Result};
use super::watched::Watched;

const CERTIFICATE: &str = "certificate";

/// Options of TLS.
#[derive(Debug, Clone, Default)]
pub struct TlsOptions {
    /// Certificate chain in PEM, read again when it changes; the server then answers HTTPS only
    pub certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    pub key: Option<PathBuf>,
}

impl TlsOptions {
    /// Returns what accepts TLS connections, if they are asked for.
    ///
    /// # Errors
    /// [`Error::Tls`] if a file cannot be read, or the certificate and key do not match.
    pub(super) fn acceptor(&self) -> Result<Option<Arc<Watched<TlsAcceptor>>>> {
        let (Some(certificate), Some(key)) = (self.certificate.clone(), self.key.clone()) else { return Ok(None) };
        let files = vec![certificate.clone(), key.clone()];
        Watched::new(files, move || acceptor(&certificate, &key)).map(Some)
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<std::result::Result<Vec<_>, _>>)
        .map_err(|source| unusable(CERTIFICATE, certificate, source))?;
    if chain.is_empty() {
        return Err(unusable(CERTIFICATE, certificate, PemError::NoItemsFound));
    }
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|source| unusable("private key", key, source))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|source| unusable(CERTIFICATE, certificate, source))?
        .with_no_client_auth()
        .with_single_cert(chain, private_key)
        .map_err(|source| unusable("certificate with this private key", certificate, source))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn unusable(what: &'static str, path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Tls { what, path: path.to_owned(), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watched::Update;
    use std::fs;

    #[test]
    fn a_renewed_certificate_is_used_once_its_key_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        // Names of other lengths, so that the files have other lengths.
        let pair = |name: &str| {
            let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            (made.cert.pem(), made.signing_key.serialize_pem())
        };
        let [old, new] = ["localhost", "a-much-longer-name.example"].map(pair);
        fs::write(&certificate, old.0).unwrap();
        fs::write(&key, old.1).unwrap();
        let options = TlsOptions { certificate: Some(certificate.clone()), key: Some(key.clone()) };
        let acceptor = options.acceptor().unwrap().unwrap();
        let first = acceptor.get();
        fs::write(&certificate, new.0).unwrap();
        acceptor.update();
        assert!(Arc::ptr_eq(&first, &acceptor.get()), "the certificate is not of this key");
        fs::write(&key, new.1).unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        fs::File::options().append(true).open(&key).unwrap().set_modified(later).unwrap();
        acceptor.update();
        assert!(!Arc::ptr_eq(&first, &acceptor.get()));
    }
}
