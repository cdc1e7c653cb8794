//! `dermake serve`.

use anyhow::Result;
use clap::Args;
use dermake_process::host;
use dermake_server::{AccessOptions, InferOptions, Limits, ServeConfig, TlsOptions, host_address, serve};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve the page and quantised models, and answer with models
///
/// Without options it serves the page and the demo model, which are inside the program. The page answers on the visitor's own device. With --infer the server answers too, at /v1/classify, /v1/annotate,
/// /v1/embed and /v1/similarity; /v1/openapi.json describes them. No photo is written to disk or to the log.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake serve
  dermake serve --models make-int8
  dermake serve --models make-int8 --infer cpu --tokens tokens.txt
  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' 'localhost:8080/v1/classify?labels=pad&top_k=3'")]
pub struct Serve {
    /// The folder of a built page [default: the page inside the program]
    #[arg(long, env = "DERMAKE_APP", value_name = "DIR")]
    app: Option<PathBuf>,

    /// A folder from `dermake quantize`, or a folder of such folders, where a new one is found without a restart; may be
    /// repeated, the first is the page's default [default: demo, the model inside the program, unless --infer-model
    /// names one]
    #[arg(long = "models", env = "DERMAKE_MODELS", value_delimiter = ',', value_name = "DIR")]
    models: Vec<PathBuf>,

    /// Address to listen on, or the name of a host
    #[arg(long, env = "DERMAKE_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = host_address)]
    host: IpAddr,

    /// Port to listen on; 0 takes any free one
    #[arg(long, env = "DERMAKE_PORT", default_value_t = 8080)]
    port: u16,

    #[command(flatten)]
    infer: InferOptions,

    #[command(flatten)]
    access: AccessOptions,

    #[command(flatten)]
    tls: TlsOptions,

    #[command(flatten)]
    limits: Limits,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode> {
        let address = SocketAddr::new(self.host, self.port);
        let Self { app, models, infer, access, tls, limits, .. } = self;
        if infer.device.is_some() {
            host::prepare();
        }
        let config = ServeConfig { app, models, address, infer, limits, access, tls };
        tokio::runtime::Runtime::new()?.block_on(serve(config))?;
        Ok(ExitCode::SUCCESS)
    }
}
