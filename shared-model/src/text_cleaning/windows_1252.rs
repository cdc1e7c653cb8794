//! Windows-1252 as browsers read it (<https://encoding.spec.whatwg.org/#windows-1252>): a byte without a meaning is the
//! C1 control of its number.

/// The characters of the bytes 80 to FF.
#[rustfmt::skip]
pub const UPPER_HALF: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";

/// Returns the character of a byte.
pub fn char_of(byte: u8) -> char {
    let above_ascii = usize::from(byte).checked_sub(0x80);
    above_ascii.and_then(|at| UPPER_HALF.chars().nth(at)).unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_a_character_or_its_control() {
        assert_eq!([0x41, 0x80, 0x81, 0x99, 0xff].map(char_of), ['A', '€', '\u{81}', '™', 'ÿ']);
    }
}
