//! Tensors of `flex`.

use burn::backend::Flex;
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{Bytes, DType, Shape};

use crate::host::{Host, HostTensor};

impl Host for Flex {
    type Tensor = FlexTensor;
}

impl HostTensor for FlexTensor {
    fn contiguous(self) -> Self {
        if self.as_slice::<f32>().is_some() { self } else { self.to_contiguous() }
    }

    fn floats(&self) -> &[f32] {
        self.as_slice().expect("a contiguous f32 tensor")
    }

    fn around(values: Vec<f32>, shape: Shape) -> Self {
        Self::new(Bytes::from_elems(values), Layout::contiguous(shape), DType::F32)
    }

    fn changed(self, change: impl FnOnce(&mut [f32])) -> Self {
        let whole = self.layout().num_elements() * size_of::<f32>() == self.bytes().len();
        let mut tensor = if whole && self.is_contiguous() && self.layout().start_offset() == 0 {
            self
        } else {
            self.to_contiguous()
        };
        change(tensor.storage_mut());
        tensor
    }

    fn whole_numbers(&self) -> Vec<i64> {
        let tensor = self.to_contiguous();
        macro_rules! convert {
            ($ty:ty) => {{
                let numbers = tensor.as_slice::<$ty>().expect("a contiguous tensor");
                // What does not fit is no index either.
                numbers.iter().map(|number| i64::try_from(*number).unwrap_or(i64::MAX)).collect()
            }};
        }
        match tensor.dtype() {
            DType::I64 => convert!(i64),
            DType::I32 => convert!(i32),
            DType::I16 => convert!(i16),
            DType::I8 => convert!(i8),
            DType::U64 => convert!(u64),
            DType::U32 => convert!(u32),
            DType::U16 => convert!(u16),
            DType::U8 => convert!(u8),
            other => panic!("ids must be whole numbers, got {other:?}"),
        }
    }
}
