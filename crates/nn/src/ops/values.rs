//! Flex's tensors as the values that kernels read and write. All are f32, except images between layers in bf16
//! training, which are stored as bf16 if the reading layer supports it (`net/plan/storage.rs`); only the operations of this
//! folder read these.

use burn::backend::flex::FlexTensor;
use burn::tensor::{AllocationProperty, Bytes, DType, Device, Tensor, TensorData};
use faussaire_kernels::{PooledBuffer, Precision, Values, ValuesMut};

/// Whether the kernels can serve `x`: single precision in the processor's memory.
pub(super) fn serves<const D: usize>(x: &Tensor<D>) -> bool {
    x.device() == Device::flex() && x.dtype() == DType::F32
}

/// Whether those kernels can serve `x` that read either form of storage.
pub(super) fn serves_stored<const D: usize>(x: &Tensor<D>) -> bool {
    x.device() == Device::flex() && matches!(x.dtype(), DType::F32 | DType::BF16)
}

/// The same tensor, contiguous and starting at its buffer's start.
pub(super) fn plain(t: FlexTensor) -> FlexTensor {
    let whole = t.layout().start_offset() == 0 && t.bytes().len() == t.layout().num_elements() * t.dtype().size();
    if t.is_contiguous() && whole { t } else { FlexTensor::from_data(t.into_data()) }
}

/// All values of a contiguous f32 tensor.
pub(super) fn values(t: &FlexTensor) -> &[f32] {
    let start = t.layout().start_offset();
    &t.storage::<f32>()[start..start + t.layout().num_elements()]
}

/// All values of a contiguous tensor, as stored.
pub(super) fn stored(t: &FlexTensor) -> Values<'_> {
    if storage(t) == Precision::F32 {
        return Values::F32(values(t));
    }
    let (start, size) = (t.layout().start_offset(), t.dtype().size());
    let bytes = &t.bytes()[start * size..(start + t.layout().num_elements()) * size];
    match Values::bf16_in(bytes) {
        Some(values) => values,
        // Allocations are aligned to 8 bytes at least.
        None => unreachable!("bf16 values at an odd address"),
    }
}

/// The storage format of a tensor.
pub(super) fn storage(t: &FlexTensor) -> Precision {
    if t.dtype() == DType::BF16 { Precision::Bf16 } else { Precision::F32 }
}

pub(super) fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// A tensor stored as `storage`; `fill` must write all values, since a large buffer is reused and not cleared.
pub(super) fn filled(storage: Precision, shape: &[usize], fill: impl FnOnce(ValuesMut)) -> FlexTensor {
    filled_with(storage, shape, fill).0
}

/// [`filled`], with an additional result of `fill`.
pub(super) fn filled_with<R>(
    storage: Precision,
    shape: &[usize],
    fill: impl FnOnce(ValuesMut) -> R,
) -> (FlexTensor, R) {
    let len: usize = shape.iter().product();
    let dtype = if storage == Precision::F32 { DType::F32 } else { DType::BF16 };
    let size = len * dtype.size();
    let (bytes, result) =
        if size < PooledBuffer::MIN_BYTES { fresh(storage, len, fill) } else { reused(storage, size, fill) };
    (FlexTensor::from_data(TensorData::from_bytes(bytes, shape.to_vec(), dtype)), result)
}

fn fresh<R>(storage: Precision, len: usize, fill: impl FnOnce(ValuesMut) -> R) -> (Bytes, R) {
    match storage {
        Precision::F32 => {
            let mut values = vec![0.0f32; len];
            let result = fill(ValuesMut::F32(&mut values));
            (Bytes::from_elems(values), result)
        }
        Precision::Bf16 => {
            let mut bits = vec![0u16; len];
            let result = fill(ValuesMut::Bf16(&mut bits));
            (Bytes::from_elems(bits), result)
        }
    }
}

fn reused<R>(storage: Precision, bytes: usize, fill: impl FnOnce(ValuesMut) -> R) -> (Bytes, R) {
    let mut block = PooledBuffer::new(bytes);
    let result = match storage {
        Precision::F32 => fill(ValuesMut::F32(block.f32())),
        Precision::Bf16 => fill(ValuesMut::Bf16(block.bf16())),
    };
    (Bytes::from_shared(bytes::Bytes::from_owner(block), AllocationProperty::Native), result)
}
