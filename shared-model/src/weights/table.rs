//! A table of embeddings in whole numbers, with a scale for each row.

use super::code_bits::CodeBits;
use super::{StoredTensor, WeightFormat, Weights, six_bits};
use crate::{Error, Result};
use bytes::Bytes;
use candle_core::DType;
use safetensors::Dtype;

/// Rows looked up by id.
pub(crate) struct Table {
    codes: Codes,
    /// `[V]`
    scales: Vec<f32>,
    width: usize,
}

/// How the rows are stored.
enum Codes {
    /// I8 `[V, D]`
    Bytes(Bytes),
    /// U8 `[V, D / 4, 3]`
    SixBits(Bytes),
}

impl Table {
    /// Takes the table of this name and format, int8 or int4, without copying its rows.
    ///
    /// # Errors
    /// [`Error::Weights`] naming it when its type, shape or length is wrong.
    pub fn load(weights: &Weights, name: &str, format: WeightFormat, stored: &StoredTensor) -> Result<Self> {
        let fail = |detail: String| Err(Error::Weights { detail: format!("tensor {name} {detail}") });
        let (scales, _) = weights.scales(name, format)?;
        let scales: Vec<f32> = scales.to_tensor(name)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        let StoredTensor { dtype, shape, data } = stored;
        let (codes, [rows, width]) = match (format, dtype, six_bits::of_stored(shape), shape.as_slice()) {
            (WeightFormat::Int8, Dtype::I8, _, &[rows, width]) => (Codes::Bytes(data.clone()), [rows, width]),
            (WeightFormat::Int4, Dtype::U8, Some(shape), _) => (Codes::SixBits(data.clone()), shape),
            _ => {
                return fail(format!(
                    "has type {dtype:?} and shape {shape:?}, expected a table of int8 or six bits"
                ));
            }
        };
        let n_bytes = shape.iter().product::<usize>();
        if data.len() != n_bytes || scales.len() != rows || width == 0 {
            return fail(format!(
                "has {} bytes and {} scales, expected {n_bytes} and {rows}",
                data.len(),
                scales.len()
            ));
        }
        Ok(Self { codes, scales, width })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// D
    pub fn width(&self) -> usize {
        self.width
    }

    /// Appends a row to `values`; `None` for an id that is not in the table.
    pub fn push_row(&self, id: usize, values: &mut Vec<f32>) -> Option<()> {
        let scale = *self.scales.get(id)?;
        match &self.codes {
            Codes::Bytes(bytes) => {
                let row = bytes.get(id * self.width..)?.get(..self.width)?;
                values.extend(row.iter().map(|&byte| f32::from(byte as i8) * scale));
            }
            Codes::SixBits(bytes) => {
                let stride = self.width / CodeBits::Six.group() * CodeBits::Six.group_bytes();
                let row = bytes.get(id * stride..)?.get(..stride)?;
                values.extend(CodeBits::Six.split(row).map(|code| f32::from(code) * scale));
            }
        }
        Some(())
    }

    /// The rows as bytes `[V, D]`, and their scales `[V]`.
    pub fn into_bytes(self) -> (Bytes, Vec<f32>) {
        let bytes = match self.codes {
            Codes::Bytes(bytes) => bytes,
            Codes::SixBits(bytes) => CodeBits::Six.split(&bytes).map(|code| code as u8).collect::<Vec<u8>>().into(),
        };
        (bytes, self.scales)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{Device, Tensor};

    fn table(rows: StoredTensor, n_scales: usize) -> Result<Table> {
        let scales = Tensor::arange(1f32, 1.0 + n_scales as f32, &Device::Cpu).unwrap();
        let scales = ("table.int4_scale".to_string(), StoredTensor::from_tensor(&scales).unwrap());
        Table::load(&Weights::from_stored([scales]), "table", WeightFormat::Int4, &rows)
    }

    #[test]
    fn a_table_of_six_bits_has_the_rows_that_were_stored() {
        let rows: Vec<i8> = (0..3 * 8).map(|at| (at * 7 % 63) as i8 - six_bits::LARGEST).collect();
        let stored = six_bits::store(&rows, 8);
        assert_eq!((stored.shape.as_slice(), stored.data.len()), (&[3, 2, 3][..], 18));
        let table = table(stored, 3).unwrap();
        let mut values = Vec::new();
        table.push_row(1, &mut values).unwrap();
        let wanted: Vec<f32> = rows[8..16].iter().map(|&code| 2.0 * f32::from(code)).collect();
        assert_eq!(values, wanted);
        assert!(table.push_row(3, &mut values).is_none());
        assert_eq!((table.len(), table.width()), (3, 8));
        let (bytes, scales) = table.into_bytes();
        assert_eq!((&bytes[..], scales.len()), (&rows.iter().map(|&code| code as u8).collect::<Vec<_>>()[..], 3));
    }

    #[test]
    fn a_table_of_another_type_shape_or_length_is_refused() {
        let good = six_bits::store(&[0; 24], 8);
        let cut = StoredTensor::new(Dtype::U8, &good.shape, good.data.slice(1..));
        let bytes = StoredTensor::new(Dtype::I8, &good.shape, good.data.clone());
        let other = StoredTensor::new(Dtype::U8, &[3, 6], good.data.clone());
        for (wrong, n_scales) in [(good.clone(), 2), (cut, 3), (bytes, 3), (other, 3)] {
            let message = table(wrong, n_scales).err().unwrap().to_string();
            assert!(message.contains("tensor table has"), "{message}");
        }
    }
}
