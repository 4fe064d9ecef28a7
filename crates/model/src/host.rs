//! One tensor as plain numbers.

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// The values; as many as the product of `shape`.
    pub values: Vec<f32>,
}

impl HostTensor {
    /// A tensor filled with one value.
    pub fn filled(shape: Vec<usize>, value: f32) -> Self {
        let values = vec![value; shape.iter().product()];
        Self { shape, values }
    }

    /// The length of the last axis (1 for a tensor without axes).
    pub fn columns(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// Row `index` of a matrix.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        let columns = self.columns();
        &self.values[index * columns..(index + 1) * columns]
    }

    /// The matrix with rows and columns exchanged.
    ///
    /// # Panics
    /// If the tensor is not a matrix.
    pub fn transposed(&self) -> Self {
        let [rows, columns] = self.shape[..] else {
            panic!("only a matrix can be transposed, not a tensor of shape {:?}", self.shape)
        };
        // Square blocks that fit the first-level cache on both sides.
        const BLOCK: usize = 32;
        let mut values = vec![0.0; self.values.len()];
        for top in (0..rows).step_by(BLOCK) {
            for left in (0..columns).step_by(BLOCK) {
                for row in top..(top + BLOCK).min(rows) {
                    for column in left..(left + BLOCK).min(columns) {
                        values[column * rows + row] = self.values[row * columns + column];
                    }
                }
            }
        }
        Self { shape: vec![columns, rows], values }
    }

    /// The values as little-endian bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// blake3 of shape and values, in hexadecimal. Equal on every machine.
    pub fn checksum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.hash_into(&mut hasher);
        hasher.finalize().to_hex().to_string()
    }

    pub(crate) fn hash_into(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&(self.shape.len() as u64).to_le_bytes());
        for length in &self.shape {
            hasher.update(&(*length as u64).to_le_bytes());
        }
        hasher.update(&self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposes_across_blocks() {
        let (rows, columns) = (37, 70);
        let values = (0..rows * columns).map(|i| i as f32).collect();
        let tensor = HostTensor { shape: vec![rows, columns], values };
        let turned = tensor.transposed();
        assert_eq!(turned.shape, [columns, rows]);
        for row in 0..rows {
            for column in 0..columns {
                assert_eq!(turned.row(column)[row], tensor.row(row)[column]);
            }
        }
        assert_eq!(turned.transposed(), tensor);
    }

    #[test]
    fn checksum_sees_shape_values_and_sign_of_zero() {
        let tensor = |shape: &[usize], values: &[f32]| HostTensor {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        let sum = tensor(&[2, 1], &[0.0, 1.0]).checksum();
        assert_eq!(sum, tensor(&[2, 1], &[0.0, 1.0]).checksum());
        assert_ne!(sum, tensor(&[1, 2], &[0.0, 1.0]).checksum());
        assert_ne!(sum, tensor(&[2, 1], &[-0.0, 1.0]).checksum());
    }
}
