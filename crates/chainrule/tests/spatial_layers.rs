//! Layers over spatial axes, normalisations and embeddings: mistakes, modes, the catalogue. Their numbers are held against
//! PyTorch's by the conformance tool.

use chainrule::nn::{
    AdaptiveAvgPool2d, Arguments, BagReduction, Conv1d, Conv2d, ConvTranspose2d, Embedding,
    EmbeddingBag, GroupNorm, InstanceNorm1d, LayerNorm, LpPool1d, MaxPool2d, MaxUnpool2d, Value,
    build_layer,
};
use chainrule::prelude::*;
use chainrule::{Padding, manual_seed};

#[track_caller]
fn message(work: impl FnOnce() -> Tensor) -> String {
    attempt(work).unwrap_err().message().to_owned()
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn mistakes_are_told_in_the_layers_words() {
    let conv = Conv2d::new(3, 4, 3);
    says(
        &message(|| conv.forward(Tensor::ones([2, 5, 8, 8]))),
        &[
            "conv2d: the layer takes [batch, channels, height, width]",
            "with 3 channels",
            "[2, 5, 8, 8]",
        ],
    );
    says(
        &message(|| MaxPool2d::new(2).forward(Tensor::ones([8, 8]))),
        &["max_pool2d", "[8, 8]"],
    );
    says(
        &message(|| LayerNorm::new([4, 5]).forward(Tensor::ones([2, 5]))),
        &[
            "layer_norm: the layer takes [.., the axes [4, 5]]",
            "[2, 5]",
        ],
    );
    says(
        &message(|| GroupNorm::new(2, 4).forward(Tensor::ones([2, 5]))),
        &["group_norm", "with 4 channels", "[2, 5]"],
    );
    says(
        &message(|| Embedding::new(3, 2).forward(tensor![1.0])),
        &[
            "embedding: the layer takes whole numbers",
            "f32",
            ".cast(DType::I64)",
        ],
    );
    says(
        &message(|| {
            ConvTranspose2d::new(1, 1, 3)
                .stride(2)
                .forward_to(Tensor::ones([1, 4, 4]), [20, 9])
        }),
        &["conv_transpose2d", "from 9 to 10", "not 20"],
    );
    let grouped = attempt(|| Conv1d::grouped(4, 6, 3, 4));
    says(
        grouped.unwrap_err().message(),
        &["conv1d", "4 inputs and 6 outputs", "4 groups"],
    );
}

#[test]
fn weights_begin_as_pytorchs_do() {
    manual_seed(3);
    let conv = Conv2d::grouped(4, 8, [3, 2], 2);
    let bound = 1.0 / 12.0_f64.sqrt();
    assert_eq!(conv.weight.shape().to_string(), "[8, 2, 3, 2]");
    let greatest = conv.weight.abs().max(..).item::<f64>();
    assert!(greatest <= bound && greatest > 0.9 * bound);
    let transposed = ConvTranspose2d::grouped(4, 8, [3, 2], 2);
    assert_eq!(transposed.weight.shape().to_string(), "[4, 4, 3, 2]");
    let greatest = transposed.weight.abs().max(..).item::<f64>();
    assert!(greatest <= 1.0 / 24.0_f64.sqrt());
    assert_eq!(
        Embedding::new(5, 3).padding(2).weight.to_vec::<f32>()[6..9],
        [0.0; 3]
    );
}

#[test]
fn padding_modes_of_a_convolution() {
    let mut conv = Conv1d::new(1, 1, 3).padding(1).without_bias();
    conv.weight.set(tensor![[[1.0, 0.0, 0.0]]]);
    let x = tensor![[1.0, 2.0, 3.0]];
    let before = |mode| conv.clone().padding_mode(mode).forward(&x).to_vec::<f32>();
    assert_eq!(before(Padding::Constant(0.0)), [0.0, 1.0, 2.0]);
    assert_eq!(before(Padding::Reflect), [2.0, 1.0, 2.0]);
    assert_eq!(before(Padding::Replicate), [1.0, 1.0, 2.0]);
    assert_eq!(before(Padding::Circular), [3.0, 1.0, 2.0]);
    let causal = conv.padding_sides([(2, 0)]);
    assert_eq!(causal.forward(&x).to_vec::<f32>(), [0.0, 0.0, 1.0]);
}

#[test]
fn even_kernels_keep_extents() {
    for mode in [Padding::Constant(0.0), Padding::Replicate] {
        let conv = Conv2d::new(1, 2, [4, 2])
            .dilation([1, 3])
            .padding_same()
            .padding_mode(mode);
        let y = conv.forward(Tensor::ones([1, 6, 7]));
        assert_eq!(y.shape().to_string(), "[2, 6, 7]");
    }
}

#[test]
fn unpooling_puts_maxima_back() {
    let x = Tensor::arange(16).cast(DType::F32).reshape([1, 4, 4]);
    let (y, positions) = MaxPool2d::new(2).forward_with_positions(&x);
    let back = MaxUnpool2d::new(2).forward(&y, &positions);
    assert_eq!(back.sum(..).item::<f32>(), 5.0 + 7.0 + 13.0 + 15.0);
    assert_eq!(back.to_vec::<f32>()[5], 5.0);
    let wider = MaxUnpool2d::new(2).forward_to(&y, &positions, [5, 4]);
    assert_eq!(wider.shape().to_string(), "[1, 5, 4]");
    says(
        &message(|| MaxUnpool2d::new(2).forward_to(&y, &positions, [6, 4])),
        &["max_unpool2d", "less than the stride, 2", "not 6"],
    );
}

#[test]
fn norms_of_windows_with_and_without_sign() {
    let x = tensor![[-3.0, 4.0, 0.0, 0.0]].cast(DType::F64);
    let plain = LpPool1d::new(3.0, 2);
    let y = plain.forward(&x).to_vec::<f64>();
    assert!((y[0] - 91.0_f64.cbrt()).abs() < 1e-12 && y[1] == 0.0);
    let y = plain.clone().signed().forward(&x).to_vec::<f64>();
    assert!((y[0] - 37.0_f64.cbrt()).abs() < 1e-12 && y[1] == 0.0);
    let gradient = grad(|x: &Tensor| plain.forward(x).sum(..))(&x).to_vec::<f64>();
    assert_eq!(gradient[2..], [0.0, 0.0]);
}

#[test]
fn running_statistics_of_instances() {
    let mut norm = InstanceNorm1d::new(1).with_statistics(0.5);
    norm.forward(tensor![[[1.0, 3.0]], [[5.0, 7.0]]]);
    let mean = norm.running_mean.as_ref().unwrap().get();
    let variance = norm.running_variance.as_ref().unwrap().get();
    assert_eq!(
        (mean.to_vec::<f32>(), variance.to_vec::<f32>()),
        (vec![2.0], vec![1.5])
    );
    norm.eval();
    let y = norm.epsilon(0.0).forward(tensor![[2.0, 2.0]]);
    assert_eq!(y.to_vec::<f32>(), [0.0, 0.0]);
}

#[test]
fn gradients_of_an_embedding() {
    let table = || tensor![[3.0, 4.0], [0.3, 0.4], [1.0, 0.0]];
    let indices = tensor![0, 0, 1, 2];
    let gradient = |layer: &Embedding| {
        let y = layer.forward(&indices);
        y.sum(..)
            .backward()
            .of(&layer.weight)
            .sum(1)
            .to_vec::<f32>()
    };
    let layer = Embedding::from_pretrained(table());
    assert_eq!(gradient(&layer), [4.0, 2.0, 2.0]);
    assert_eq!(gradient(&layer.clone().keep_padding(1)), [4.0, 0.0, 2.0]);
    assert_eq!(
        gradient(&layer.clone().scale_by_frequency()),
        [2.0, 2.0, 2.0]
    );
    let short = layer.longest(1.0, 2.0);
    let y = short.forward(&indices).to_vec::<f32>();
    assert!((y[0] - 0.6).abs() < 1e-6 && (y[1] - 0.8).abs() < 1e-6);
    assert_eq!(y[4..], [0.3, 0.4, 1.0, 0.0]);
    assert_eq!(gradient(&short), [4.0, 2.0, 2.0]);
}

#[test]
fn bags_of_several_sizes() {
    let table = tensor![[1.0, -1.0], [2.0, -2.0], [4.0, -4.0]];
    let layer = EmbeddingBag::from_pretrained(table);
    let (numbers, offsets) = (tensor![0, 1, 2, 2], tensor![0, 3, 3]);
    let bags = |layer: &EmbeddingBag| {
        layer
            .forward_offsets(&numbers, &offsets, None)
            .to_vec::<f32>()
    };
    assert_eq!(
        bags(&layer.clone().reduction(BagReduction::Sum)),
        [7.0, -7.0, 0.0, 0.0, 4.0, -4.0]
    );
    assert_eq!(
        bags(&layer.clone().reduction(BagReduction::Max)),
        [4.0, -1.0, 0.0, 0.0, 4.0, -4.0]
    );
    assert_eq!(
        bags(&layer.clone().keep_padding(2)),
        [1.5, -1.5, 0.0, 0.0, 0.0, 0.0]
    );
    let frequent = layer
        .clone()
        .reduction(BagReduction::Sum)
        .scale_by_frequency();
    let y = frequent.forward_offsets(&numbers, &offsets, None);
    let gradient = y.sum(..).backward().of(&frequent.weight);
    assert_eq!(gradient.to_vec::<f32>(), [1.0; 6]);
    let last = layer.clone().with_last_offset();
    let y = last.forward_offsets(&numbers, &tensor![0, 1, 3], None);
    assert_eq!(y.to_vec::<f32>(), [1.0, -1.0, 3.0, -3.0]);
    let sums = layer.reduction(BagReduction::Sum);
    let y = sums.forward_weighted(tensor![[0, 1]], &tensor![[2.0, 0.5]]);
    assert_eq!(y.to_vec::<f32>(), [3.0, -3.0]);
    says(
        &message(|| sums.forward_offsets(&numbers, &tensor![0, 5], None)),
        &["embedding_bag", "ascend from 0 to at most 4"],
    );
}

#[test]
fn layers_by_their_names() {
    let mut arguments = Arguments::new("conv2d")
        .with("outputs", Value::Integer(8))
        .with(
            "kernel",
            Value::List(vec![Value::Integer(3), Value::Integer(5)]),
        )
        .with("padding", Value::Text("same".to_owned()))
        .with("padding_mode", Value::Text("reflect".to_owned()))
        .with("groups", Value::Integer(2));
    let layer = build_layer("conv2d", &mut arguments, &Shape::from([1, 4, 9, 9])).unwrap();
    assert_eq!(
        layer
            .forward(Tensor::ones([2, 4, 9, 9]))
            .shape()
            .to_string(),
        "[2, 8, 9, 9]"
    );

    let mut arguments = Arguments::new("adaptive_avg_pool2d").with(
        "extents",
        Value::List(vec![Value::Integer(1), Value::Text("keep".to_owned())]),
    );
    let layer = build_layer(
        "adaptive_avg_pool2d",
        &mut arguments,
        &Shape::from([1, 4, 9, 9]),
    );
    assert_eq!(
        layer
            .unwrap()
            .forward(Tensor::ones([2, 4, 9, 9]))
            .shape()
            .to_string(),
        "[2, 4, 1, 9]"
    );

    let mut arguments = Arguments::new("conv1d")
        .with("outputs", Value::Integer(3))
        .with("kernel", Value::Integer(3))
        .with("groups", Value::Integer(3));
    let error = build_layer("conv1d", &mut arguments, &Shape::from([1, 4, 9])).unwrap_err();
    assert_eq!(error.argument, "groups");
    says(&error.to_string(), &["4 inputs and 3 outputs", "3 groups"]);
}

#[test]
fn an_ensemble_of_convolutions_by_vmap() {
    let conv = Conv2d::new(2, 3, 3).padding(1);
    let pool = AdaptiveAvgPool2d::new(2);
    let examples = Tensor::normal([5, 2, 6, 6], 0.0, 1.0);
    let each = vmap(|x: &Tensor| pool.forward(conv.forward(x)))(&examples);
    let together = pool.forward(conv.forward(&examples));
    let difference = (each - together).abs().max(..).item::<f64>();
    assert!(difference < 1e-5, "{difference}");
}
