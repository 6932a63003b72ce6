//! Convolutions over one to three spatial axes.

use super::{Input, declared};
use crate::declare::Operation;
use crate::error::Error;
use crate::graph::Spec;
use crate::primitives::convolution::{Convolution, ConvolutionInput, ConvolutionWeight, Sizes};
use crate::primitives::window::Sliding;
use crate::shape::Shape;
use chainrule_kernels::convolution::{self as kernel, ConvolutionElement};
use chainrule_kernels::window::Window;
use chainrule_kernels::{Buffer, DType, Element};

/// The kernels compute in `f32` and `f64`, over up to three spatial axes.
pub(super) fn real(_operation: &dyn Operation, specs: &[&Spec]) -> bool {
    let spec = specs[0];
    matches!(spec.dtype(), DType::F32 | DType::F64) && spec.rank() <= 5
}

fn extents(
    sliding: &Sliding,
    x: &Shape,
    w: &Shape,
    y: &Shape,
    groups: usize,
) -> kernel::Convolution {
    let sizes = Sizes::of(x, w, y, groups);
    let mut window = Window::new(
        &sizes.input,
        &sizes.kernel,
        &sliding.stride,
        &sliding.padding,
        &sliding.dilation,
    );
    window.output = [1; 3];
    window.output[3 - sizes.output.len()..].copy_from_slice(&sizes.output);
    kernel::Convolution {
        batch: sizes.batch,
        groups,
        channels_in: x[1],
        channels_out: y[1],
        window,
    }
}

type Run<T> = fn(&kernel::Convolution, &[T], &[T], &mut [T]);

fn run<T: Element + ConvolutionElement>(
    run: Run<T>,
    geometry: &kernel::Convolution,
    inputs: &[Input<'_>],
    spec: &Spec,
) -> Result<Vec<Buffer>, Error> {
    let mut out = Buffer::for_elements(spec.dtype(), spec.elements())?;
    let (first, second) = (inputs[0].rows()?, inputs[1].rows()?);
    let count = |input: &Input<'_>| input.layout.shape.elements();
    run(
        geometry,
        first.first(count(&inputs[0])),
        second.first(count(&inputs[1])),
        out.as_mut_slice(),
    );
    Ok(vec![out])
}

pub(super) fn forward(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let convolution = declared::<Convolution>(operation);
    let (x, w) = (&inputs[0].layout.shape, &inputs[1].layout.shape);
    let geometry = extents(
        &convolution.sliding,
        x,
        w,
        specs[0].shape(),
        convolution.groups,
    );
    match specs[0].dtype() {
        DType::F32 => run::<f32>(kernel::convolve, &geometry, inputs, &specs[0]),
        _ => run::<f64>(kernel::convolve, &geometry, inputs, &specs[0]),
    }
}

pub(super) fn input(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let convolution = declared::<ConvolutionInput>(operation);
    let (y, w) = (&inputs[0].layout.shape, &inputs[1].layout.shape);
    let geometry = extents(
        &convolution.sliding,
        specs[0].shape(),
        w,
        y,
        convolution.groups,
    );
    // The kernel takes the weight first.
    match specs[0].dtype() {
        DType::F32 => run::<f32>(
            |geometry, y, w, x| kernel::convolve_grad_input(geometry, w, y, x),
            &geometry,
            inputs,
            &specs[0],
        ),
        _ => run::<f64>(
            |geometry, y, w, x| kernel::convolve_grad_input(geometry, w, y, x),
            &geometry,
            inputs,
            &specs[0],
        ),
    }
}

pub(super) fn weight(
    operation: &dyn Operation,
    inputs: &[Input<'_>],
    specs: &[Spec],
) -> Result<Vec<Buffer>, Error> {
    let convolution = declared::<ConvolutionWeight>(operation);
    let (x, y) = (&inputs[0].layout.shape, &inputs[1].layout.shape);
    let geometry = extents(
        &convolution.sliding,
        x,
        specs[0].shape(),
        y,
        convolution.groups,
    );
    match specs[0].dtype() {
        DType::F32 => run::<f32>(kernel::convolve_grad_weight, &geometry, inputs, &specs[0]),
        _ => run::<f64>(kernel::convolve_grad_weight, &geometry, inputs, &specs[0]),
    }
}
