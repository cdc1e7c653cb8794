//! Reads a pickle's bytes from the front. Reading past the end is an error.

/// The result of an opcode, or what is wrong with it.
pub(super) type Step<T = ()> = Result<T, String>;

/// The pickle's bytes and the position in them.
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, n_bytes: u64) -> Step<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = usize::try_from(n_bytes).ok().and_then(|n_bytes| rest.get(..n_bytes));
        let taken = taken.ok_or_else(|| format!("{} bytes are left where {n_bytes} are wanted", rest.len()))?;
        self.at += taken.len();
        Ok(taken)
    }

    pub(super) fn skip(&mut self, n_bytes: u64) -> Step {
        self.take(n_bytes).map(drop)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    pub(super) fn byte(&mut self) -> Step<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn u32(&mut self) -> Step<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Reads a line.
    pub(super) fn line(&mut self) -> Step<&'a str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or("a name without an end")?;
        self.at += end + 1;
        std::str::from_utf8(&rest[..end]).map_err(|_| "a name that is not UTF-8".into())
    }
}

/// Reads a little-endian integer in two's complement; `None` beyond 64 bits.
pub(super) fn small_integer(digits: &[u8]) -> Option<i64> {
    let is_negative = digits.last().is_some_and(|last| last & 0x80 != 0);
    let mut extended = [if is_negative { 0xff } else { 0 }; 8];
    extended.get_mut(..digits.len())?.copy_from_slice(digits);
    Some(i64::from_le_bytes(extended))
}
