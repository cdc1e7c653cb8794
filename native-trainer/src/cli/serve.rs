//! `dermake serve`.

use anyhow::Result;
use clap::Args;
use native_trainer::server::{ServeConfig, serve};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve the page and quantised models
#[derive(Debug, Args)]
pub struct Serve {
    /// The built page
    #[arg(long, env = "DERMAKE_APP", default_value = "web/dist", value_name = "DIR")]
    app: PathBuf,

    /// A folder from `dermake quantize`; may be repeated, the first is the page's default
    #[arg(long = "models", env = "DERMAKE_MODELS", required = true, value_delimiter = ',', value_name = "DIR")]
    models: Vec<PathBuf>,

    /// Address to listen on
    #[arg(long, env = "DERMAKE_HOST", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,

    /// Port to listen on; 0 takes any free one
    #[arg(long, env = "DERMAKE_PORT", default_value_t = 8080)]
    port: u16,
}

impl Serve {
    pub fn run(self) -> Result<ExitCode> {
        let address = SocketAddr::new(self.host, self.port);
        let config = ServeConfig { app: self.app, models: self.models, address };
        tokio::runtime::Runtime::new()?.block_on(serve(config))?;
        Ok(ExitCode::SUCCESS)
    }
}
