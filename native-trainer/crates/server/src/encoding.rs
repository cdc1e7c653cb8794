//! Compressed forms of a file, made once at start-up and chosen by what a browser accepts.

use std::io::{self, Write};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};

/// Below this a compressed form saves no packet.
const MIN_BYTES: usize = 1024;

/// Within 15 % of brotli's smallest for WebAssembly, in a twelfth of its time.
const BROTLI_QUALITY: u32 = 9;

/// Within 8 % of level 17's size for WebAssembly, in a sixth of its time. Browsers that support zstd support brotli
/// too.
const ZSTD_LEVEL: i32 = 12;

/// A content encoding.
pub(super) struct Coding {
    /// In `Content-Encoding`.
    name: &'static str,
    /// Of a file that was compressed beforehand and is beside the plain one.
    pub(super) extension: &'static str,
    encode: fn(&[u8]) -> io::Result<Vec<u8>>,
}

/// Encodings that a browser may accept, the smallest first.
pub(super) const CODINGS: [Coding; 3] = [
    Coding { name: "br", extension: "br", encode: brotli_of },
    Coding { name: "zstd", extension: "zst", encode: |content| zstd::encode_all(content, ZSTD_LEVEL) },
    Coding { name: "gzip", extension: "gz", encode: gzip_of },
];

/// Compressed forms in the order of [`CODINGS`].
pub(super) type Forms = [Option<Vec<u8>>; CODINGS.len()];

/// One file's content, as it is and compressed.
pub(super) struct Variants {
    plain: Bytes,
    forms: [Option<Bytes>; CODINGS.len()],
}

/// One of the forms, with the name it has in `Content-Encoding`.
pub(super) struct Chosen {
    pub(super) encoding: Option<&'static str>,
    pub(super) body: Bytes,
}

impl Variants {
    /// Just the content.
    pub(super) fn plain(content: Vec<u8>) -> Self {
        Self { plain: content.into(), forms: Default::default() }
    }

    /// The content with its compressed forms; missing ones are made if they are smaller.
    pub(super) fn compressed(content: Vec<u8>, mut beside: Forms) -> Self {
        let plain = Bytes::from(content);
        let made = |coding: &Coding| {
            let is_large = plain.len() >= MIN_BYTES;
            let form = is_large.then(|| (coding.encode)(&plain).ok()).flatten()?;
            (form.len() < plain.len()).then_some(form)
        };
        let forms = std::array::from_fn(|i| beside[i].take().or_else(|| made(&CODINGS[i])).map(Bytes::from));
        Self { plain, forms }
    }

    /// The content with its brotli form. Of the others, only gzip is made: browsers with zstd have brotli too, and over
    /// plain HTTP from another machine they accept neither.
    pub(super) fn with_brotli(content: Vec<u8>, brotli: &'static [u8]) -> Self {
        let form = |coding: &Coding| match coding.name {
            "br" => Some(Bytes::from_static(brotli)),
            "gzip" => gzip_of(&content).ok().map(Bytes::from),
            _ => None,
        };
        let is_smaller = |form: &Bytes| content.len() >= MIN_BYTES && form.len() < content.len();
        let forms = std::array::from_fn(|i| form(&CODINGS[i]).filter(is_smaller));
        Self { forms, plain: content.into() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.plain
    }

    /// Returns whether the answer depends on `Accept-Encoding`.
    pub(super) fn has_choice(&self) -> bool {
        self.forms.iter().any(Option::is_some)
    }

    /// The smallest form that the request's `Accept-Encoding` allows.
    pub(super) fn choose(&self, request: &HeaderMap) -> Chosen {
        let accepted: Vec<_> =
            request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
        let accepted = accepted.join(",");
        for (coding, form) in CODINGS.iter().zip(&self.forms) {
            if let Some(body) = form.as_ref().filter(|_| accepts(&accepted, coding.name)) {
                return Chosen { encoding: Some(coding.name), body: body.clone() };
            }
        }
        Chosen { encoding: None, body: self.plain.clone() }
    }
}

/// Returns whether an `Accept-Encoding` names `encoding`, or `*`, with a weight other than zero.
fn accepts(header: &str, encoding: &str) -> bool {
    let weight_of = |wanted: &str| {
        header.split(',').find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_wanted = parts.next()?.eq_ignore_ascii_case(wanted);
            let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
            is_wanted.then(|| weight.unwrap_or(1.0_f32))
        })
    };
    weight_of(encoding).or_else(|| weight_of("*")).is_some_and(|weight| weight > 0.0)
}

fn brotli_of(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, BROTLI_QUALITY, 22);
    encoder.write_all(content)?;
    Ok(encoder.into_inner())
}

fn gzip_of(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn accept_encoding_is_read() {
        for (header, accepted) in [
            ("gzip, deflate, br, zstd", [true, true, true]),
            ("GZIP;q=0.5", [false, false, true]),
            ("br;q=0, *", [false, true, true]),
            ("identity", [false, false, false]),
            ("", [false, false, false]),
            ("*;q=0", [false, false, false]),
        ] {
            assert_eq!(CODINGS.map(|coding| accepts(header, coding.name)), accepted, "{header}");
        }
    }

    #[test]
    fn small_or_dense_content_stays_as_it_is() {
        assert!(!Variants::compressed(vec![b' '; MIN_BYTES - 1], Default::default()).has_choice());
        let noise = (0..128_u8).flat_map(|seed| Sha256::digest([seed])).collect();
        assert!(!Variants::compressed(noise, Default::default()).has_choice());
        assert!(Variants::compressed(vec![b' '; MIN_BYTES], Default::default()).has_choice());
    }
}
