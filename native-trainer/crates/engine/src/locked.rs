//! Which part of a tower is locked: it is computed as it is, and gets no gradients.

/// The locked part of a tower, from its inputs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locked {
    #[default]
    Nothing,
    /// The embeddings, and this many blocks from the first on.
    Blocks(usize),
    /// The whole tower.
    Tower,
}

impl Locked {
    /// Locked blocks of a tower with `layers` blocks.
    pub fn n_blocks(self, layers: usize) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Blocks(n) => n.min(layers),
            Self::Tower => layers,
        }
    }
}
