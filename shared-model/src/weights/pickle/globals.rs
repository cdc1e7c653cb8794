//! The global names in a pickle that have a meaning here. None is imported or called; all others are inert.

use safetensors::Dtype;

/// A global name that has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Global {
    /// A class whose instances are dicts.
    Dict,
    /// `_rebuild_tensor_v2(storage, offset, size, stride, …)`
    Tensor,
    /// `_rebuild_parameter(tensor, …)`
    Parameter,
    /// `_rebuild_from_type_v2(function, type, arguments, …)`
    FromType,
    /// The type of a storage of floats.
    Storage(Dtype),
}

impl Global {
    pub(super) fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict" | "defaultdict") => Self::Dict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::Tensor,
            ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => Self::Parameter,
            ("torch._tensor", "_rebuild_from_type_v2") => Self::FromType,
            ("torch" | "torch.cuda", "FloatStorage") => Self::Storage(Dtype::F32),
            ("torch" | "torch.cuda", "HalfStorage") => Self::Storage(Dtype::F16),
            ("torch" | "torch.cuda", "BFloat16Storage") => Self::Storage(Dtype::BF16),
            ("torch" | "torch.cuda", "DoubleStorage") => Self::Storage(Dtype::F64),
            _ => return None,
        })
    }
}
