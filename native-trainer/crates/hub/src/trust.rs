//! The trusted certificates: the public roots, the system's, and those that the environment names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_native_certs::{load_certs_from_paths, load_native_certs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, RootCerts};

use super::error::{Error, Result};

/// Variables that name a bundle of certificates, or a folder of them.
const BUNDLES: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// A file or folder of certificates and the variable that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    variable: &'static str,
    path: PathBuf,
}

/// The bundles that the environment names. `SSL_CERT_DIR` may be a list, as in OpenSSL.
pub(super) fn bundles(get: impl Fn(&str) -> Option<String>) -> Vec<Bundle> {
    let named = |variable: &'static str| {
        let paths: Vec<PathBuf> = match get(variable) {
            Some(value) if variable == "SSL_CERT_DIR" => std::env::split_paths(&value).collect(),
            value => value.map(PathBuf::from).into_iter().collect(),
        };
        paths.into_iter().filter(|path| !path.as_os_str().is_empty()).map(move |path| Bundle { variable, path })
    };
    BUNDLES.into_iter().flat_map(named).collect()
}

/// All roots that count.
///
/// # Errors
/// A bundle that cannot be read or holds no certificate.
pub(super) fn roots(bundles: &[Bundle]) -> Result<RootCerts> {
    let mut roots: Vec<Certificate<'static>> =
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Certificate::from_der(der)).collect();
    let system = load_native_certs();
    for error in &system.errors {
        tracing::debug!("a certificate of the system is left out: {error}");
    }
    let mut owned = system.certs;
    for Bundle { variable, path } in bundles {
        owned.extend(read(variable, path)?);
    }
    roots.extend(owned.iter().map(|der| Certificate::from_der(der).to_owned()));
    Ok(RootCerts::Specific(Arc::new(roots)))
}

fn read(variable: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let failed = |cause| Error::Certificates { variable, path: path.to_owned(), cause };
    let found = if path.is_dir() {
        load_certs_from_paths(None, Some(path))
    } else {
        load_certs_from_paths(Some(path), None)
    };
    match found.errors.into_iter().next() {
        Some(error) if found.certs.is_empty() || !path.is_dir() => Err(failed(error.into())),
        _ if found.certs.is_empty() && !path.is_dir() => Err(failed("it holds no certificate in PEM form".into())),
        _ => Ok(found.certs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificates(get: &[(&str, &str)]) -> Result<usize> {
        let get = |name: &str| get.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        match roots(&bundles(get))? {
            RootCerts::Specific(roots) => Ok(roots.len()),
            _ => Ok(0),
        }
    }

    #[test]
    fn each_variable_adds_its_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["hub".to_owned()]).unwrap();
        let file = folder.path().join("0a1b2c3d.0");
        std::fs::write(&file, made.cert.pem()).unwrap();
        let none = certificates(&[]).unwrap();
        assert!(none > 100, "the public roots count always");
        let (file, folder) = (file.to_str().unwrap(), folder.path().to_str().unwrap());
        for (variable, value) in [
            ("SSL_CERT_FILE", file),
            ("SSL_CERT_DIR", folder),
            ("REQUESTS_CA_BUNDLE", file),
            ("REQUESTS_CA_BUNDLE", folder),
            ("CURL_CA_BUNDLE", file),
        ] {
            assert_eq!(certificates(&[(variable, value)]).unwrap(), none + 1, "{variable}");
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_with_its_variable() {
        let folder = tempfile::tempdir().unwrap();
        let no_pem = folder.path().join("no.pem");
        std::fs::write(&no_pem, "no certificate").unwrap();
        for path in [folder.path().join("absent.pem"), no_pem] {
            for variable in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"] {
                let error = certificates(&[(variable, path.to_str().unwrap())]).unwrap_err().to_string();
                assert!(error.contains(variable) && error.contains(".pem"), "{error}");
            }
        }
    }
}
