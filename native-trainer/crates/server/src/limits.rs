//! Limits for one request, one client, and all clients together.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedI64ValueParser;
use shared_model::labels::MAX_LABEL_BYTES;
use shared_model::preprocess::MAX_MEGAPIXELS;

/// All limits of a request. A request over a limit is refused with its own status and code.
#[derive(Debug, Clone, PartialEq, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Largest body of a request, in MiB
    #[arg(long, env = "DERMAKE_MAX_BODY_MIB", default_value_t = DEFAULT.max_body_mib, value_parser = up_to(1024))]
    pub max_body_mib: u32,

    /// Largest memory for the bodies of all current requests together, in MiB
    #[arg(
        long,
        env = "DERMAKE_MAX_BODIES_MIB",
        default_value_t = DEFAULT.max_bodies_mib,
        value_parser = up_to(1_000_000)
    )]
    pub max_bodies_mib: u32,

    /// Largest image, in megapixels; read from its header before it is decoded
    #[arg(
        long,
        env = "DERMAKE_MAX_MEGAPIXELS",
        default_value_t = DEFAULT.max_megapixels,
        value_parser = up_to(MAX_MEGAPIXELS)
    )]
    pub max_megapixels: u32,

    /// Largest number of images in a request
    #[arg(long, env = "DERMAKE_MAX_IMAGES", default_value_t = DEFAULT.max_images, value_parser = up_to(1024))]
    pub max_images: u32,

    /// Largest number of custom labels, concepts or texts in a request
    #[arg(long, env = "DERMAKE_MAX_LABELS", default_value_t = DEFAULT.max_labels, value_parser = up_to(10_000))]
    pub max_labels: u32,

    /// Longest label, concept, text or template, in bytes
    #[arg(
        long,
        env = "DERMAKE_MAX_LABEL_BYTES",
        default_value_t = DEFAULT.max_label_bytes,
        value_parser = up_to(MAX_LABEL_BYTES as u32)
    )]
    pub max_label_bytes: u32,

    /// Largest number of sentences that a request may have encoded: its labels times its templates
    #[arg(long, env = "DERMAKE_MAX_PROMPTS", default_value_t = DEFAULT.max_prompts, value_parser = up_to(100_000))]
    pub max_prompts: u32,

    /// Largest number of images that wait for one model, decoded or not
    #[arg(
        long,
        env = "DERMAKE_QUEUE_LENGTH",
        default_value_t = DEFAULT.queue_length,
        value_parser = up_to(100_000)
    )]
    pub queue_length: u32,

    /// Longest time for a request to a model, in seconds
    #[arg(
        long,
        env = "DERMAKE_REQUEST_TIMEOUT_SECS",
        default_value_t = DEFAULT.request_timeout_secs,
        value_parser = up_to(3600)
    )]
    pub request_timeout_secs: u32,

    /// Longest time for a request's body to arrive, in seconds
    #[arg(
        long,
        env = "DERMAKE_BODY_TIMEOUT_SECS",
        default_value_t = DEFAULT.body_timeout_secs,
        value_parser = up_to(3600)
    )]
    pub body_timeout_secs: u32,

    /// Longest time for a request's head to arrive, and for the next request on an open connection, in seconds
    #[arg(
        long,
        env = "DERMAKE_HEADER_TIMEOUT_SECS",
        default_value_t = DEFAULT.header_timeout_secs,
        value_parser = up_to(3600)
    )]
    pub header_timeout_secs: u32,

    /// Longest time that a client may read nothing of its answer, in seconds
    #[arg(
        long,
        env = "DERMAKE_WRITE_TIMEOUT_SECS",
        default_value_t = DEFAULT.write_timeout_secs,
        value_parser = up_to(3600)
    )]
    pub write_timeout_secs: u32,

    /// Requests to models that one client may send per second on average; 0 means no limit
    #[arg(long, env = "DERMAKE_RATE_PER_SEC", default_value_t = DEFAULT.rate_per_sec)]
    pub rate_per_sec: u32,

    /// Requests that one client may send at once, before --rate-per-sec applies
    #[arg(long, env = "DERMAKE_RATE_BURST", default_value_t = DEFAULT.rate_burst, value_parser = up_to(u32::MAX))]
    pub rate_burst: u32,

    /// Largest number of open connections
    #[arg(
        long,
        env = "DERMAKE_MAX_CONNECTIONS",
        default_value_t = DEFAULT.max_connections,
        value_parser = up_to(1_000_000)
    )]
    pub max_connections: u32,

    /// Largest number of open connections from one address; all clients behind a proxy share its address
    #[arg(
        long,
        env = "DERMAKE_MAX_CONNECTIONS_PER_CLIENT",
        default_value_t = DEFAULT.max_connections_per_client,
        value_parser = up_to(u32::MAX)
    )]
    pub max_connections_per_client: u32,
}

const DEFAULT: Limits = Limits::DEFAULT;

/// A whole number from 1 on.
fn up_to(most: u32) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=i64::from(most))
}

impl Limits {
    /// Defaults for one machine that answers some photos per second.
    pub const DEFAULT: Self = Self {
        max_body_mib: 16,
        max_bodies_mib: 256,
        max_megapixels: 50,
        max_images: 16,
        max_labels: 500,
        max_label_bytes: 300,
        max_prompts: 2048,
        queue_length: 64,
        request_timeout_secs: 30,
        body_timeout_secs: 15,
        header_timeout_secs: 10,
        write_timeout_secs: 30,
        rate_per_sec: 20,
        rate_burst: 40,
        max_connections: 512,
        max_connections_per_client: 128,
    };

    pub(super) fn max_body_bytes(&self) -> usize {
        self.max_body_mib as usize * MIB
    }

    pub(super) fn max_bodies_bytes(&self) -> usize {
        // One complete body must fit, whatever the two settings are.
        self.max_bodies_mib.max(self.max_body_mib) as usize * MIB
    }

    pub(super) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_secs.into())
    }

    pub(super) fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_secs.into())
    }

    pub(super) fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_secs.into())
    }

    pub(super) fn write_timeout(&self) -> Duration {
        Duration::from_secs(self.write_timeout_secs.into())
    }
}

const MIB: usize = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
