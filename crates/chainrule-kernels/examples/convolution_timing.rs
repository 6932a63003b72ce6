//! Time of a convolution and its two gradients on the shapes of a small image classifier, in microseconds and GF/s.
//!
//! `cargo run --release -p chainrule-kernels --example convolution_timing [seconds per case]`

use chainrule_kernels::convolution::{
    Convolution, convolve, convolve_grad_input, convolve_grad_weight,
};
use chainrule_kernels::random::fill_uniform_f32;
use chainrule_kernels::threads::set_thread_count;
use chainrule_kernels::window::Window;
use std::time::{Duration, Instant};

/// Median seconds of one call.
fn seconds(budget: f64, mut call: impl FnMut()) -> f64 {
    call();
    let mut samples = Vec::new();
    let end = Instant::now() + Duration::from_secs_f64(budget);
    while samples.len() < 5 || Instant::now() < end {
        let start = Instant::now();
        call();
        samples.push(start.elapsed().as_secs_f64());
    }
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    let budget = std::env::args()
        .nth(1)
        .map_or(0.3, |text| text.parse().expect("seconds per case"));
    for (channels_in, channels_out, extent) in [(1, 32, 28), (32, 64, 14), (64, 64, 32)] {
        let window = Window::new(&[extent; 2], &[3; 2], &[1; 2], &[1; 2], &[1; 2]);
        let shape = Convolution {
            batch: 64,
            groups: 1,
            channels_in,
            channels_out,
            window,
        };
        let numbers = |count| {
            let mut values = vec![0f32; count];
            fill_uniform_f32(1, 0, &mut values);
            values
        };
        let (x, w, mut y) = (
            numbers(shape.input_size()),
            numbers(shape.weight_size()),
            numbers(shape.output_size()),
        );
        let (ct, mut grad_x, mut grad_w) = (y.clone(), x.clone(), w.clone());
        let operations = 2.0 * (shape.output_size() * channels_in * 9) as f64;
        println!("64 x {channels_in} x {extent} x {extent} -> {channels_out} channels, 3 x 3");
        for threads in [1, 2] {
            set_thread_count(threads);
            let forward = seconds(budget, || convolve(&shape, &x, &w, &mut y));
            let input = seconds(budget, || convolve_grad_input(&shape, &w, &ct, &mut grad_x));
            let weight = seconds(budget, || {
                convolve_grad_weight(&shape, &x, &ct, &mut grad_w)
            });
            print!("  {threads} thread(s):");
            for (name, seconds) in [
                ("forward", forward),
                ("grad input", input),
                ("grad weight", weight),
            ] {
                print!(
                    "  {name} {:7.0} us {:5.0} GF/s",
                    seconds * 1e6,
                    operations / seconds * 1e-9
                );
            }
            println!();
        }
    }
}
