//! How many bits the matrices of a text tower have in int4.

use crate::config::Parameter;
use crate::weights::code_bits::CodeBits;
use crate::weights::{int4, six_bits};
use std::collections::HashMap;

/// The table of embeddings, which is more than half of a text tower in four bits.
pub(super) const TABLE: &str = "token_embedding.weight";
/// Bits that a value of the table is spared.
const SPARED: usize = 8 - CodeBits::Six.width();
/// Which matrices get one more bit, in this order. The text's feature gains most by the first ones.
const UPGRADES: [(&str, CodeBits); 6] = [
    ("attn.in_proj_weight", CodeBits::Five),
    ("mlp.c_proj.weight", CodeBits::Five),
    ("attn.out_proj.weight", CodeBits::Five),
    ("mlp.c_fc.weight", CodeBits::Five),
    ("attn.in_proj_weight", CodeBits::Six),
    ("attn.out_proj.weight", CodeBits::Six),
];

/// The bits of the matrices of a tower, by the ends of their keys; four for all others.
#[derive(Clone, Debug, Default)]
pub(super) struct MatrixBits(HashMap<&'static str, CodeBits>);

impl MatrixBits {
    /// Spends what a table of six bits saves on the matrices, so that the tower is no larger than with a table of bytes
    /// and four bits. A tower without a table has four bits.
    pub fn of(parameters: &[Parameter]) -> Self {
        let size = |parameter: &Parameter| parameter.shape.iter().product::<usize>();
        let is_table = |parameter: &&Parameter| {
            parameter.name == TABLE && parameter.shape.last().is_some_and(|&width| six_bits::fits(width))
        };
        let mut saved: usize = parameters.iter().filter(is_table).map(|table| SPARED * size(table)).sum();
        let mut bits = HashMap::new();
        for (suffix, wanted) in UPGRADES {
            let fits = |parameter: &&Parameter| {
                let matrix = matches!(parameter.shape[..], [n_out, n_in] if int4::is_packable(n_out, n_in));
                matrix && parameter.name.ends_with(suffix)
            };
            let cost: usize = parameters.iter().filter(fits).map(size).sum();
            if cost <= saved {
                saved -= cost;
                bits.insert(suffix, wanted);
            }
        }
        Self(bits)
    }

    /// Returns the bits of the matrix of this key.
    pub fn of_matrix(&self, name: &str) -> CodeBits {
        let found = self.0.iter().find(|(suffix, _)| name.ends_with(*suffix));
        found.map_or(CodeBits::Four, |(_, bits)| *bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ClipConfig;

    /// Bytes of a text tower's big matrices and table in int4.
    fn bytes(parameters: &[Parameter], bits: impl Fn(&str) -> usize) -> usize {
        let size = |parameter: &Parameter| parameter.shape.iter().product::<usize>();
        let of = |parameter: &Parameter| bits(&parameter.name) * size(parameter);
        let is_big = |name: &str| name == TABLE || crate::quantize::is_block_matrix(name);
        parameters.iter().filter(|parameter| is_big(&parameter.name)).map(of).sum::<usize>() / 8
    }

    #[test]
    fn a_tower_is_no_larger_for_it() {
        for (name, of_c_fc) in [("ViT-B-16", CodeBits::Five), ("ViT-L-14", CodeBits::Four)] {
            let parameters = ClipConfig::named(name).unwrap().text_parameters();
            let bits = MatrixBits::of(&parameters);
            let now = bytes(&parameters, |name| if name == TABLE { 6 } else { bits.of_matrix(name).width() });
            let before = bytes(&parameters, |name| if name == TABLE { 8 } else { 4 });
            assert!(now <= before && now * 100 > before * 98, "{name}: {now} of {before}");
            let of = |suffix| bits.of_matrix(&format!("transformer.resblocks.3.{suffix}"));
            let found = [of("attn.out_proj.weight"), of("mlp.c_proj.weight"), of("mlp.c_fc.weight")];
            assert_eq!(found, [CodeBits::Six, CodeBits::Five, of_c_fc], "{name}");
        }
        let vision = ClipConfig::named("ViT-B-16").unwrap().vision_parameters();
        let bits = MatrixBits::of(&vision);
        assert!(vision.iter().all(|parameter| bits.of_matrix(&parameter.name) == CodeBits::Four));
    }
}
