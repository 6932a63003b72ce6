//! Layers without recorded cases: dropout, folding, upsampling, flattening, and their rows of the catalogue.

use chainrule_core::{
    ConvolutionOptions, Interpolation, Padding, Shape, Tensor, attempt, grad, manual_seed, tensor,
};
use chainrule_nn::{
    AlphaDropout, Arguments, ChannelDropout, Dropout, Fold, Identity, Layer, Module, Pad,
    PairwiseDistance, RRelu, Relu, Sequential, Unflatten, Unfold, Upsample, Value, build_layer,
    observe,
};

fn message(wrong: impl FnOnce() -> Tensor) -> String {
    let error = attempt(wrong).expect_err("this is a mistake");
    error.message().to_owned()
}

#[test]
fn dropout_keeps_the_mean_and_drops_the_share_it_is_asked_for() {
    manual_seed(3);
    let x = Tensor::ones([40_000]);
    let y = Dropout::new(0.3).forward(&x);
    let dropped = y.eq(0.0).cast(chainrule_core::DType::F32).mean(..);
    assert!((dropped.item::<f32>() - 0.3).abs() < 0.02);
    assert!((y.mean(..).item::<f32>() - 1.0).abs() < 0.02);
    let gradient = grad(|x: &Tensor| Dropout::new(1.0).forward(x).sum(..))(&x);
    assert_eq!(gradient.sum(..).item::<f32>(), 0.0);
}

#[test]
fn channel_dropout_drops_channels_with_and_without_a_batch() {
    manual_seed(4);
    for shape in [&[4, 16, 3, 3][..], &[16, 3, 3]] {
        let layer = ChannelDropout::new(0.5, 2);
        let y = layer
            .forward(Tensor::ones(Shape::from(shape)))
            .to_vec::<f32>();
        let whole = |channel: &[f32]| channel == [0.0; 9] || channel == [2.0; 9];
        assert!(y.chunks(9).all(whole));
        assert!(y.contains(&0.0) && y.contains(&2.0));
    }
}

#[test]
fn alpha_dropout_of_channels_gives_each_channel_one_fate() {
    manual_seed(5);
    let mut layer = AlphaDropout::new(0.5).of_channels(1);
    let x = Tensor::ones([8, 8, 2]);
    let y = layer.forward(&x).to_vec::<f32>();
    assert!(y.chunks(2).all(|channel| channel[0] == channel[1]));
    layer.eval();
    assert_eq!(layer.forward(&x).to_vec::<f32>(), x.to_vec::<f32>());
}

#[test]
fn fold_is_the_transpose_of_unfold() {
    let options = || ConvolutionOptions::new().stride(2).padding(1).dilation(2);
    let unfold = Unfold::new(&[2, 3], options());
    let fold = Fold::new(&[5, 6], &[2, 3], options());
    let x = Tensor::normal([2, 3, 5, 6], 0.0, 1.0).cast(chainrule_core::DType::F64);
    let columns = unfold.forward(&x);
    let other = Tensor::normal(columns.shape(), 0.0, 1.0).cast(chainrule_core::DType::F64);
    let left = (&columns * &other).sum(..).item::<f64>();
    let right = (&x * fold.forward(&other)).sum(..).item::<f64>();
    assert!((left - right).abs() < 1e-9);
    let single = x.narrow(0, 0, 1).squeeze(0);
    assert_eq!(unfold.forward(&single).shape()[..], columns.shape()[1..]);
    assert_eq!(
        fold.forward(unfold.forward(&single)).shape(),
        single.shape()
    );
}

#[test]
fn upsampling_by_a_factor_may_be_recomputed() {
    let x = tensor![[[0.0, 1.0, 2.0]]];
    let linear = Interpolation::Linear {
        align_corners: false,
    };
    let direct = Upsample::by(&[1.5]).interpolation(linear);
    assert_eq!(direct.forward(&x).shape()[..], [1, 1, 4]);
    let again = direct.clone().recomputed().forward(&x);
    let extents = Upsample::to(&[4]).interpolation(linear).forward(&x);
    assert_eq!(again.to_vec::<f32>(), extents.to_vec::<f32>());
    assert_ne!(again.to_vec::<f32>(), direct.forward(&x).to_vec::<f32>());
}

#[test]
fn wrong_shapes_are_told_in_the_layers_words() {
    let x = Tensor::ones([2, 10]);
    let text = message(|| Unflatten::new(1, &[3, -1]).forward(&x));
    assert!(
        text.contains("unflatten") && text.contains("[2, 10]"),
        "{text}"
    );
    let text = message(|| Pad::new(Padding::Reflect, &[(-1, 0)]).forward(&x));
    assert!(text.contains("only a number"), "{text}");
    let text = message(|| Pad::zeros(&[(-6, -6)]).forward(&x));
    assert!(text.contains("more is taken away"), "{text}");
    let text = message(|| Dropout::new(1.5).forward(&x));
    assert!(text.contains("1.5 is not a probability"), "{text}");
}

#[test]
fn a_random_leak_lies_between_its_limits() {
    manual_seed(6);
    let y = RRelu::new(0.2, 0.4).forward(Tensor::full([1000], -1.0));
    let y = y.to_vec::<f32>();
    assert!(y.iter().all(|y| (-0.4..=-0.2).contains(y)));
    assert!(y.iter().any(|&y| y < -0.35) && y.iter().any(|&y| y > -0.25));
}

#[test]
fn the_distance_may_keep_its_axis() {
    let layer = PairwiseDistance::new(1.0).epsilon(0.0).keep_axis();
    let y = layer.forward(&tensor![[1.0, 2.0]], &tensor![[0.0, 4.0]]);
    assert_eq!(
        (&y.shape()[..], y.to_vec::<f32>()),
        (&[1, 1][..], vec![3.0])
    );
}

#[test]
fn layers_without_parameters_have_names_of_their_own() {
    let net = Sequential::new()
        .then(Relu::new())
        .then(Identity::new())
        .then(Relu::new());
    let (_, seen) = observe(|| net.forward(tensor![1.0]));
    let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
    for name in ["0", "1", "2"] {
        assert!(paths.contains(&name), "{paths:?}");
    }
}

#[test]
fn the_catalogue_builds_them_from_arguments() {
    let list = |entries: &[i64]| Value::List(entries.iter().map(|&n| Value::Integer(n)).collect());
    let cases = [
        ("leaky_relu", "slope", Value::Float(0.5), &[2, 4, 4, 4][..]),
        ("softmax", "axis", Value::Integer(1), &[2, 4, 4, 4]),
        ("prelu", "each_channel", Value::Bool(true), &[2, 4, 4, 4]),
        ("dropout", "probability", Value::Float(0.1), &[2, 4, 4, 4]),
        ("pad", "amounts", list(&[1, 1, 2, 2]), &[2, 4, 6, 8]),
        ("flatten", "first", Value::Integer(2), &[2, 4, 16]),
        ("unflatten", "extents", list(&[2, -1]), &[2, 2, 2, 4, 4]),
        ("pixel_shuffle", "factor", Value::Integer(2), &[2, 1, 8, 8]),
        ("upsample", "factor", Value::Integer(3), &[2, 4, 12, 12]),
        ("unfold", "kernel", Value::Integer(2), &[2, 16, 9]),
    ];
    let input = Shape::from([2, 4, 4, 4]);
    for (name, argument, value, expected) in cases {
        let mut arguments = Arguments::new(name).with(argument, value);
        let layer = build_layer(name, &mut arguments, &input).unwrap();
        assert_eq!(
            layer.forward(Tensor::ones(&input)).shape()[..],
            *expected,
            "{name}"
        );
    }
    let mut arguments = Arguments::new("dropout").with("probability", Value::Float(2.0));
    let error = build_layer("dropout", &mut arguments, &input).unwrap_err();
    assert!(
        error.to_string().contains("a number from 0 to 1"),
        "{error}"
    );
}
