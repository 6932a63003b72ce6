//! Memory for intermediate results is counted. Alone in its process: the counters are global.

use chainrule_kernels::buffer::{live_bytes, peak_bytes, reset_peak};
use chainrule_kernels::convolution::{Convolution, convolve};
use chainrule_kernels::gemm::{Matrix, MatrixMut, gemm};
use chainrule_kernels::window::Window;
use half::bf16;

#[test]
fn workspaces_count_as_live_memory() {
    let window = Window::new(&[40; 2], &[3; 2], &[1; 2], &[1; 2], &[1; 2]);
    let shape = Convolution {
        batch: 8,
        groups: 1,
        channels_in: 8,
        channels_out: 8,
        window,
    };
    let input = vec![1f32; shape.input_size()];
    let weight = vec![1f32; shape.weight_size()];
    let mut out = vec![0f32; shape.output_size()];
    reset_peak();
    convolve(&shape, &input, &weight, &mut out);
    // At least one row of results is packed at a time: 72 elements for each.
    assert!(peak_bytes() >= 72 * 40 * size_of::<f32>());
    assert_eq!(live_bytes(), 0);
    reset_peak();
    let (a, b) = (vec![bf16::ONE; 64 * 64], vec![bf16::ONE; 64 * 64]);
    let mut c = vec![bf16::ZERO; 64 * 64];
    let (a, b) = (Matrix::row_major(&a, 64), Matrix::row_major(&b, 64));
    gemm(64, 64, 64, a, b, MatrixMut::row_major(&mut c, 64), false);
    // Both operands and the result in single precision.
    assert!(peak_bytes() >= 3 * 64 * 64 * size_of::<f32>());
    assert_eq!(live_bytes(), 0);
}
