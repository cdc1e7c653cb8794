//! Text to the names in it, however a person separates them.

use super::columns::{outside_quotes, refuse_columns, refuse_table};
use super::json::json;
use super::spelling::cleaned;
use crate::Result;

/// What separates names in a line, the most usual first; where one is found, those after it are part of names.
const SEPARATORS: [&[char]; 4] = [&[',', '，', '、', '،'], &[';', '；', '؛'], &['\t'], &['|', '｜']];
const LINE_ENDS: [char; 7] = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
/// What begins an item of a list.
const BULLETS: [char; 6] = ['•', '◦', '▪', '‣', '·', '●'];
/// What does so with a space behind it.
const DASHES: [char; 5] = ['-', '*', '+', '–', '—'];
/// Quotation marks and their counterparts.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('„', '“'), ('«', '»')];
/// Marks that are also apostrophes: they count around a whole name only.
const SINGLE_QUOTES: [(char, char); 2] = [('\'', '\''), ('‘', '’')];
/// Farthest that the end of a quoted name is looked for, in bytes.
const MAX_QUOTED_BYTES: usize = 2 * super::MAX_LABEL_BYTES;
/// What begins a line that is a remark.
const COMMENTS: [&str; 2] = ["#", "// "];

/// The names of a file.
pub(super) struct FileNames {
    pub(super) names: Vec<String>,
    /// Lines that were left out.
    pub(super) n_comments: usize,
}

/// Returns the names in typed text: separated by lines and by commas or, without a comma, semicolons, tabs or bars;
/// or a JSON list.
pub(super) fn typed(text: &str) -> Result<Vec<String>> {
    if let Some(names) = json(text)? {
        return Ok(names);
    }
    let lines = filled_lines(text);
    if let Some(names) = without_numbers(&lines) {
        return Ok(tidied(names));
    }
    let separators = separators_of(&lines)?;
    Ok(tidied(lines.iter().flat_map(|line| split(line, separators)).map(cleaned).collect()))
}

/// Returns the names in a file: a JSON list, or one a line. A single line is read as typed text is.
pub(super) fn of_file(text: &str) -> Result<FileNames> {
    if let Some(names) = json(text)? {
        return Ok(FileNames { names, n_comments: 0 });
    }
    let is_comment = |line: &String| COMMENTS.iter().any(|mark| line.starts_with(mark));
    let (comments, lines): (Vec<String>, Vec<String>) = filled_lines(text).into_iter().partition(is_comment);
    let names = match lines.as_slice() {
        [] => Vec::new(),
        [line] => typed(line)?,
        [first, ..] => {
            refuse_table(first)?;
            tidied(without_numbers(&lines).map_or_else(|| refuse_columns(&lines).map(|()| lines.clone()), Ok)?)
        }
    };
    Ok(FileNames { names, n_comments: comments.len() })
}

/// Whether all names begin with the numbers of a list.
pub(super) fn are_numbered(names: &[String]) -> bool {
    names.iter().all(|name| number_and_rest(name).is_some())
}

/// Lines with something in them.
fn filled_lines(text: &str) -> Vec<String> {
    text.split(LINE_ENDS).map(cleaned).filter(|line| !line.is_empty()).collect()
}

/// Which characters separate names in these lines; none where each line is one name.
fn separators_of(lines: &[String]) -> Result<&'static [char]> {
    let unquoted: Vec<String> = lines.iter().map(|line| outside_quotes(line)).collect();
    if unquoted.iter().any(|line| line.contains(SEPARATORS[0])) {
        return Ok(SEPARATORS[0]);
    }
    refuse_columns(lines)?;
    let are_in_all = |separators: &&&[char]| unquoted.iter().all(|line| line.contains(**separators));
    Ok(SEPARATORS[1..].iter().find(are_in_all).copied().unwrap_or(&[]))
}

/// The parts of a line between separators; those within quotation marks do not count.
fn split<'a>(line: &'a str, separators: &[char]) -> Vec<&'a str> {
    let mut items = Vec::new();
    let mut rest = line;
    loop {
        let end = quoted_end(rest, separators).or_else(|| rest.find(separators)).unwrap_or(rest.len());
        let (item, after) = rest.split_at(end);
        items.push(item);
        let mut after = after.trim_start_matches(' ').chars();
        match after.next() {
            Some(_) => rest = after.as_str(),
            None => return items,
        }
    }
}

/// Where a name in quotation marks ends with which the text begins, if there is one.
fn quoted_end(text: &str, separators: &[char]) -> Option<usize> {
    let start = text.len() - text.trim_start().len();
    let open = text[start..].chars().next()?;
    let &(_, close) = QUOTES.iter().find(|(mark, _)| *mark == open)?;
    let ends_here = |at: usize| {
        let after = text[at..].trim_start_matches(' ');
        after.is_empty() || after.starts_with(separators)
    };
    let inside = start + open.len_utf8();
    let mut marks = text[inside..].char_indices().take_while(|(at, _)| *at <= MAX_QUOTED_BYTES).peekable();
    while let Some((at, c)) = marks.next() {
        // A doubled mark is part of the name, as in CSV.
        let is_mark = c == close && !(open == close && marks.next_if(|(_, next)| *next == close).is_some());
        let end = inside + at + c.len_utf8();
        if is_mark && ends_here(end) {
            return Some(end);
        }
    }
    None
}

/// Names without bullets, numbers of a list, quotation marks and separators at their ends; empty ones are left out.
fn tidied(names: Vec<String>) -> Vec<String> {
    let without_end = |name: &String| cleaned(name.trim_end_matches([',', ';']));
    let names = names.iter().map(without_end).map(|name| without_bullet(&name));
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    let names = without_numbers(&names).unwrap_or(names);
    names.iter().map(|name| without_quotes(name)).filter(|name| !name.is_empty()).collect()
}

fn without_bullet(name: &str) -> String {
    let rest = name.strip_prefix(BULLETS).or_else(|| {
        let rest = name.strip_prefix(DASHES)?;
        rest.starts_with(char::is_whitespace).then_some(rest)
    });
    rest.map_or_else(|| name.to_owned(), cleaned)
}

/// The names of a numbered list, as in `1. acne` and `2) nevus`; `None` unless all are numbered, from 0 or 1 on.
fn without_numbers(names: &[String]) -> Option<Vec<String>> {
    let numbered: Vec<(usize, &str)> = names.iter().map(|name| number_and_rest(name)).collect::<Option<_>>()?;
    let first = numbered.first()?.0;
    let is_counted = numbered.iter().zip(first..).all(|((number, _), expected)| *number == expected);
    let is_list = numbered.len() > 1 && first <= 1 && is_counted;
    is_list.then(|| numbered.iter().map(|(_, rest)| cleaned(rest)).collect())
}

fn number_and_rest(name: &str) -> Option<(usize, &str)> {
    let name = name.strip_prefix('(').unwrap_or(name);
    let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number = name[..digits].parse().ok()?;
    let rest = name[digits..].trim_start_matches(' ');
    let rest = rest.strip_prefix(['.', ')', ':', '\t', ',', ';']).or_else(|| rest.strip_prefix("- "))?;
    // 1.5 mm is a length.
    (!rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_digit())).then_some((number, rest))
}

fn without_quotes(name: &str) -> String {
    let inside_of = |&(open, close): &(char, char)| {
        let inside = name.strip_prefix(open)?.strip_suffix(close)?;
        // A mark that is part of the name is doubled, as in CSV.
        let is_one_name = !inside.replace("\"\"", "").contains([open, close]);
        is_one_name.then(|| cleaned(&inside.replace("\"\"", "\"")))
    };
    QUOTES.iter().chain(&SINGLE_QUOTES).find_map(inside_of).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed_is(text: &str, expected: &[&str]) {
        assert_eq!(typed(text).unwrap(), expected, "{text:?}");
    }

    fn file_is(text: &str, expected: &[&str]) {
        assert_eq!(of_file(text).unwrap().names, expected, "{text:?}");
    }

    #[test]
    fn names_are_separated_as_people_do_it() {
        let three = &["acne", "rosacea", "nail psoriasis"];
        for text in [
            "acne,rosacea,nail psoriasis",
            " acne , rosacea,, nail psoriasis, ",
            "acne;rosacea;nail psoriasis",
            "acne; rosacea; nail psoriasis;",
            "acne\trosacea\tnail psoriasis",
            "acne | rosacea | nail psoriasis",
            "acne，rosacea、nail psoriasis",
            "acne\nrosacea\nnail psoriasis",
            "acne\r\nrosacea\r\n\r\nnail psoriasis\r\n",
            "acne\rrosacea\rnail psoriasis",
            "acne,\nrosacea,\nnail psoriasis",
            "acne;\nrosacea;\nnail psoriasis;",
            "acne; rosacea\nnail psoriasis; ",
            "acne\u{2028}rosacea\u{b}nail psoriasis",
            "[\"acne\", \"rosacea\", \"nail psoriasis\"]",
            "\u{feff}[\"acne\",\n\"rosacea\",\r\n\"nail psoriasis\"]\n",
            "\"acne\", \"rosacea\", \"nail psoriasis\"",
            "'acne', 'rosacea', 'nail psoriasis'",
            "“acne”, “rosacea”, “nail psoriasis”",
        ] {
            typed_is(text, three);
        }
    }

    #[test]
    fn numbers_and_bullets_of_a_list_are_no_part_of_its_names() {
        for text in [
            "1. acne\n2. nevus",
            "1) acne\n2) nevus",
            "(1) acne\n(2) nevus",
            "0: acne\n1: nevus",
            "1.acne\n2.nevus",
            "0\tacne\n1\tnevus",
            "1 - acne\n2 - nevus",
            "- acne\n- nevus",
            "* acne\r\n* nevus\r\n",
            "•acne\n•\tnevus",
            "– acne\n– nevus",
            "1. \"acne\"\n2. \"nevus\"",
        ] {
            typed_is(text, &["acne", "nevus"]);
            file_is(text, &["acne", "nevus"]);
        }
        typed_is("1. acne, 2. nevus", &["acne", "nevus"]);
        typed_is("1. acne, red\n2. nevus", &["acne, red", "nevus"]);
        file_is("0,acne\n1,nevus", &["acne", "nevus"]);
        // Not counted from 0 or 1, or not all.
        typed_is("5. disease, 6. disease", &["5. disease", "6. disease"]);
        typed_is("1. acne, nevus", &["1. acne", "nevus"]);
        typed_is("1.5 mm, 2.5 mm", &["1.5 mm", "2.5 mm"]);
        typed_is("-itis, acne", &["-itis", "acne"]);
    }

    #[test]
    fn what_is_within_quotation_marks_is_one_name() {
        typed_is("\"acne, inflamed\", nevus", &["acne, inflamed", "nevus"]);
        typed_is("\"acne, inflamed\"; nevus", &["acne, inflamed", "nevus"]);
        typed_is("\"say \"\"ah\"\", please\", nevus", &["say \"ah\", please", "nevus"]);
        typed_is("\"acne, nevus", &["\"acne", "nevus"]);
        typed_is("5\" scar, nevus", &["5\" scar", "nevus"]);
        file_is("\"acne, inflamed\"\n\"nevus\"", &["acne, inflamed", "nevus"]);
    }

    #[test]
    fn a_file_has_one_name_a_line_unless_it_has_one_line() {
        file_is("a, b\n\nc\r\n", &["a, b", "c"]);
        file_is("eczema; atopic\nnevus", &["eczema; atopic", "nevus"]);
        file_is("acne, rosacea, nevus\n", &["acne", "rosacea", "nevus"]);
        file_is("acne;rosacea", &["acne", "rosacea"]);
        file_is("acne,\nrosacea,\n", &["acne", "rosacea"]);
        file_is("\u{feff}acne\rnevus\r", &["acne", "nevus"]);
        file_is("", &[]);
    }
}
