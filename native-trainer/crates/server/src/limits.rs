//! Limits for one request, one client, and all clients together.

use std::time::Duration;

use super::error::{Error, Result};

/// All limits of a request. A request over a limit is refused with its own status and code.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Largest body of a request, in MiB
    pub max_body_mib: u32,
    /// Largest memory for the bodies of all current requests together, in MiB
    pub max_bodies_mib: u32,
    /// Largest image, in megapixels; read from its header before it is decoded
    pub max_megapixels: u32,
    /// Largest number of images in a request
    pub max_images: u32,
    /// Largest number of custom labels, concepts or texts in a request
    pub max_labels: u32,
    /// Longest label, concept, text or template, in bytes
    pub max_label_bytes: u32,
    /// Largest number of sentences that a request may have encoded: its labels times its templates. Four times as many
    /// may wait for one model
    pub max_prompts: u32,
    /// Largest number of images that wait for one model, decoded or not; at least `max_images`
    pub queue_length: u32,
    /// Longest time for a model's answer, once the request has arrived, in seconds
    pub request_timeout_secs: u32,
    /// Longest pause within a request's body, in seconds; the whole body may take as long, and a second more for each
    /// 64 KiB
    pub body_timeout_secs: u32,
    /// Longest time for a request's head to arrive, in seconds
    pub header_timeout_secs: u32,
    /// Longest wait for the next request on an open connection, in seconds, or the time for its head if that is longer
    pub idle_timeout_secs: u32,
    /// Longest time that a client may read nothing of its answer, in seconds
    pub write_timeout_secs: u32,
    /// Requests to models that one client may send per second on average; 0 means no limit
    pub rate_per_sec: u32,
    /// Requests that one client may send at once, before --rate-per-sec applies
    pub rate_burst: u32,
    /// Largest number of open connections
    pub max_connections: u32,
    /// Largest number of open connections from one address; all clients behind a proxy share its address
    pub max_connections_per_client: u32,
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
        max_prompts: 4000, // `max_labels` in the eight templates
        queue_length: 64,
        request_timeout_secs: 30,
        body_timeout_secs: 15,
        header_timeout_secs: 10,
        idle_timeout_secs: 75, // longer than the 60 s of most load balancers
        write_timeout_secs: 30,
        rate_per_sec: 20,
        rate_burst: 40,
        max_connections: 512,
        max_connections_per_client: 128,
    };

    /// Checks that a request that is within its own limits can be answered.
    ///
    /// # Errors
    /// [`Error::QueueLength`].
    pub(super) fn check(&self) -> Result<()> {
        let (queue_length, max_images) = (self.queue_length, self.max_images);
        if queue_length < max_images { Err(Error::QueueLength { queue_length, max_images }) } else { Ok(()) }
    }

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

    /// Longest wait for the next head, and for all of it.
    pub(super) fn idle_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_timeout_secs.max(self.header_timeout_secs).into())
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

#[cfg(test)]
mod tests {
    use super::*;
    use shared_model::labels::{ConceptTemplates, Templates};

    /// Found in use: of the 500 labels and concepts that were promised, 256 and 340 could be sent.
    #[test]
    fn as_many_labels_and_concepts_as_are_allowed_can_be_encoded() {
        let Limits { max_labels, max_prompts, .. } = Limits::DEFAULT;
        assert!(max_labels as usize * Templates::skin().as_slice().len() <= max_prompts as usize);
        let n_concepts = max_labels as usize + 1; // and the reference
        assert!(n_concepts * ConceptTemplates::skin().reference_prompts.len() <= max_prompts as usize);
    }

    #[test]
    fn a_queue_holds_the_images_of_one_request() {
        let check = |queue_length| Limits { queue_length, max_images: 16, ..Limits::DEFAULT }.check();
        assert!(check(16).is_ok());
        let refused = check(8).unwrap_err().to_string();
        assert!(
            refused.starts_with("--queue-length is 8, expected at least --max-images, which is 16"),
            "{refused}"
        );
    }
}
