//! Attention and Transformers: masks, caches, positions, names.

use chainrule::nn::{
    Arguments, AttentionMasks, LastStep, LearnedPositions, MultiheadAttention, RotaryEmbedding,
    SinusoidalPositions, Transformer, TransformerEncoder, TransformerOptions, Value, build_layer,
};
use chainrule::prelude::*;

fn numbers(shape: &[usize], step: f64) -> Tensor {
    let count = shape.iter().product::<usize>() as i64;
    let extents: Vec<isize> = shape.iter().map(|&extent| extent as isize).collect();
    let flat = (Tensor::arange(count).cast(DType::F64) * step).sin();
    flat.reshape(&extents[..])
}

fn close(ours: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(ours.shape(), expected.shape());
    let difference = (ours - expected).abs().max(..).item::<f64>();
    assert!(difference <= tolerance, "they differ by {difference}");
}

fn truths(rows: &[&[u8]]) -> Tensor {
    let flat: Vec<u8> = rows.concat();
    Tensor::from_vec(flat, [rows.len(), rows[0].len()]).cast(DType::Bool)
}

/// Elements one by one, or some at once, through the caches give what the whole sequence gives.
#[test]
fn cached_generation_is_full_attention() {
    let plain = TransformerOptions::language_model(8, 2).dropout(0.0);
    let turned = plain.clone().rotary();
    for options in [plain, turned] {
        let model = TransformerEncoder::from_options(&options, 2).to_dtype(DType::F64);
        let x = numbers(&[2, 6, 8], 0.61);
        let whole = model.forward(&x);
        let mut caches = model.caches();
        let mut parts = vec![model.forward_cached(x.narrow(1, 0, 3), &mut caches)];
        parts.push(model.forward_cached(x.narrow(1, 3, 1), &mut caches));
        parts.push(model.forward_cached(x.narrow(1, 4, 2), &mut caches));
        close(&Tensor::concat(&parts, 1), &whole, 1e-13);
        assert_eq!(caches[1].len(), 6);
    }
}

/// The learnt and the zero element are looked at, are not kept in the cache, and do not hide what is masked.
#[test]
fn extra_elements_are_always_there() {
    let attention = MultiheadAttention::new(8, 2)
        .with_extra_element()
        .with_zero_element()
        .causal()
        .to_dtype(DType::F64);
    let x = numbers(&[2, 4, 8], 0.37);
    let (whole, weights) = attention.forward_weights(&x, &x, &x, &AttentionMasks::new());
    assert_eq!(weights.shape().to_string(), "[2, 2, 4, 6]");
    close(
        &weights.sum(-1),
        &Tensor::ones([2, 2, 4]).cast(DType::F64),
        1e-14,
    );
    assert_eq!(weights.index((0, 0, 0, 1)).item::<f64>(), 0.0);
    assert!(weights.index((0, 0, 0, 5)).item::<f64>() > 0.0);
    let mut cache = chainrule::nn::KeyValueCache::new();
    let parts: Vec<Tensor> = (0..4)
        .map(|at| attention.forward_cached(x.narrow(1, at, 1), &mut cache))
        .collect();
    close(&Tensor::concat(&parts, 1), &whole, 1e-13);
    assert_eq!(cache.len(), 4);
}

/// A padded batch gives what its sequences give alone.
#[test]
fn padding_has_no_influence() {
    let options = TransformerOptions::new(8, 2).feed_forward(16).dropout(0.0);
    let model = TransformerEncoder::from_options(&options, 2).to_dtype(DType::F64);
    let x = numbers(&[2, 5, 8], 0.29);
    let real = truths(&[&[1, 1, 1, 1, 1], &[1, 1, 1, 0, 0]]);
    let together = model.forward_with(&x, &AttentionMasks::new().keys(&real));
    let short = x.narrow(0, 1, 1).narrow(1, 0, 3);
    close(
        &together.narrow(0, 1, 1).narrow(1, 0, 3),
        &model.forward(&short),
        1e-13,
    );
    let alone = model.forward(short.squeeze(0));
    close(&alone.unsqueeze(0), &model.forward(&short), 1e-13);
}

#[test]
fn a_mask_of_numbers_is_one_of_truths() {
    let attention = MultiheadAttention::new(8, 2).to_dtype(DType::F64);
    let x = numbers(&[2, 3, 8], 0.29);
    let allowed = truths(&[&[1, 0, 1], &[1, 1, 0], &[0, 1, 1]]);
    let zeros = Tensor::zeros([3, 3]).cast(DType::F64);
    let added = allowed.where_(&zeros, f64::NEG_INFINITY);
    let by = |mask: &Tensor| attention.forward_with(&x, &x, &x, &AttentionMasks::new().pairs(mask));
    close(&by(&allowed), &by(&added), 1e-15);
}

/// One product for query, key and value gives what three give.
#[test]
fn shared_operands_change_nothing() {
    let attention = MultiheadAttention::new(8, 2).to_dtype(DType::F64);
    let x = numbers(&[2, 3, 8], 0.29);
    let (again, other) = (x.clone(), x.clone());
    let all = AttentionMasks::new();
    let shared = attention.forward(&x);
    close(
        &attention.forward_with(&x, &again, &other, &all),
        &shared,
        1e-14,
    );
    close(
        &attention.forward_with(&x, &again, &again, &all),
        &shared,
        1e-14,
    );
}

#[test]
fn dropout_of_a_transformer_is_for_training() {
    let options = TransformerOptions::new(8, 2).feed_forward(16).dropout(0.5);
    let mut model = Transformer::from_options(&options, 1, 1);
    let x = numbers(&[2, 3, 8], 0.29).cast(DType::F32);
    let all = AttentionMasks::new();
    let value = |model: &Transformer| model.forward_with(&x, &x, &all, &all, &all).to_vec::<f32>();
    assert_ne!(value(&model), value(&model));
    model.eval();
    assert_eq!(value(&model), value(&model));
}

/// The product of a turned query and a turned key depends on the distance only.
#[test]
fn rotation_keeps_distances() {
    let rotary = RotaryEmbedding::new(4);
    let (query, key) = (numbers(&[1, 4], 0.5), numbers(&[1, 4], 0.9) + 0.2);
    let product = |at: usize, other: usize| {
        let (query, key) = (
            rotary.forward_from(&query, at),
            rotary.forward_from(&key, other),
        );
        (query * key).sum(..).item::<f64>()
    };
    assert!((product(2, 5) - product(7, 10)).abs() < 1e-12);
    assert!((product(2, 5) - product(2, 6)).abs() > 1e-3);
}

/// The formula of the paper, an odd number of features, and an offset.
#[test]
fn waves_of_positions() {
    let waves = SinusoidalPositions::new(5).forward(Tensor::zeros([8, 5]).cast(DType::F64));
    for (position, feature) in [(3, 0), (3, 1), (7, 2), (7, 3), (7, 4)] {
        let angle = position as f64 / 10_000_f64.powf(2.0 * (feature / 2) as f64 / 5.0);
        let expected = if feature % 2 == 0 {
            angle.sin()
        } else {
            angle.cos()
        };
        let ours = waves.index((position, feature)).item::<f64>();
        assert!((ours - expected).abs() < 1e-12, "{ours} is not {expected}");
    }
    let later = SinusoidalPositions::new(5).forward_from(Tensor::zeros([2, 5]).cast(DType::F64), 6);
    close(&later, &waves.narrow(0, 6, 2), 1e-15);
    let learned = LearnedPositions::new(3, 5);
    let error = attempt(|| learned.forward(Tensor::zeros([4, 5]))).unwrap_err();
    assert!(
        error.to_string().contains("there are 3 positions"),
        "{error}"
    );
}

#[test]
fn parameters_are_called_by_their_part() {
    let options = TransformerOptions::new(8, 2).feed_forward(16);
    let model = Transformer::from_options(&options, 4, 1);
    let names: Vec<String> = model
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in [
        "encoder.layers.3.attention.input.weight",
        "encoder.layers.3.attention.output.bias",
        "encoder.layers.0.feed_forward.expand.weight",
        "decoder.layers.0.memory_attention.input.weight",
        "decoder.norm.bias",
    ] {
        assert!(
            names.iter().any(|known| known == name),
            "{name} in {names:?}"
        );
    }
    // PyTorch's count for the same sizes.
    let encoder_layer = 4 * 8 * 8 + 4 * 8 + 2 * 8 * 16 + 16 + 8 + 4 * 8;
    let decoder_layer = encoder_layer + 4 * 8 * 8 + 4 * 8 + 2 * 8;
    assert_eq!(
        model.parameter_count(),
        4 * encoder_layer + decoder_layer + 2 * 16
    );
}

#[test]
fn layers_are_in_the_catalogue() {
    let shape = Shape::from([2, 5, 8]);
    let mut arguments = Arguments::new("transformer_encoder")
        .with("layers", Value::Integer(2))
        .with("heads", Value::Integer(2))
        .with("causal", Value::Bool(true));
    let layer = build_layer("transformer_encoder", &mut arguments, &shape).unwrap();
    assert_eq!(
        layer.forward(Tensor::ones([2, 5, 8])).shape().to_string(),
        "[2, 5, 8]"
    );
    let mut arguments = Arguments::new("multihead_attention").with("heads", Value::Integer(3));
    let error = build_layer("multihead_attention", &mut arguments, &shape).unwrap_err();
    assert!(
        error.to_string().contains("8 features do not divide"),
        "{error}"
    );
    for name in [
        "positional_encoding",
        "learned_positions",
        "rotary",
        "last_step",
    ] {
        build_layer(name, &mut Arguments::new(name), &shape).unwrap();
    }
    assert_eq!(
        LastStep::new()
            .forward(numbers(&[2, 3, 4], 1.0))
            .shape()
            .to_string(),
        "[2, 4]"
    );
}

/// Derivatives through masks, the softmax and the normalisations, against differences.
#[test]
fn gradient_of_a_transformer_against_differences() {
    let options = TransformerOptions::new(4, 2)
        .feed_forward(6)
        .dropout(0.0)
        .activation(Tensor::gelu);
    let model = Transformer::from_options(&options, 1, 1).to_dtype(DType::F64);
    let (source, target) = (numbers(&[2, 4, 4], 0.7), numbers(&[2, 3, 4], 0.4));
    let real = truths(&[&[1, 1, 1, 0], &[1, 1, 1, 1]]);
    let padded = AttentionMasks::new().keys(&real);
    let causal = AttentionMasks::new().causal();
    let loss = |x: &Tensor| {
        let y = model.forward_with(x, &target, &padded, &causal, &padded);
        (y * numbers(&[2, 3, 4], 1.3)).sum(..)
    };
    let gradient = grad(loss)(&source);
    let direction = numbers(&[2, 4, 4], 2.3);
    let step = 1e-5;
    let moved = |by: f64| loss(&(&source + &direction * by)).item::<f64>();
    let expected = (moved(step) - moved(-step)) / (2.0 * step);
    let ours = (gradient * direction).sum(..).item::<f64>();
    assert!((ours - expected).abs() < 1e-7, "{ours} against {expected}");
}

#[test]
fn messages_say_what_fits() {
    let attention = MultiheadAttention::new(8, 2);
    let error = attempt(|| attention.forward(Tensor::ones([2, 3, 7]))).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("a query [batch, queries, 8]"), "{message}");
    assert!(message.contains("[2, 3, 7]"), "{message}");
    let error = attempt(|| MultiheadAttention::new(8, 3))
        .map(|_| ())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("8 features do not divide into 3 heads"),
        "{error}"
    );
}
