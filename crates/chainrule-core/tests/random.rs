//! Random draws: reproducible, independent of when and where they are computed, different for each example of a batch.

use chainrule_core::{
    DType, Device, Generator, Tensor, attempt, evaluate, grad, manual_seed, tensor, vmap,
};

#[test]
fn the_stream_is_fixed_when_the_draw_is_made() {
    let generator = Generator::new(5);
    let (first, second) = (
        generator.uniform(10, 0.0, 1.0),
        generator.uniform(10, 0.0, 1.0),
    );
    // Looked at in the other order, on another thread.
    let second = std::thread::spawn(move || second.to_vec::<f32>())
        .join()
        .unwrap();
    let replay = Generator::new(5);
    assert_eq!(
        replay.uniform(10, 0.0, 1.0).to_vec::<f32>(),
        first.to_vec::<f32>()
    );
    assert_eq!(replay.uniform(10, 0.0, 1.0).to_vec::<f32>(), second);
    assert_ne!(first.to_vec::<f32>(), second);
    assert_eq!(first.to_vec::<f32>(), first.to_vec::<f32>());
}

#[test]
fn draws_are_philox_with_the_seed_as_key() {
    // The published known answer for key 0, counter 0, words as fractions of 2^24.
    let words: [u32; 4] = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8];
    let expected = words.map(|word| (word >> 8) as f32 / 16_777_216.0);
    assert_eq!(
        Generator::new(0).uniform(4, 0.0, 1.0).to_vec::<f32>(),
        expected
    );
}

#[test]
fn forks_and_threads_are_independent() {
    let generator = Generator::new(5);
    let fork = generator.fork();
    let other = generator.fork();
    let draws = [&generator, &fork, &other].map(|g| g.randint(0, 1 << 40, 8).to_vec::<i64>());
    assert!(draws[0] != draws[1] && draws[1] != draws[2] && draws[0] != draws[2]);
    let threads =
        [(); 2].map(|()| std::thread::spawn(|| Tensor::uniform(8, 0.0, 1.0).to_vec::<f32>()));
    let [a, b] = threads.map(|thread| thread.join().unwrap());
    assert_ne!(a, b);
}

#[test]
fn moments() {
    let generator = Generator::new(11);
    let count = 100_000;
    for dtype in [DType::F32, DType::F64, DType::BF16, DType::F16] {
        let uniform = generator
            .uniform_as(count, 0.0, 1.0, dtype)
            .cast(DType::F64)
            .to_vec::<f64>();
        assert!(uniform.iter().all(|x| (0.0..1.0).contains(x)), "{dtype}");
        let mean = uniform.iter().sum::<f64>() / count as f64;
        assert!((mean - 0.5).abs() < 5e-3, "{dtype}: {mean}");
        let normal = generator
            .normal_as(count, 2.0, 3.0, dtype)
            .cast(DType::F64)
            .to_vec::<f64>();
        let mean = normal.iter().sum::<f64>() / count as f64;
        let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count as f64;
        assert!(
            (mean - 2.0).abs() < 0.05 && (variance - 9.0).abs() < 0.2,
            "{dtype}: {mean} {variance}"
        );
    }
    let ones = generator.bernoulli(count, 0.3).sum(..).item::<f32>() / count as f32;
    assert!((ones - 0.3).abs() < 0.01);
}

#[test]
fn both_devices_draw_the_same() {
    manual_seed(9);
    let on_cpu = Tensor::normal([3, 4], 0.0, 1.0);
    let generator = Generator::new(9);
    let again = generator.normal([3, 4], 0.0, 1.0).to_device(Device::PLAIN);
    assert_eq!(on_cpu.to_vec::<f32>(), again.to_vec::<f32>());
}

#[test]
fn each_example_of_a_batch_draws_for_itself() {
    let generator = Generator::new(2);
    let x = Tensor::zeros([3, 4]);
    let noisy = vmap(|x: &Tensor| x + generator.uniform(4, 0.0, 1.0))(&x);
    let rows: Vec<Vec<f32>> = noisy.rows().map(|row| row.to_vec()).collect();
    assert!(rows[0] != rows[1] && rows[1] != rows[2] && rows[0] != rows[2]);
    // Also where the result does not depend on the example at all, and nested.
    let drawn = vmap(|_: &Tensor| generator.uniform(4, 0.0, 1.0))(&x);
    assert_ne!(
        drawn.narrow(0, 0, 1).to_vec::<f32>(),
        drawn.narrow(0, 1, 1).to_vec::<f32>()
    );
    let nested = vmap(|x: &Tensor| vmap(|x: &Tensor| x + generator.uniform((), 0.0, 1.0))(x))(&x);
    let mut all = nested.to_vec::<f32>();
    all.sort_by(f32::total_cmp);
    all.dedup();
    assert_eq!(all.len(), 12);
    // A draw made outside is shared.
    let outside = generator.uniform(4, 0.0, 1.0);
    let shared = vmap(|x: &Tensor| x + &outside)(&x);
    assert_eq!(
        shared.narrow(0, 0, 1).to_vec::<f32>(),
        shared.narrow(0, 1, 1).to_vec::<f32>()
    );
}

#[test]
fn a_gradient_uses_the_draw_of_its_forward_pass() {
    let generator = Generator::new(3);
    let mask = std::cell::RefCell::new(None);
    let slope = grad(|x: &Tensor| {
        let drawn = generator.bernoulli(6, 0.5);
        *mask.borrow_mut() = Some(drawn.clone());
        (x * drawn).sum(..)
    })(&Tensor::ones(6));
    let mask = mask.into_inner().unwrap();
    evaluate(&[&slope, &mask]);
    assert_eq!(slope.to_vec::<f32>(), mask.to_vec::<f32>());
}

#[test]
fn mistakes_are_named() {
    let message = |work: fn() -> Tensor| attempt(work).unwrap_err().to_string();
    assert!(message(|| Tensor::randint(4, 4, 1)).contains("no integer from 4 to below 4"));
    assert!(message(|| Tensor::bernoulli(1, 1.5)).contains("probability is 1.5"));
    assert!(
        message(|| Generator::new(0).normal_as(1, 0.0, 1.0, DType::I64))
            .contains("i64 is not a floating-point type")
    );
    assert!(message(|| Tensor::bernoulli(2, tensor![0.5, 0.5, 0.5])).contains("lt"));
}
