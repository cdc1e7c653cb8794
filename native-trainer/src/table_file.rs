//! Comma-separated files as people's programs save them: with a byte order mark, semicolons or tabs, Excel's `sep=`
//! line, a header of any case, empty rows at the end.

use csv::ByteRecord;
use shared_model::labels::cleaned;
use shared_model::text_file::{self, TextError};

/// Columns that tables give the image's file name, the most usual first.
pub const IMAGE_COLUMNS: [&str; 18] = [
    "filename",
    "image_path",
    "image",
    "image_name",
    "image_file",
    "file_name",
    "file",
    "path",
    "filepath",
    "file_path",
    "img",
    "img_path",
    "img_name",
    "imagepath",
    "image_id",
    "img_id",
    "imageid",
    "isic_id",
];

/// What separates cells; the first that the header has.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// A table's bytes from its header on.
pub struct TableText<'a> {
    pub bytes: &'a [u8],
    /// What separates cells.
    pub delimiter: u8,
    /// The line of the header; the file's first is 1.
    pub first_line: u64,
}

impl<'a> TableText<'a> {
    /// Recognizes the delimiter by the header.
    ///
    /// # Errors
    /// For UTF-16 and files that are not text, such as Excel workbooks.
    pub fn recognize(bytes: &'a [u8]) -> Result<Self, TextError> {
        let bytes = text_file::without_mark(bytes)?;
        let first_line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        // Excel reads and writes the delimiter as a line of its own.
        if let Some(&[delimiter]) = first_line.trim_ascii_end().strip_prefix(b"sep=") {
            let rest = &bytes[first_line.len()..];
            let bytes = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).or(rest.strip_prefix(b"\r"));
            return Ok(Self { bytes: bytes.unwrap_or_default(), delimiter, first_line: 2 });
        }
        let mut is_quoted = false;
        let unquoted: Vec<u8> = first_line
            .iter()
            .copied()
            .filter(|&byte| {
                is_quoted ^= byte == b'"';
                !is_quoted
            })
            .collect();
        let delimiter = DELIMITERS.into_iter().find(|delimiter| unquoted.contains(delimiter)).unwrap_or(b',');
        Ok(Self { bytes, delimiter, first_line: 1 })
    }

    /// A reader of the rows, which may have any number of cells.
    pub fn reader(&self) -> csv::Reader<&'a [u8]> {
        csv::ReaderBuilder::new().flexible(true).delimiter(self.delimiter).from_reader(self.bytes)
    }

    /// Whether the last row, which starts at byte `start`, opens a quotation mark that nothing closes, so that the
    /// lines behind it were read as part of a cell.
    pub fn has_open_quote(&self, start: u64) -> bool {
        let row = self.bytes.get(start as usize..).unwrap_or_default().trim_ascii();
        row.iter().filter(|&&byte| byte == b'"').count() % 2 == 1 && row.contains(&b'\n')
    }
}

/// The names of a header's columns, without the white space around them.
pub fn column_names(header: &ByteRecord) -> Vec<String> {
    header.iter().map(|name| cleaned(&String::from_utf8_lossy(name))).collect()
}

/// Place of a column: of this very name, else of this name in another case.
pub fn find_column(header: &[String], name: &str) -> Option<usize> {
    let of_name = |is_it: &dyn Fn(&str) -> bool| header.iter().position(|column| is_it(column));
    of_name(&|column| column == name).or_else(|| of_name(&|column| column.eq_ignore_ascii_case(name.trim())))
}

/// Whether a row has nothing in any cell, as spreadsheets leave them at the end.
pub fn is_empty(record: &ByteRecord) -> bool {
    record.iter().all(|cell| cell.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_that_of_the_header() {
        for (text, expected) in [
            (&b"a,b\n1;2,3\n"[..], b','),
            (b"\xEF\xBB\xBFa;b\r\n1,5;2\r\n", b';'),
            (b"a\tb\n", b'\t'),
            (b"\"a,x\";b\n", b';'),
            (b"a|b", b'|'),
            (b"ImageID\nx;y\n", b','),
            (b"", b','),
        ] {
            assert_eq!(
                TableText::recognize(text).unwrap().delimiter,
                expected,
                "{}",
                String::from_utf8_lossy(text)
            );
        }
        let excel = TableText::recognize(b"sep=;\r\na,x;b\r\n").unwrap();
        assert_eq!((excel.bytes, excel.delimiter, excel.first_line), (&b"a,x;b\r\n"[..], b';', 2));
        assert!(TableText::recognize(b"PK\x03\x04").is_err() && TableText::recognize(b"\xFF\xFEa\0").is_err());
    }

    #[test]
    fn columns_are_found_by_their_name_then_by_another_case() {
        let header = column_names(&ByteRecord::from(vec!["\u{feff}Label ", "label", " LABEL", "FileName"]));
        assert_eq!(find_column(&header, "label"), Some(1));
        assert_eq!(find_column(&header, "lAbel"), Some(0));
        assert_eq!(find_column(&header, "filename"), Some(3));
        assert_eq!(find_column(&header, "sex"), None);
    }

    #[test]
    fn a_quotation_mark_that_nothing_closes_is_noticed() {
        for (row, is_open) in [
            ("a,\"b\nc,d\n", true),
            ("a,\"b\nc\"\n", false),
            ("a,5\" scar\n", false),
            ("a,\"b \"\"c\"\"\nd\"", false),
        ] {
            let table = format!("x,y\n{row}");
            let text = TableText::recognize(table.as_bytes()).unwrap();
            assert_eq!(text.has_open_quote(4), is_open, "{row:?}");
        }
    }
}
