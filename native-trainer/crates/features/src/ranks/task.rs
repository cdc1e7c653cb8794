//! What the first rank sends to another, and what it receives.

use crate::vision::{EncodedFiles, Outcome};
use anyhow::{Result, bail};
use dermake_collectives::RankError;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;

/// The next work of a rank.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Task {
    /// Load the model at this place of the command's models.
    Load(usize),
    /// Encode the images of the last such task, and read these; `is_first`: there is no last one.
    Images { paths: Vec<OsString>, is_first: bool },
    /// Encode texts.
    Texts(Vec<String>),
    /// End.
    End { is_interrupted: bool },
}

/// What a rank has encoded.
#[derive(Debug, PartialEq)]
pub struct Reply {
    pub outcomes: Vec<Outcome>,
    /// `[n, E]` row-major.
    pub features: Vec<f32>,
    /// Whether this rank was asked to stop.
    pub is_interrupted: bool,
}

/// The part of a reply that is not features.
#[derive(Serialize, Deserialize)]
struct Head {
    outcomes: Result<Vec<Outcome>, String>,
    is_interrupted: bool,
}

impl Reply {
    /// The bytes of a reply: the length of its head, the head as JSON, the features.
    pub fn bytes(encoded: Result<EncodedFiles>, is_interrupted: bool) -> Result<Vec<u8>> {
        let (outcomes, features) = match encoded {
            Ok(EncodedFiles { outcomes, features }) => (Ok(outcomes), features),
            Err(err) => (Err(format!("{err:#}")), Vec::new()),
        };
        let head = serde_json::to_vec(&Head { outcomes, is_interrupted })?;
        Ok([&(head.len() as u64).to_le_bytes(), &head[..], bytemuck::cast_slice(&features)].concat())
    }

    /// Reads the reply of a rank.
    ///
    /// # Errors
    /// When the rank could not encode, or the bytes are no reply.
    pub fn read(bytes: &[u8], rank: usize, embed_dim: usize) -> Result<Self> {
        let Some((head, features)) = parts(bytes) else { return Err(no_reply(rank, bytes.len()).into()) };
        let Head { outcomes, is_interrupted } =
            serde_json::from_slice(head).map_err(|_| no_reply(rank, bytes.len()))?;
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(message) => bail!("on rank {rank}: {message}"),
        };
        if !features.len().is_multiple_of(4 * embed_dim) {
            return Err(no_reply(rank, bytes.len()).into());
        }
        let features = features.chunks_exact(4).map(bytemuck::pod_read_unaligned).collect();
        Ok(Self { outcomes, features, is_interrupted })
    }
}

fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

fn no_reply(rank: usize, n_bytes: usize) -> RankError {
    RankError::Failed { rank, message: format!("it sent {n_bytes} bytes that are no features") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_as_it_was_sent() {
        let outcomes = vec![
            Outcome::Encoded { sha256: [7; 32], n_bytes: 9 },
            Outcome::Unread("no \u{1F41F}".into()),
            Outcome::Damaged { sha256: [8; 32], n_bytes: 10, problem: "no picture".into() },
        ];
        let features = vec![0.1f32, -0.0, f32::MIN_POSITIVE, 1e-40];
        let sent = EncodedFiles { outcomes: outcomes.clone(), features: features.clone() };
        let bytes = Reply::bytes(Ok(sent), true).unwrap();
        let found = Reply::read(&bytes, 1, 4).unwrap();
        assert_eq!((found.outcomes, found.is_interrupted), (outcomes, true));
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&found.features), bits(&features));

        let failed = Reply::bytes(Err(anyhow::anyhow!("no memory")), false).unwrap();
        assert_eq!(Reply::read(&failed, 2, 4).unwrap_err().to_string(), "on rank 2: no memory");
        for cut in [0, 3, 8, 20, bytes.len() - 1] {
            assert!(Reply::read(&bytes[..cut], 1, 4).unwrap_err().is::<RankError>(), "{cut}");
        }
    }
}
