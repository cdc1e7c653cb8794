//! Options of access and TLS.

use clap::Args;
use clap::builder::BoolishValueParser;
use dermake_server::{AccessOptions, TlsOptions};
use std::path::PathBuf;

/// Who may send requests to the models.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub struct AccessArguments {
    /// A file with one bearer token per line and # before comments, read again when it changes. Without it, everybody
    /// who reaches the server may send requests
    #[arg(long, env = "DERMAKE_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,

    /// Another site whose pages may send requests and download the models, for example https://example.org; may be
    /// repeated
    #[arg(long = "cors-origin", env = "DERMAKE_CORS_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    cors_origins: Vec<String>,

    /// Take the client's address from the last entry of X-Forwarded-For; use it only behind a proxy that sets this
    /// header, which clients could otherwise forge
    #[arg(long, env = "DERMAKE_BEHIND_PROXY", value_parser = BoolishValueParser::new())]
    behind_proxy: bool,
}

impl From<AccessArguments> for AccessOptions {
    fn from(AccessArguments { tokens, cors_origins, behind_proxy }: AccessArguments) -> Self {
        Self { tokens, cors_origins, behind_proxy }
    }
}

/// Options of TLS.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsArguments {
    /// Certificate chain in PEM, read again when it changes; the server then answers HTTPS only
    #[arg(long = "tls-cert", env = "DERMAKE_TLS_CERT", value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long = "tls-key", env = "DERMAKE_TLS_KEY", value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

impl From<TlsArguments> for TlsOptions {
    fn from(TlsArguments { certificate, key }: TlsArguments) -> Self {
        Self { certificate, key }
    }
}
