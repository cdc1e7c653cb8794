//! The catalogs of the page's texts: a folder for each language, with files of [Fluent](https://projectfluent.org)'s
//! syntax. Of this syntax, messages with variables and with a choice by a number are used; all else is refused.

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Message, Pattern, PatternElement};
use fluent_syntax::parser;
use std::fs;
use std::path::Path;

/// The prefix of variables that are numbers.
pub const NUMBER_PREFIX: &str = "n-";

/// The prefix of texts that are labels: the English text is the label itself, which the page looks up.
pub const LABEL_PREFIX: &str = "label-";

/// The texts of a language.
#[derive(Debug)]
pub struct Catalog {
    /// Name of its folder, such as `pt-BR`.
    pub code: String,
    /// Its files, sorted by name.
    pub files: Vec<File>,
}

/// A file of a catalog.
#[derive(Debug)]
pub struct File {
    /// Its path below the folder of all catalogs.
    pub path: String,
    pub source: String,
    pub texts: Vec<Text>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub id: String,
    /// In the order in which they appear.
    pub variables: Vec<String>,
    /// What is written outside of braces.
    pub words: String,
}

impl Text {
    /// The label whose translations have this identifier; `None` for other texts.
    pub fn label(&self) -> Option<&str> {
        self.id.starts_with(LABEL_PREFIX).then_some(self.words.as_str())
    }
}

impl Catalog {
    /// All texts, each with its file.
    pub fn texts(&self) -> impl Iterator<Item = (&File, &Text)> {
        self.files.iter().flat_map(|file| file.texts.iter().map(move |text| (file, text)))
    }

    /// All its files as one.
    pub fn source(&self) -> String {
        self.files.iter().map(|file| file.source.as_str()).collect::<Vec<_>>().join("\n")
    }
}

/// Reads all catalogs of a folder.
///
/// # Errors
/// What cannot be read and what is not understood, with its file.
pub fn read(folder: &Path) -> Result<Vec<Catalog>, Vec<String>> {
    let mut problems = Vec::new();
    let mut catalogs = Vec::new();
    for code in names(folder)? {
        let mut files = Vec::new();
        for name in names(&folder.join(&code))?.into_iter().filter(|name| name.ends_with(".ftl")) {
            let source =
                fs::read_to_string(folder.join(&code).join(&name)).map_err(|err| unreadable(folder, err))?;
            match parse(&format!("{code}/{name}"), source) {
                Ok(file) => files.push(file),
                Err(found) => problems.extend(found),
            }
        }
        catalogs.push(Catalog { code, files });
    }
    if problems.is_empty() { Ok(catalogs) } else { Err(problems) }
}

/// Parses a file.
///
/// # Errors
/// What is not understood, each with the file and the line or the message.
pub fn parse(path: &str, source: String) -> Result<File, Vec<String>> {
    let mut problems = Vec::new();
    let mut texts = Vec::new();
    match parser::parse(source.as_str()) {
        Err((_, errors)) => {
            let line = |at: usize| 1 + source.bytes().take(at).filter(|byte| *byte == b'\n').count();
            problems.extend(errors.iter().map(|err| format!("{path}, line {}: {}", line(err.pos.start), err.kind)));
        }
        Ok(resource) => {
            for entry in &resource.body {
                match entry {
                    Entry::Message(message) => match text_of(message) {
                        Ok(text) => texts.push(text),
                        Err(problem) => problems.push(format!("{path}: {}: {problem}", message.id.name)),
                    },
                    Entry::Term(term) => {
                        problems.push(format!("{path}: -{}: write a message in place of this term", term.id.name));
                    }
                    _ => {}
                }
            }
        }
    }
    if problems.is_empty() { Ok(File { path: path.into(), source, texts }) } else { Err(problems) }
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>, Vec<String>> {
    let entries = fs::read_dir(folder).map_err(|err| unreadable(folder, err))?;
    let entries = entries.collect::<Result<Vec<_>, _>>().map_err(|err| unreadable(folder, err))?;
    let mut names: Vec<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn unreadable(folder: &Path, err: std::io::Error) -> Vec<String> {
    vec![format!("the texts could not be read: {err}, in {}", folder.display())]
}

fn text_of(message: &Message<&str>) -> Result<Text, String> {
    if let Some(attribute) = message.attributes.first() {
        return Err(format!("write a message of its own in place of the attribute .{}", attribute.id.name));
    }
    let pattern = message.value.as_ref().ok_or("it has no text")?;
    if is_empty(pattern) {
        return Err("it has no text".into());
    }
    let mut variables = Vec::new();
    add_variables(pattern, &mut variables)?;
    let text = Text { id: message.id.name.into(), variables, words: words(pattern) };
    match text.label() {
        Some(_) if !text.variables.is_empty() => Err("a label has no variables".into()),
        _ => Ok(text),
    }
}

fn words(pattern: &Pattern<&str>) -> String {
    let of = |element: &PatternElement<&str>| match element {
        PatternElement::TextElement { value } => value.to_string(),
        PatternElement::Placeable { .. } => String::new(),
    };
    pattern.elements.iter().map(of).collect()
}

/// Whether nothing of a text is shown.
fn is_empty(pattern: &Pattern<&str>) -> bool {
    pattern.elements.iter().all(|element| match element {
        PatternElement::TextElement { value } => value.trim().is_empty(),
        PatternElement::Placeable { expression } => match expression {
            Expression::Inline(InlineExpression::StringLiteral { value }) => value.trim().is_empty(),
            Expression::Inline(_) => false,
            Expression::Select { variants, .. } => variants.iter().any(|variant| is_empty(&variant.value)),
        },
    })
}

fn add_variables(pattern: &Pattern<&str>, variables: &mut Vec<String>) -> Result<(), String> {
    for element in &pattern.elements {
        let PatternElement::Placeable { expression } = element else { continue };
        match expression {
            Expression::Inline(inline) => add_variable(inline, variables)?,
            Expression::Select { selector, variants } => {
                match selector {
                    InlineExpression::VariableReference { id } if id.name.starts_with(NUMBER_PREFIX) => {}
                    _ => return Err(format!("a choice needs a variable that begins with {NUMBER_PREFIX}")),
                }
                add_variable(selector, variables)?;
                for variant in variants {
                    add_variables(&variant.value, variables)?;
                }
            }
        }
    }
    Ok(())
}

fn add_variable(inline: &InlineExpression<&str>, variables: &mut Vec<String>) -> Result<(), String> {
    match inline {
        InlineExpression::VariableReference { id } => {
            if !variables.iter().any(|known| known == id.name) {
                variables.push(id.name.into());
            }
            Ok(())
        }
        InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. } => Ok(()),
        _ => Err("only variables and choices by a number are understood within { }".into()),
    }
}
