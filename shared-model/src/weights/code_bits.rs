//! Whole numbers of four, five and six bits, a few of them joined in whole bytes.

/// Bits of a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CodeBits {
    /// -8 to 7
    Four,
    /// -16 to 15
    Five,
    /// -32 to 31
    Six,
}

impl CodeBits {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Four, Self::Five, Self::Six];

    /// Returns the number of bits.
    pub const fn width(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Five => 5,
            Self::Six => 6,
        }
    }

    /// Returns how many codes are joined: as few as have whole bytes, in multiples of four.
    pub const fn group(self) -> usize {
        match self {
            Self::Four | Self::Six => 4,
            Self::Five => 8,
        }
    }

    /// Returns the number of bytes that these are.
    pub const fn group_bytes(self) -> usize {
        self.width() * self.group() / 8
    }

    /// Returns the number of negative codes, which is the distance of the lowest one from zero.
    pub const fn n_negative(self) -> i32 {
        1 << (self.width() - 1)
    }

    /// Joins codes in multiples of a group: the first one in the lowest bits, each plus the number of negative ones.
    pub fn join(self, codes: &[i8]) -> impl Iterator<Item = u8> {
        codes.chunks_exact(self.group()).flat_map(move |group| {
            let code = |code: i8| (i32::from(code) + self.n_negative()) as u64;
            let bits = group.iter().rev().fold(0, |bits, &next| bits << self.width() | code(next));
            bits.to_le_bytes().into_iter().take(self.group_bytes())
        })
    }

    /// Splits what [`Self::join`] has joined.
    pub fn split(self, bytes: &[u8]) -> impl Iterator<Item = i8> {
        let mask = (1 << self.width()) - 1;
        bytes.chunks_exact(self.group_bytes()).flat_map(move |group| {
            let bits = group.iter().rev().fold(0u64, |bits, &byte| bits << 8 | u64::from(byte));
            (0..self.group()).map(move |at| ((bits >> (at * self.width()) & mask) as i32 - self.n_negative()) as i8)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_split_as_they_were_joined() {
        for bits in CodeBits::ALL {
            let range = -bits.n_negative()..bits.n_negative();
            let codes: Vec<i8> = range.clone().chain(range.rev()).map(|code| code as i8).collect();
            let bytes: Vec<u8> = bits.join(&codes).collect();
            assert_eq!(bytes.len() * 8, codes.len() * bits.width());
            assert_eq!(bits.split(&bytes).collect::<Vec<_>>(), codes);
        }
    }

    #[test]
    fn the_first_code_is_in_the_lowest_bits() {
        let bytes = |bits: CodeBits, codes: &[i8]| bits.join(codes).collect::<Vec<u8>>();
        assert_eq!(bytes(CodeBits::Four, &[-7, 7, -8, 0]), [0xF1, 0x80]);
        assert_eq!(bytes(CodeBits::Five, &[-15, -16, -16, -16, -16, -16, -16, 15]), [1, 0, 0, 0, 0b1111_1000]);
        assert_eq!(bytes(CodeBits::Six, &[-31, -32, -32, 31]), [1, 0, 0b1111_1100]);
    }
}
