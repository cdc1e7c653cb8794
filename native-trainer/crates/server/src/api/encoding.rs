//! Encodings of features: numbers, or their bytes in base64, a third of the size.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared_model::api::Embedding;

/// The values of `encoding`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    #[default]
    F32,
    Base64,
}

impl Encoding {
    pub(super) fn write(self, feature: Vec<f32>) -> Embedding {
        match self {
            Self::F32 => Embedding::Values(feature),
            Self::Base64 => {
                let bytes: Vec<u8> = feature.iter().flat_map(|value| value.to_le_bytes()).collect();
                Embedding::Base64(STANDARD.encode(bytes))
            }
        }
    }
}

impl FromStr for Encoding {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "base64" => Ok(Self::Base64),
            _ => Err("f32 or base64".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_of_the_little_endian_bytes() {
        // python3 -c 'import base64, struct; print(base64.b64encode(struct.pack("<2f", 1, -2.5)).decode())'
        assert_eq!(Encoding::Base64.write(vec![1.0, -2.5]), Embedding::Base64("AACAPwAAIMA=".into()));
        assert_eq!(Encoding::F32.write(vec![1.0]), Embedding::Values(vec![1.0]));
        assert_eq!("base64".parse(), Ok(Encoding::Base64));
        assert!("float".parse::<Encoding>().is_err());
    }
}
