// SPDX-License-Identifier: Apache-2.0
//! The single-byte encodings that text is most often mistaken for, in the order ftfy tries them.
//!
//! "Sloppy" ones, as ftfy calls them, read a byte without a meaning as the C1 control of its number, and let byte
//! 1A stand for U+FFFD, the mark of what an earlier program could not read.

use crate::text_cleaning::windows_1252;
use std::sync::LazyLock;

/// A single-byte encoding that extends ASCII.
pub struct Charmap {
    pub kind: Kind,
    pub is_sloppy: bool,
    /// Every character above U+007F with its byte, sorted by character.
    byte_of: Vec<(char, u8)>,
}

/// What sets some encodings apart from the others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Latin1,
    /// Its en dash is a lead byte of UTF-8 elsewhere, so that a space after it means nothing.
    MacRoman,
    Other,
}

impl Charmap {
    /// The bytes that this encoding shows as `text`; `None` if it cannot.
    pub fn encode(&self, text: &str) -> Option<Vec<u8>> {
        text.chars().map(|c| self.encode_char(c)).collect()
    }

    fn encode_char(&self, c: char) -> Option<u8> {
        match c {
            '\u{1a}' if self.is_sloppy => None,
            '\0'..='\u{7f}' => Some(c as u8),
            char::REPLACEMENT_CHARACTER if self.is_sloppy => Some(0x1a),
            _ => self.byte_of.binary_search_by_key(&c, |&(c, _)| c).ok().map(|at| self.byte_of[at].1),
        }
    }
}

/// The encodings, in the order they are tried.
pub static CHARMAPS: LazyLock<Vec<Charmap>> = LazyLock::new(|| {
    TABLES
        .iter()
        .map(|&(kind, is_sloppy, upper_half)| {
            let mut byte_of: Vec<_> = upper_half.chars().zip(0x80..=0xff).collect();
            byte_of.sort_unstable();
            Charmap { kind, is_sloppy, byte_of }
        })
        .collect()
});

/// Kind, sloppiness and the characters of bytes 80 to FF.
#[rustfmt::skip]
const TABLES: &[(Kind, bool, &str)] = &[
    (Kind::Latin1, false, LATIN_1),
    (Kind::Other, true, windows_1252::UPPER_HALF),
    (Kind::Other, true, WINDOWS_1251),
    (Kind::Other, true, WINDOWS_1250),
    (Kind::Other, true, WINDOWS_1253),
    (Kind::Other, true, WINDOWS_1254),
    (Kind::Other, true, WINDOWS_1257),
    (Kind::Other, false, ISO_8859_2),
    (Kind::MacRoman, false, MACROMAN),
    (Kind::Other, false, CP437),
];

#[rustfmt::skip]
const LATIN_1: &str = "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";
#[rustfmt::skip]
const WINDOWS_1251: &str = "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{98}™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя";
#[rustfmt::skip]
const WINDOWS_1250: &str = "€\u{81}‚\u{83}„…†‡\u{88}‰Š‹ŚŤŽŹ\u{90}‘’“”•–—\u{98}™š›śťžź\u{a0}ˇ˘Ł¤Ą¦§¨©Ş«¬\u{ad}®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
#[rustfmt::skip]
const WINDOWS_1253: &str = "€\u{81}‚ƒ„…†‡\u{88}‰\u{8a}‹\u{8c}\u{8d}\u{8e}\u{8f}\u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}\u{9d}\u{9e}\u{9f}\u{a0}΅Ά£¤¥¦§¨©ª«¬\u{ad}®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡÒΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώÿ";
#[rustfmt::skip]
const WINDOWS_1254: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}\u{8e}\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}\u{9e}Ÿ\u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";
#[rustfmt::skip]
const WINDOWS_1257: &str = "€\u{81}‚\u{83}„…†‡\u{88}‰\u{8a}‹\u{8c}¨ˇ¸\u{90}‘’“”•–—\u{98}™\u{9a}›\u{9c}¯˛\u{9f}\u{a0}¡¢£¤¥¦§Ø©Ŗ«¬\u{ad}®Æ°±²³´µ¶·ø¹ŗ»¼½¾æĄĮĀĆÄÅĘĒČÉŹĖĢĶĪĻŠŃŅÓŌÕÖ×ŲŁŚŪÜŻŽßąįāćäåęēčéźėģķīļšńņóōõö÷ųłśūüżž˙";
#[rustfmt::skip]
const ISO_8859_2: &str = "\u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\u{a0}Ą˘Ł¤ĽŚ§¨ŠŞŤŹ\u{ad}ŽŻ°ą˛ł´ľśˇ¸šşťź˝žżŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
#[rustfmt::skip]
const MACROMAN: &str = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u{a0}ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\u{f8ff}ÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ";
#[rustfmt::skip]
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_128_different_characters() {
        for charmap in CHARMAPS.iter() {
            assert_eq!(charmap.byte_of.len(), 128);
            assert!(charmap.byte_of.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }
    }

    #[test]
    fn encodes_as_python_does() {
        // >>> "é€".encode("sloppy-windows-1252")
        assert_eq!(CHARMAPS[1].encode("é€\u{81}\u{fffd}"), Some(b"\xe9\x80\x81\x1a".to_vec()));
        assert_eq!(CHARMAPS[1].encode("\u{1a}"), None);
        assert_eq!(CHARMAPS[0].encode("é\u{1a}"), Some(b"\xe9\x1a".to_vec()));
        assert_eq!(CHARMAPS[0].encode("€"), None);
    }
}
