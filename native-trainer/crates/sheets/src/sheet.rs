//! A table in memory.

/// A table: named columns of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    pub(crate) columns: Vec<Column>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Column {
    pub name: String,
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Texts(Vec<String>),
    /// `None` is a missing value.
    Numbers(Vec<Option<f64>>),
    /// Rows of `width` values.
    Vectors {
        width: usize,
        values: Vec<f32>,
    },
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Numbers(numbers) => numbers.len(),
            Self::Vectors { width, values } => values.len() / (*width).max(1),
        }
    }
}

impl Sheet {
    /// Adds a column of texts.
    pub fn texts(&mut self, name: impl Into<String>, texts: Vec<String>) {
        self.columns.push(Column { name: name.into(), values: Values::Texts(texts) });
    }

    /// Adds a column of numbers.
    pub fn numbers(&mut self, name: impl Into<String>, numbers: Vec<Option<f64>>) {
        self.columns.push(Column { name: name.into(), values: Values::Numbers(numbers) });
    }

    /// Adds a column of vectors.
    ///
    /// # Shapes
    /// - `values`: `[n, width]`, row-major
    pub fn vectors(&mut self, name: impl Into<String>, width: usize, values: Vec<f32>) {
        self.columns.push(Column { name: name.into(), values: Values::Vectors { width, values } });
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}
