//! `dermake site`.

use anyhow::Result;
use clap::Args;
use dermake_process::print;
use dermake_server::write_static_site;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write the page and models as files for any web host
///
/// The folder needs no program on the server: copy it to a static host or a bucket, at the root or below any path. The
/// page runs the model on the visitor's own device, as with `dermake serve`. On a host that does not send the headers
/// that isolate a page, the first visit uses one thread; from the second on, the page's service worker adds them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  dermake site --out site
  dermake site --models make-int8 --out site
  python3 -m http.server --directory site")]
pub struct Site {
    /// Folder of a built page [default: the page inside the program]
    #[arg(long, env = "DERMAKE_APP", value_name = "DIR")]
    app: Option<PathBuf>,

    /// A folder from `dermake quantize`, or a folder of such folders. May be repeated; the page starts with the first
    /// model [default: demo, the model inside the program]
    #[arg(long = "models", env = "DERMAKE_MODELS", value_delimiter = ',', value_name = "DIR")]
    models: Vec<PathBuf>,

    /// New folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Site {
    pub fn run(self) -> Result<ExitCode> {
        let site = write_static_site(self.app.as_deref(), &self.models, &self.out)?;
        let megabytes = site.size_bytes as f64 / 1e6;
        let (out, models) = (self.out.display(), site.models.join(", "));
        print::summary(&format!("{out}: {} files, {megabytes:.1} MB, with {models}\n", site.n_files))?;
        Ok(ExitCode::SUCCESS)
    }
}
