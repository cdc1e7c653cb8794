//! Memory for pixels. An allocation that fails would end the program, so sizes are tried first.

use crate::{Error, Result};

/// `height * width * channels` zeros.
///
/// # Errors
/// [`Error::ImageMemory`] when there is no room for them.
pub(super) fn zeroed(width: u32, height: u32, channels: usize) -> Result<Vec<u8>> {
    check_memory(width, height, channels)?;
    Ok(vec![0; width as usize * height as usize * channels])
}

/// Refuses an image that the memory has no room for: an allocation that fails would end the program.
///
/// # Errors
/// [`Error::ImageMemory`]
pub(super) fn check_memory(width: u32, height: u32, bytes_per_pixel: usize) -> Result<()> {
    let n_bytes = u64::from(width) * u64::from(height) * bytes_per_pixel as u64;
    let room = usize::try_from(n_bytes).ok().map(|n_bytes| Vec::<u8>::new().try_reserve_exact(n_bytes));
    match room {
        Some(Ok(())) => Ok(()),
        _ => Err(Error::ImageMemory { width, height }),
    }
}
