//! Clipping, accumulation, averaging, mixed precision, penalties and initial values.

use chainrule::nn::clip::{clip_norm, clip_value, gradient_tree, total_norm};
use chainrule::nn::init::{self, FanMode, Nonlinearity};
use chainrule::nn::precision::{LossScaler, bf16_value_and_grad};
use chainrule::nn::{Accumulation, Ema, Regulariser, Swa};
use chainrule::prelude::*;

fn close(actual: f64, expected: f64, tolerance: f64) {
    assert!(
        (actual - expected).abs() <= tolerance,
        "{actual} is not {expected}"
    );
}

#[test]
fn a_norm_spans_all_leaves_and_small_gradients_stay() {
    let mut gradients = (Tensor::from([3.0, 0.0]), Tensor::from([4.0]), tensor![7]);
    close(total_norm(&gradients, 1.0).item(), 7.0, 1e-12);
    clip_norm(&mut gradients, 10.0, 2.0);
    assert_eq!(gradients.0.to_vec::<f64>(), [3.0, 0.0]);
    clip_norm(&mut gradients, 1.0, 2.0);
    close(total_norm(&gradients, 2.0).item(), 1.0, 1e-6);
    assert_eq!(gradients.2.item::<i64>(), 7);
    clip_value(&mut gradients, 0.7);
    assert_eq!(gradients.1.item::<f64>(), 0.7);
    // In 16 bits the sum of squares would be infinite.
    let mut large = tensor![300.0, 400.0].cast(DType::F16);
    close(clip_norm(&mut large, 5.0, 2.0).item(), 500.0, 1e-3);
    close(large.to_vec::<f64>()[0], 3.0, 1e-2);
}

#[test]
fn clipping_leaves_missing_gradients_missing() {
    let mut model = (Tensor::from(1.0).tracked(), Tensor::from(1.0).tracked());
    let gradients = (&model.0 * 5.0).backward();
    let mut gradients = gradient_tree(&model, &gradients);
    clip_norm(&mut gradients, 1.0, 2.0);
    close(gradients.0.item(), 1.0, 1e-6);
    let error = Sgd::new(0.1).update(&mut model, &gradients).unwrap_err();
    assert_eq!(error.names, ["1"]);
}

#[test]
fn accumulated_gradients_are_those_of_the_whole_batch() {
    let layer = Linear::from_generator(3, 2, &Generator::new(1));
    let x = Generator::new(2).normal([8, 3], 0.0, 1.0);
    let gradient =
        |x: &Tensor| value_and_grad(|layer: &Linear| layer.forward(x).square().mean(..))(&layer).1;
    let mut sum = Accumulation::new();
    for start in [0, 4] {
        sum.add(&gradient(&x.narrow(0, start, 4)));
    }
    assert_eq!(sum.count(), 2);
    let mean: Linear = sum.take_mean().unwrap();
    let difference = (&mean.weight - &gradient(&x).weight).abs().max(..);
    assert!(difference.item::<f64>() < 1e-6);
    assert!(sum.take_sum().is_none());
}

#[test]
fn averages_follow_their_formulas() {
    let mut model = vec![Linear::new(1, 1).without_bias()];
    let set = |model: &mut Vec<Linear>, value: f64| {
        model[0].weight.set(Tensor::full([1, 1], value));
    };
    set(&mut model, 1.0);
    let (mut ema, mut swa) = (Ema::new(&model, 0.75), Swa::new());
    let (mut expected, mut sum) = (1.0, 0.0);
    for step in 1..=6 {
        set(&mut model, f64::from(step * step));
        ema.update(&model);
        swa.update(&model);
        expected = 0.75 * expected + 0.25 * f64::from(step * step);
        sum += f64::from(step * step);
    }
    close(ema.averaged(&model)[0].weight.item(), expected, 1e-5);
    close(swa.averaged(&model)[0].weight.item(), sum / 6.0, 1e-5);
    close(model[0].weight.item(), 36.0, 0.0);
    let mut again = Swa::new();
    again.restore(&swa.state());
    assert_eq!(again.count(), 6);
    again.update(&model);
    close(
        again.averaged(&model)[0].weight.item(),
        (sum + 36.0) / 7.0,
        1e-5,
    );
}

#[test]
fn an_overflow_leaves_the_step_out_and_halves_the_scale() {
    let layer = Linear::from_generator(1, 1, &Generator::new(1)).without_bias();
    let mut scaler = LossScaler::new().initial(65536.0).interval(2);
    let x = tensor![[2.0]].cast(DType::F16);
    let loss = |layer: &Linear| layer.forward(&x).cast(DType::F32).sum(..) * 3.0;
    // The gradient is 6; 6 · 65,536 is beyond the range of f16.
    let mut skipped = 0;
    let gradients = loop {
        let (value, gradients) = scaler.value_and_grad(&layer, loss);
        assert!(value.item::<f64>().is_finite());
        match gradients {
            Some(gradients) => break gradients,
            None => skipped += 1,
        }
    };
    close(gradients.weight.item(), 6.0, 1e-3);
    assert_eq!(gradients.weight.dtype(), DType::F32);
    assert_eq!(scaler.scale(), 65536.0 / f64::from(1 << skipped));
    assert!(skipped >= 3, "{skipped} steps left out");
    let before = scaler.scale();
    scaler.unscale(&tensor![1.0]).unwrap();
    assert_eq!(
        scaler.scale(),
        2.0 * before,
        "two good steps double the scale"
    );
    assert!(scaler.unscale(&tensor![f64::NAN]).is_none());
    assert_eq!(scaler.scale(), before);
}

#[test]
fn bf16_learns_with_master_weights_that_see_small_steps() {
    let mut layer = Linear::from_generator(4, 1, &Generator::new(1));
    let x = Generator::new(3).normal([64, 4], 0.0, 1.0);
    let y = x.sum(1).reshape([64, 1]) + 0.5;
    let half = x.cast(DType::BF16);
    let mut adam = Adam::new(1e-2);
    let mut last = f64::NAN;
    for _ in 0..600 {
        let (loss, gradients) = bf16_value_and_grad(&layer, |layer| {
            (layer.forward(&half).cast(DType::F32) - &y)
                .square()
                .mean(..)
        });
        adam.update(&mut layer, &gradients).unwrap();
        last = loss.item();
    }
    assert!(last < 1e-3, "{last}");
    assert_eq!(layer.weight.dtype(), DType::F32);
    // A step of 1e-4 on a weight near one is lost in bf16, whose numbers are 2^-7 apart there.
    let before = layer.weight.to_vec::<f32>();
    adam.learning_rate = 1e-4;
    let (_, gradients) = bf16_value_and_grad(&layer, |layer| layer.forward(&half).sum(..));
    adam.update(&mut layer, &gradients).unwrap();
    assert_ne!(before, layer.weight.to_vec::<f32>());
}

#[test]
fn l1_brings_weights_to_zero_and_l2_does_not() {
    let fit = |penalty: Regulariser| {
        let mut layer = Linear::from_generator(2, 1, &Generator::new(1)).without_bias();
        let x = Generator::new(2).normal([100, 2], 0.0, 1.0);
        let y = x.narrow(1, 0, 1);
        let mut sgd = Sgd::new(0.05);
        for _ in 0..400 {
            let loss =
                |layer: &Linear| (layer.forward(&x) - &y).square().mean(..) + penalty.of(layer);
            let gradients = grad(loss)(&layer);
            sgd.update(&mut layer, &gradients).unwrap();
        }
        layer.weight.to_vec::<f64>()
    };
    let lasso = fit(Regulariser::l1(0.4));
    close(lasso[0], 0.8, 0.08);
    assert!(lasso[1].abs() < 0.03, "{lasso:?}");
    let ridge = fit(Regulariser::l2(0.25));
    close(ridge[0], 0.8, 0.08);
    let free = fit(Regulariser::l1(0.4).except("weight"));
    close(free[0], 1.0, 1e-3);
}

#[test]
fn initial_values_have_the_spread_of_their_formulas() {
    let generator = Generator::new(5);
    let deviation = |tensor: &Tensor| tensor.square().mean(..).sqrt().item::<f64>();
    let shape = [64, 32, 3, 3];
    for (initialiser, expected) in [
        (init::xavier_uniform(1.0), (2.0_f64 / (96.0 * 9.0)).sqrt()),
        (
            init::xavier_normal(2.0),
            2.0 * (2.0_f64 / (96.0 * 9.0)).sqrt(),
        ),
        (
            init::kaiming_normal(FanMode::Out, Nonlinearity::Relu),
            (2.0_f64 / (64.0 * 9.0)).sqrt(),
        ),
        (
            init::kaiming_uniform(FanMode::In, Nonlinearity::LeakyRelu(5.0_f64.sqrt())),
            (1.0_f64 / (3.0 * 32.0 * 9.0)).sqrt(),
        ),
        (init::normal(0.0, 0.3), 0.3),
    ] {
        let drawn = initialiser.draw_from(shape, &generator);
        close(deviation(&drawn) / expected, 1.0, 0.03);
    }
    let cut = init::truncated_normal(1.0, 2.0, 0.0, 2.0).draw_from([5000], &generator);
    assert!(cut.min(..).item::<f64>() >= 0.0 && cut.max(..).item::<f64>() <= 2.0);
    close(cut.mean(..).item(), 1.0, 0.03);
    // Of a normal distribution cut at half a deviation each side: nearly uniform.
    close(deviation(&(cut - 1.0)), 0.5733, 0.02);
    assert_eq!(init::constant(0.1).draw([2]).to_vec::<f32>(), [0.1, 0.1]);
}

#[test]
fn initial_values_have_the_structure_of_their_kinds() {
    let generator = Generator::new(5);
    for (shape, wide) in [([3, 8], true), ([8, 3], false)] {
        let w = init::orthogonal(2.0).draw_from(shape, &generator);
        let gram = if wide {
            w.matmul(w.t())
        } else {
            w.t().matmul(&w)
        };
        let difference = (gram - Tensor::eye(3) * 4.0).abs().max(..);
        assert!(difference.item::<f64>() < 1e-5);
    }
    let sparse = init::sparse(0.25, 1.0).draw_from([8, 5], &generator);
    assert_eq!(
        sparse.eq(0.0).cast(DType::I64).sum(0).to_vec::<i64>(),
        [2; 5]
    );
    let dirac = init::dirac(2).draw_from([4, 3, 3, 3], &generator);
    let options = ConvolutionOptions::new().padding(1);
    let x = generator.normal([1, 3, 5, 5], 0.0, 1.0);
    let y = x.conv2d(&dirac, options);
    for (output, input) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        let same = y.narrow(1, output, 1) - x.narrow(1, input, 1);
        assert!(same.abs().max(..).item::<f64>() < 1e-6);
    }
    // The thread's generator goes on: two draws differ, and a seed brings them back.
    manual_seed(3);
    let first = init::normal(0.0, 1.0).draw([4]).to_vec::<f32>();
    assert_ne!(first, init::normal(0.0, 1.0).draw([4]).to_vec::<f32>());
    manual_seed(3);
    assert_eq!(first, init::normal(0.0, 1.0).draw([4]).to_vec::<f32>());
    let error = attempt(|| init::xavier_normal(1.0).draw([4])).unwrap_err();
    assert!(error.message().contains("the shape is [4]"), "{error}");
}
