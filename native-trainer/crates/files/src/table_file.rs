//! Comma-separated files as people's programs save them: with a byte order mark, semicolons or tabs, Excel's `sep=`
//! line, a header of any case, empty lines and cells too many.

use csv::ByteRecord;
use shared_model::labels::cleaned;
use shared_model::text_file::{self, TextError};
use std::borrow::Cow;

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

/// Separators of cells, the most usual first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Rows that are looked at to choose one of several delimiters that the header has.
const N_TRIED_ROWS: usize = 5;
/// End-of-file mark of DOS programs.
const CTRL_Z: &[u8] = b"\x1a";

/// A table's bytes from its header on.
pub struct TableText<'a> {
    pub bytes: &'a [u8],
    /// Separator of cells.
    pub delimiter: u8,
    /// The line of the header; the file's first is 1.
    pub first_line: u64,
}

impl<'a> TableText<'a> {
    /// Recognizes the delimiter by the header and the first rows.
    ///
    /// # Errors
    /// For UTF-16 and files that are not text, such as Excel workbooks.
    pub fn recognize(bytes: &'a [u8]) -> Result<Self, TextError> {
        let bytes = text_file::without_mark(bytes)?;
        let bytes = bytes.strip_suffix(CTRL_Z).unwrap_or(bytes);
        let mut lines = bytes.split(|byte| matches!(byte, b'\r' | b'\n'));
        let first_line = lines.next().unwrap_or_default();
        // Excel reads and writes the delimiter as a line of its own.
        if let Some(delimiter) = excel_delimiter(first_line) {
            let rest = &bytes[first_line.len()..];
            let rest = rest.strip_prefix(b"\r\n").or(rest.strip_prefix(b"\n")).or(rest.strip_prefix(b"\r"));
            return Ok(Self { bytes: rest.unwrap_or_default(), delimiter, first_line: 2 });
        }
        let header = std::iter::once(first_line).chain(lines).find(|line| !line.is_empty()).unwrap_or_default();
        let mut is_quoted = false;
        let unquoted: Vec<u8> = header
            .iter()
            .copied()
            .filter(|&byte| {
                is_quoted ^= byte == b'"';
                !is_quoted
            })
            .collect();
        let mut found = DELIMITERS.into_iter().filter(|delimiter| unquoted.contains(delimiter));
        let first = found.next().unwrap_or(b',');
        // Another one that fits more of the first rows is meant: "name;age, years".
        let (delimiter, _) = found.fold((first, None), |(best, n_best), delimiter| {
            let n_best = n_best.unwrap_or_else(|| n_fitting_rows(bytes, best));
            let n_rows = n_fitting_rows(bytes, delimiter);
            if n_rows > n_best { (delimiter, Some(n_rows)) } else { (best, Some(n_best)) }
        });
        Ok(Self { bytes, delimiter, first_line: 1 })
    }

    /// A reader of the rows, which may have any number of cells.
    pub fn reader(&self) -> csv::Reader<&'a [u8]> {
        reader(self.bytes, self.delimiter)
    }

    /// The bytes without the spaces before a quotation mark that opens a cell: it counts at the start of a cell only.
    pub fn with_marks_at_starts(&self) -> Cow<'a, [u8]> {
        // Copied from the first of such spaces on.
        let mut kept: Option<Vec<u8>> = None;
        let (mut starts_cell, mut is_quoted, mut at) = (true, false, 0);
        while let Some(&byte) = self.bytes.get(at) {
            let rest = &self.bytes[at..];
            let n_spaces = if starts_cell { rest.iter().take_while(|&&byte| byte == b' ').count() } else { 0 };
            if starts_cell && rest.get(n_spaces) == Some(&b'"') {
                if n_spaces > 0 {
                    kept.get_or_insert_with(|| self.bytes[..at].to_vec());
                }
                kept.iter_mut().for_each(|kept| kept.push(b'"'));
                (starts_cell, is_quoted, at) = (false, true, at + n_spaces + 1);
                continue;
            }
            // A doubled mark is part of the cell.
            let is_doubled = is_quoted && rest.starts_with(b"\"\"");
            is_quoted &= byte != b'"' || is_doubled;
            let n_taken = if is_doubled { 2 } else { 1 };
            kept.iter_mut().for_each(|kept| kept.extend_from_slice(&rest[..n_taken]));
            starts_cell = !is_quoted && (byte == self.delimiter || matches!(byte, b'\r' | b'\n'));
            at += n_taken;
        }
        kept.map_or(Cow::Borrowed(self.bytes), Cow::Owned)
    }

    /// Finds the quotation marks that open a cell which nothing closes where a cell ends: a mark is missing, and the lines
    /// after it may have been read as part of the cell.
    pub fn loose_marks(&self) -> Vec<LooseMark> {
        let (mut starts_cell, mut at, mut found) = (true, 0, Vec::new());
        while let Some(&byte) = self.bytes.get(at) {
            if starts_cell && byte == b'"' {
                let closing = self.closing_mark(at + 1);
                let cell = &self.bytes[at..closing.unwrap_or(self.bytes.len())];
                let spans_lines = cell.trim_ascii_end().iter().any(|byte| matches!(byte, b'\r' | b'\n'));
                let ends_cell = closing.is_some_and(|closing| self.ends_cell(closing + 1));
                if closing.is_none() || (spans_lines && !ends_cell) {
                    found.push(LooseMark { at, closing, spans_lines });
                }
                at = closing.unwrap_or(self.bytes.len());
            }
            starts_cell = byte == self.delimiter || matches!(byte, b'\r' | b'\n');
            at += 1;
        }
        found
    }

    /// The place of the mark that ends the cell whose text starts at `at`. A doubled mark is part of the text.
    fn closing_mark(&self, mut at: usize) -> Option<usize> {
        loop {
            at += self.bytes.get(at..)?.iter().position(|&byte| byte == b'"')?;
            if self.bytes.get(at + 1) != Some(&b'"') {
                return Some(at);
            }
            at += 2;
        }
    }

    /// Returns whether nothing but spaces comes before the end of a cell.
    fn ends_cell(&self, at: usize) -> bool {
        let next = self.bytes[at..].iter().find(|&&byte| byte != b' ');
        next.is_none_or(|&byte| byte == self.delimiter || matches!(byte, b'\r' | b'\n'))
    }
}

/// A quotation mark that opens a cell without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LooseMark {
    /// Its place in the table's bytes.
    pub at: usize,
    /// The place of the next mark, which is in the middle of a text; None if there is no other.
    pub closing: Option<usize>,
    /// Whether the cell has an end of a line before that.
    pub spans_lines: bool,
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(bytes)
}

/// The delimiter of Excel's first line: `sep=;`, in any case and perhaps in quotation marks.
fn excel_delimiter(line: &[u8]) -> Option<u8> {
    let unquoted = line.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(line);
    let (name, delimiter) = unquoted.split_at_checked(4)?;
    // A tab counts, spaces behind it do not.
    let &[delimiter] = delimiter.strip_suffix(b" ").unwrap_or(delimiter) else { return None };
    name.eq_ignore_ascii_case(b"sep=").then_some(delimiter)
}

/// Number of the first rows that have as many cells as the header.
fn n_fitting_rows(bytes: &[u8], delimiter: u8) -> usize {
    let mut reader = reader(bytes, delimiter);
    let n_columns = reader.byte_headers().map_or(0, ByteRecord::len);
    let rows = reader.byte_records().take(N_TRIED_ROWS).map_while(Result::ok);
    rows.filter(|row| row.len() == n_columns).count()
}

/// The names of a header's columns, without the white space around them.
pub fn column_names(header: &ByteRecord) -> Vec<String> {
    let unquoted = |name: String| match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => cleaned(inside),
        None => name,
    };
    header.iter().map(|name| unquoted(cleaned(&String::from_utf8_lossy(name)))).collect()
}

/// Place of a column: of this very name, else of this name in another case.
pub fn find_column(header: &[String], name: &str) -> Option<usize> {
    let of_name = |is_it: &dyn Fn(&str) -> bool| header.iter().position(|column| is_it(column));
    of_name(&|column| column == name).or_else(|| of_name(&|column| column.eq_ignore_ascii_case(name.trim())))
}

/// Returns whether a row has text in a cell after the last column.
pub fn has_cells_behind(record: &ByteRecord, n_columns: usize) -> bool {
    record.iter().skip(n_columns).any(|cell| !cell.trim_ascii().is_empty())
}

/// Returns whether all cells of a row are empty, as spreadsheets leave them at the end.
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
            (b"filename;label;age, years\na.png;3;20\nb.png;4;30\n", b';'),
            (b"filename,label;note\na.png,3\n", b','),
            (b"\r\n\nfilename;label\na.png;3\n", b';'),
            (b"a,b;c", b','),
            (b"", b','),
        ] {
            assert_eq!(
                TableText::recognize(text).unwrap().delimiter,
                expected,
                "{}",
                String::from_utf8_lossy(text)
            );
        }
        for (mark, delimiter) in
            [("sep=;", b';'), ("sep=; ", b';'), ("\"sep=;\"", b';'), ("SEP=;", b';'), ("sep=\t", b'\t')]
        {
            let table = format!("{mark}\r\na,x;b\r\n");
            let excel = TableText::recognize(table.as_bytes()).unwrap();
            assert_eq!((excel.bytes, excel.delimiter, excel.first_line), (&b"a,x;b\r\n"[..], delimiter, 2));
        }
        assert!(TableText::recognize(b"PK\x03\x04").is_err() && TableText::recognize(b"\xFF\xFEa\0").is_err());
    }

    #[test]
    fn a_quotation_mark_after_spaces_opens_a_cell() {
        for (table, expected) in [
            (" \"a\" ; \"b; c\"\n1;  \"x\"\"y; z\"\n", "\"a\" ;\"b; c\"\n1;\"x\"\"y; z\"\n"),
            ("a;b\n5 \" scar; x\n", "a;b\n5 \" scar; x\n"),
            ("a;b\n\"x; \"\"y\"\"\"; 1\n", "a;b\n\"x; \"\"y\"\"\"; 1\n"),
        ] {
            let found = TableText::recognize(table.as_bytes()).unwrap().with_marks_at_starts();
            assert_eq!(String::from_utf8_lossy(&found), expected);
        }
        let header = column_names(&ByteRecord::from(vec![" \"File Name \" ", "\"label", "\""]));
        assert_eq!(header, ["File Name", "\"label", "\""]);
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
        for (rows, expected) in [
            ("a,\"b\nc,d\n", Some((None, true))),
            ("a,\"b\n", Some((None, false))),
            ("a,\"b\nc,\"d\"\n", Some((Some(11), true))),
            ("a,\"b\r\nc,\"\"d,\"e\" f\n", Some((Some(16), true))),
            ("a,\"b\nc\"\n", None),
            ("a,\"b\nc\"  ,x\n", None),
            ("a,\"b\nc\"", None),
            ("a,5\" scar\n", None),
            ("a,\"b \"\"c\"\"\nd\"", None),
            ("a,\"b\" c\nd,e\n", None),
        ] {
            let table = format!("x,y\n{rows}");
            let found = TableText::recognize(table.as_bytes()).unwrap().loose_marks();
            let of = |&(closing, spans_lines): &_| LooseMark { at: 6, closing, spans_lines };
            assert_eq!(found, expected.iter().map(of).collect::<Vec<_>>(), "{rows:?}");
        }
    }
}
