//! Speed of matrix products in GF/s: ours on one and two threads beside the single-threaded kernels of the `gemm` crate.
//!
//! `cargo run --release -p chainrule-kernels --example gemm_timing [seconds per case]`

use chainrule_kernels::gemm::{Matrix, MatrixMut, batched_gemm};
use chainrule_kernels::random::fill_uniform_f32;
use chainrule_kernels::threads::{fork_join, set_thread_count};
use std::time::{Duration, Instant};

struct Case {
    name: &'static str,
    batch: usize,
    m: usize,
    k: usize,
    n: usize,
    /// Whether `a` and `b` are stored transposed.
    transposed: [bool; 2],
}

const fn case(
    name: &'static str,
    batch: usize,
    [m, k, n]: [usize; 3],
    transposed: [bool; 2],
) -> Case {
    Case {
        name,
        batch,
        m,
        k,
        n,
        transposed,
    }
}

const CASES: [Case; 17] = [
    case("8^3", 1, [8; 3], [false; 2]),
    case("16^3", 1, [16; 3], [false; 2]),
    case("32^3", 1, [32; 3], [false; 2]),
    case("256^3", 1, [256; 3], [false; 2]),
    case("512^3", 1, [512; 3], [false; 2]),
    case("1024^3", 1, [1024; 3], [false; 2]),
    case("2048^3", 1, [2048; 3], [false; 2]),
    case("64x784x512 NN", 1, [64, 784, 512], [false; 2]),
    case("64x784x512 NT", 1, [64, 784, 512], [false, true]),
    case("64x784x512 TN", 1, [64, 784, 512], [true, false]),
    case("512x64x784 TN", 1, [512, 64, 784], [true, false]),
    case("128x64x128 x64", 64, [128, 64, 128], [false; 2]),
    case("64x512x512", 1, [64, 512, 512], [false; 2]),
    case("64x512x10", 1, [64, 512, 10], [false; 2]),
    case("2048x128x384", 1, [2048, 128, 384], [false; 2]),
    case("1x1024x1024", 1, [1, 1024, 1024], [false; 2]),
    case("1024x1024x1", 1, [1024, 1024, 1], [false; 2]),
];

/// Median seconds of one call.
fn seconds(budget: f64, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut calls = 0u32;
    while start.elapsed() < Duration::from_millis(5) || calls < 2 {
        call();
        calls += 1;
    }
    let repeats = (2e-4 / (start.elapsed().as_secs_f64() / f64::from(calls))).ceil() as u32;
    let mut samples = Vec::new();
    let end = Instant::now() + Duration::from_secs_f64(budget);
    while samples.len() < 5 || Instant::now() < end {
        let start = Instant::now();
        for _ in 0..repeats {
            call();
        }
        samples.push(start.elapsed().as_secs_f64() / f64::from(repeats));
    }
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    let budget = std::env::args()
        .nth(1)
        .map_or(0.2, |text| text.parse().expect("seconds per case"));
    println!(
        "{:16} {:>9} {:>9} {:>9}   {:>6} {:>6}",
        "", "crate", "ours 1", "ours 2", "1/cr", "2/1"
    );
    let mut logarithms = 0.0;
    for Case {
        name,
        batch,
        m,
        k,
        n,
        transposed,
    } in CASES
    {
        let mut a = vec![0.0; batch * m * k];
        let mut b = vec![0.0; batch * k * n];
        let mut c = vec![0.0; batch * m * n];
        fill_uniform_f32(1, 0, &mut a);
        fill_uniform_f32(2, 0, &mut b);
        let strides = |rows: usize, columns: usize, transposed: bool| {
            if transposed {
                (1, rows as isize)
            } else {
                (columns as isize, 1)
            }
        };
        let (a_row, a_column) = strides(m, k, transposed[0]);
        let (b_row, b_column) = strides(k, n, transposed[1]);
        let ours = |c: &mut [f32]| {
            let (a_batch, b_batch, c_batch) =
                ([(m * k) as isize], [(k * n) as isize], [(m * n) as isize]);
            let a = Matrix {
                batch_strides: &a_batch,
                ..Matrix::new(&a, a_row, a_column)
            };
            let b = Matrix {
                batch_strides: &b_batch,
                ..Matrix::new(&b, b_row, b_column)
            };
            let c = MatrixMut {
                batch_strides: &c_batch,
                ..MatrixMut::row_major(c, n)
            };
            batched_gemm(&[batch], m, n, k, a, b, c, false);
        };
        let theirs = |c: &mut [f32]| {
            for item in 0..batch {
                let (a, b, c) = (
                    &a[item * m * k..],
                    &b[item * k * n..],
                    &mut c[item * m * n..],
                );
                // SAFETY: the three slices hold the matrices that extents and strides describe. The crate computes
                // columns of the result, so it is given the transposed product.
                unsafe {
                    gemm_f32::gemm::f32::get_gemm_fn()(
                        n,
                        m,
                        k,
                        c.as_mut_ptr(),
                        n as isize,
                        1,
                        false,
                        b.as_ptr(),
                        b_row,
                        b_column,
                        a.as_ptr(),
                        a_row,
                        a_column,
                        1.0,
                        1.0,
                        false,
                        false,
                        false,
                        gemm_common::Parallelism::None,
                    );
                }
            }
        };
        let gigaflops = 2e-9 * (batch * m * n * k) as f64;
        let crate_speed = gigaflops / seconds(budget, || theirs(&mut c));
        set_thread_count(1);
        let one = gigaflops / seconds(budget, || ours(&mut c));
        set_thread_count(2);
        let two = gigaflops / seconds(budget, || ours(&mut c));
        logarithms += (one / crate_speed).ln();
        println!(
            "{name:16} {crate_speed:9.1} {one:9.1} {two:9.1}   {:6.2} {:6.2}",
            one / crate_speed,
            two / one
        );
    }
    println!(
        "geometric mean of ours on one thread over the crate: {:.2}",
        (logarithms / CASES.len() as f64).exp()
    );
    let empty = seconds(budget, || fork_join(2, &|_| {}));
    println!("empty fork-join on two threads: {:.2} us", empty * 1e6);
}
