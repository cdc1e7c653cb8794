//! `dermake serve`.

mod access;
mod infer;
mod limits;

use access::{AccessArguments, TlsArguments};
use anyhow::Result;
use clap::Args;
use dermake_process::host;
use dermake_server::{ServeConfig, host_address, serve};
use infer::InferArguments;
use limits::LimitArguments;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve the page, models and an HTTP API
///
/// Without options, serves the page and the demo model, which are both inside the program. The page runs the model on
/// the visitor's own device. With --infer, the server also answers requests at /v1/classify, /v1/annotate, /v1/embed
/// and /v1/similarity; /v1/openapi.json describes them. No photo is written to disk or to the log.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake serve
  dermake serve --models make-int8
  dermake serve --models make-int8 --infer cpu --tokens tokens.txt
  curl --data-binary @photo.jpg -H 'Content-Type: image/jpeg' 'localhost:8080/v1/classify?labels=pad&top_k=3'")]
pub struct Serve {
    /// Folder of a built page [default: the page inside the program]
    #[arg(long, env = "DERMAKE_APP", value_name = "DIR")]
    app: Option<PathBuf>,

    /// A folder from `dermake quantize`, or a folder of such folders; a model that is added to it later is served
    /// without a restart, and links in it are not followed. May be repeated; the page starts with the first model
    /// [default: demo, the model inside the program, unless --infer-model is given]
    #[arg(long = "models", env = "DERMAKE_MODELS", value_delimiter = ',', value_name = "DIR")]
    models: Vec<PathBuf>,

    /// Address or host name to listen on
    #[arg(long, env = "DERMAKE_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = host_address)]
    host: IpAddr,

    /// Port to listen on; 0 chooses a free one
    #[arg(long, env = "DERMAKE_PORT", default_value_t = 8080)]
    port: u16,

    #[command(flatten)]
    infer: InferArguments,

    #[command(flatten)]
    access: AccessArguments,

    #[command(flatten)]
    tls: TlsArguments,

    #[command(flatten)]
    limits: LimitArguments,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode> {
        let address = SocketAddr::new(self.host, self.port);
        let Self { app, models, infer, access, tls, limits, .. } = self;
        if infer.device.is_some() {
            host::prepare();
        }
        let config = ServeConfig {
            app,
            models,
            address,
            infer: infer.into(),
            limits: limits.0,
            access: access.into(),
            tls: tls.into(),
        };
        tokio::runtime::Runtime::new()?.block_on(serve(config))?;
        Ok(ExitCode::SUCCESS)
    }
}
