//! What is known of a value before it is computed.

use crate::backend::{self, Backend};
use crate::shape::Shape;
use chainrule_kernels::DType;
use std::fmt;

/// Shape, dtype and device of a value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Spec {
    shape: Shape,
    dtype: DType,
    device: Device,
}

impl Spec {
    /// The spec of a value on the default device.
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Spec {
        Spec {
            shape: shape.into(),
            dtype,
            device: Device::default(),
        }
    }

    /// The extents.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The element type.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where the value is computed.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// The number of elements.
    pub fn elements(&self) -> usize {
        self.shape.elements()
    }

    /// The memory the value takes, in bytes.
    pub fn bytes(&self) -> usize {
        self.elements() * self.dtype.size()
    }

    /// The same dtype and device, another shape.
    pub fn with_shape(&self, shape: impl Into<Shape>) -> Spec {
        Spec {
            shape: shape.into(),
            ..*self
        }
    }

    /// The same shape and device, another dtype.
    pub fn with_dtype(&self, dtype: DType) -> Spec {
        Spec {
            dtype,
            ..self.clone()
        }
    }

    /// The same shape and dtype, another device.
    pub fn with_device(&self, device: Device) -> Spec {
        Spec {
            device,
            ..self.clone()
        }
    }
}

/// Where values are computed: a handle to a [`Backend`].
///
/// Two are there from the start: [`Device::CPU`], which plans and runs fused kernels on all cores, and
/// [`Device::PLAIN`], which only runs the reference value of every declaration, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Device(pub(crate) u16);

impl Device {
    /// Planned execution on the processor's cores.
    pub const CPU: Device = Device(0);
    /// Reference execution: slow, simple, the meaning of everything else.
    pub const PLAIN: Device = Device(1);

    /// Makes a further backend known; the device it returns computes with it.
    pub fn register(backend: &'static dyn Backend) -> Device {
        backend::register(backend)
    }

    /// The backend that computes this device's values.
    pub fn backend(self) -> &'static dyn Backend {
        backend::of(self)
    }
}

impl Default for Device {
    fn default() -> Device {
        Device::CPU
    }
}

impl fmt::Display for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.backend().name())
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
