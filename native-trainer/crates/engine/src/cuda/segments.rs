//! Rows grouped by key, for gradients of embeddings: each key's gradient is a sum over its rows, in a fixed order.

#![cfg_attr(not(feature = "cuda"), allow(dead_code, reason = "without CUDA only the tests read it"))]

use super::signatures::EMBEDDING_PIECE_ROWS;

/// Rows sorted by key; the rows of a key cut into pieces that are summed independently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Row numbers by key; rows of one key in ascending order.
    pub order: Vec<i32>,
    /// The start of each piece in `order`, and at the end the number of rows.
    pub piece_starts: Vec<i32>,
    /// The distinct keys, ascending.
    pub keys: Vec<i32>,
    /// The first piece of each key, and behind them the number of pieces.
    pub key_pieces: Vec<i32>,
}

impl Segments {
    pub fn new(keys_of_rows: &[u32]) -> Self {
        let mut order: Vec<i32> = (0..keys_of_rows.len() as i32).collect();
        order.sort_by_key(|&row| keys_of_rows[row as usize]); // stable
        let (mut piece_starts, mut keys, mut key_pieces) = (vec![0], Vec::new(), vec![0]);
        let mut end = 0;
        for rows in order.chunk_by(|&a, &b| keys_of_rows[a as usize] == keys_of_rows[b as usize]) {
            for piece in rows.chunks(EMBEDDING_PIECE_ROWS) {
                end += piece.len();
                piece_starts.push(end as i32);
            }
            keys.push(keys_of_rows[rows[0] as usize] as i32);
            key_pieces.push(piece_starts.len() as i32 - 1);
        }
        Self { order, piece_starts, keys, key_pieces }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_by_key_and_long_segments_are_cut() {
        let segments = Segments::new(&[5, 3, 5]);
        let expected = Segments {
            order: vec![1, 0, 2],
            piece_starts: vec![0, 1, 3],
            keys: vec![3, 5],
            key_pieces: vec![0, 1, 2],
        };
        assert_eq!(segments, expected);

        let keys: Vec<u32> = (0..300).map(|row| u32::from(row % 100 == 0)).collect();
        let segments = Segments::new(&keys);
        assert_eq!(segments.keys, [0, 1]);
        assert_eq!(segments.piece_starts, [0, 128, 256, 297, 300]);
        assert_eq!(segments.key_pieces, [0, 3, 4]);
        assert_eq!(segments.order[297..], [0, 100, 200]);
    }
}
