//! Recurrent networks: lengths, directions, gradients over many steps, transforms, names.

use chainrule::nn::{Arguments, Lstm, LstmCell, LstmState, RecurrentOptions, Value, build_layer};
use chainrule::nn::{Gru, Rnn};
use chainrule::prelude::*;

fn numbers(shape: &[usize], step: f64) -> Tensor {
    let count = shape.iter().product::<usize>() as i64;
    let extents: Vec<isize> = shape.iter().map(|&extent| extent as isize).collect();
    (Tensor::arange(count).cast(DType::F64) * step)
        .sin()
        .reshape(&extents[..])
}

fn close(ours: &Tensor, expected: &Tensor, tolerance: f64) {
    assert_eq!(ours.shape(), expected.shape());
    let difference = (ours - expected).abs().max(..).item::<f64>();
    assert!(difference <= tolerance, "they differ by {difference}");
}

fn options() -> RecurrentOptions {
    RecurrentOptions::new(3, 4).layers(2).bidirectional()
}

fn generator() -> Generator {
    Generator::new(5)
}

/// Every sequence of a padded batch gives what it gives alone, whatever the padding holds.
#[test]
fn a_padded_batch_is_its_sequences() {
    let lengths = [5, 2, 4];
    let lstm = Lstm::from_generator(options().projection(2), &generator()).to_dtype(DType::F64);
    let gru = Gru::from_generator(options(), &generator()).to_dtype(DType::F64);
    let rnn = Rnn::from_generator(options(), &generator()).to_dtype(DType::F64);
    let x = numbers(&[3, 6, 3], 0.7);
    let (together, last) = lstm.forward_lengths(&x, &lengths, None);
    let (of_gru, last_of_gru) = gru.forward_lengths(&x, &lengths, None);
    let (of_rnn, last_of_rnn) = rnn.forward_lengths(&x, &lengths, None);
    for (row, &length) in lengths.iter().enumerate() {
        let sequence = x.narrow(0, row, 1).narrow(1, 0, length);
        let row_of = |all: &Tensor| all.narrow(0, row, 1).narrow(1, 0, length);
        let behind = together.narrow(0, row, 1).narrow(1, length, 6 - length);
        assert_eq!(behind.abs().max(..).item::<f64>(), 0.0);
        let (alone, state) = lstm.forward_with(&sequence, None);
        close(&row_of(&together), &alone, 1e-14);
        close(&last.hidden.narrow(1, row, 1), &state.hidden, 1e-14);
        close(&last.cell.narrow(1, row, 1), &state.cell, 1e-14);
        let (alone, state) = gru.forward_with(&sequence, None);
        close(&row_of(&of_gru), &alone, 1e-14);
        close(&last_of_gru.narrow(1, row, 1), &state, 1e-14);
        let (alone, state) = rnn.forward_with(&sequence, None);
        close(&row_of(&of_rnn), &alone, 1e-14);
        close(&last_of_rnn.narrow(1, row, 1), &state, 1e-14);
    }
}

/// Nothing flows to the padding, and what flows to the sequences does not depend on it.
#[test]
fn gradients_stop_at_the_ends() {
    let gru = Gru::from_generator(options(), &generator()).to_dtype(DType::F64);
    let loss = |x: &Tensor| gru.forward_lengths(x, &[2, 4], None).0.square().sum(..);
    let gradient = grad(loss)(&numbers(&[2, 4, 3], 0.3));
    let padding = gradient.narrow(0, 0, 1).narrow(1, 2, 2);
    assert_eq!(padding.abs().max(..).item::<f64>(), 0.0);
    assert!(
        gradient
            .narrow(0, 0, 1)
            .narrow(1, 1, 1)
            .abs()
            .max(..)
            .item::<f64>()
            > 0.0
    );
}

/// A network of one layer is its cell, called step by step; the order of the axes changes nothing.
#[test]
fn a_network_is_its_cell() {
    let lstm = Lstm::from_generator(RecurrentOptions::new(3, 4), &generator());
    let mut time_first = Lstm::from_options(RecurrentOptions::new(3, 4).time_first());
    time_first.layers = lstm.layers.clone();
    let x = numbers(&[2, 5, 3], 0.4).cast(DType::F32);
    let (outputs, last) = lstm.forward_with(&x, None);
    let turned = time_first.forward(x.transpose(0, 1));
    close(
        &turned.transpose(0, 1).cast(DType::F64),
        &outputs.cast(DType::F64),
        1e-6,
    );
    let mut state: Option<LstmState> = None;
    for step in x.unbind(1) {
        state = Some(lstm.layers[0].forward.forward(step, state.as_ref()));
    }
    let state = state.unwrap();
    close(
        &last.cell.squeeze(0).cast(DType::F64),
        &state.cell.cast(DType::F64),
        1e-6,
    );
    let (alone, _) = lstm.forward_with(x.index(1), None);
    close(
        &alone.cast(DType::F64),
        &outputs.index(1).cast(DType::F64),
        1e-6,
    );
}

/// The gradient through 100 steps against differences.
#[test]
fn a_hundred_steps_against_differences() {
    let lstm = Lstm::from_generator(RecurrentOptions::new(2, 3), &generator()).to_dtype(DType::F64);
    let x = numbers(&[2, 100, 2], 0.21);
    let loss = |lstm: &Lstm| {
        let (outputs, last) = lstm.forward_with(&x, None);
        outputs.square().mean(..) + last.cell.sum(..)
    };
    let gradient = grad(loss)(&lstm);
    let step = 1e-5;
    for (name, leaf) in lstm.named_parameters() {
        let direction = numbers(leaf.shape(), 1.9)
            .reshape(leaf.shape().iter().map(|&e| e as isize).collect::<Vec<_>>());
        let moved = |by: f64| {
            let mut other = lstm.copied();
            other.set_state(&mut |path, value| match path == name {
                true => value + &direction * by,
                false => value.clone(),
            });
            loss(&other).item::<f64>()
        };
        let expected = (moved(step) - moved(-step)) / (2.0 * step);
        let named = gradient.named_parameters();
        let (_, ours) = named.iter().find(|(known, _)| *known == name).unwrap();
        let ours = (*ours * &direction).sum(..).item::<f64>();
        let close = (ours - expected).abs() <= 1e-7 * expected.abs().max(1.0);
        assert!(close, "{name}: {ours} against {expected}");
    }
}

#[test]
fn a_cell_over_a_mapped_batch() {
    let cell = LstmCell::from_generator(3, 4, &generator()).to_dtype(DType::F64);
    let x = numbers(&[5, 3], 0.8);
    let together = cell.forward(&x, None);
    let mapped = vmap(|x: &Tensor| cell.forward(x, None))(&x);
    close(&mapped.hidden, &together.hidden, 1e-14);
    close(&mapped.cell, &together.cell, 1e-14);
}

#[test]
fn dropout_between_layers_is_for_training() {
    let mut gru = Gru::from_generator(options().dropout(0.5), &generator());
    let x = numbers(&[2, 5, 3], 0.4).cast(DType::F32);
    let value = |gru: &Gru| gru.forward(&x).to_vec::<f32>();
    assert_ne!(value(&gru), value(&gru));
    gru.eval();
    assert_eq!(value(&gru), value(&gru));
}

#[test]
fn parameters_are_called_by_layer_and_direction() {
    let lstm = Lstm::from_options(options().without_bias());
    let names: Vec<String> = lstm
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names.len(), 8);
    assert_eq!(names[3], "layers.0.reverse.hidden_weight");
    assert_eq!(names[4], "layers.1.forward.input_weight");
}

#[test]
fn messages_name_the_layer() {
    let lstm = Lstm::new(3, 4);
    let error = attempt(|| lstm.forward(Tensor::ones([2, 5, 4]))).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("lstm: the layer takes [batch, time, 3]"),
        "{message}"
    );
    assert!(message.contains("[2, 5, 4]"), "{message}");
    let error =
        attempt(|| lstm.forward_lengths(Tensor::ones([2, 5, 3]), &[5, 6], None)).unwrap_err();
    assert!(error.to_string().contains("length 6"), "{error}");
    let state = LstmState {
        hidden: Tensor::zeros([1, 3, 4]),
        cell: Tensor::zeros([1, 3, 4]),
    };
    let error = attempt(|| lstm.forward_with(Tensor::ones([2, 5, 3]), Some(&state))).unwrap_err();
    assert!(error.to_string().contains("[1, 2, 4]"), "{error}");
}

#[test]
fn networks_are_in_the_catalogue() {
    let mut arguments = Arguments::new("gru")
        .with("hidden", Value::Integer(7))
        .with("bidirectional", Value::Bool(true));
    let layer = build_layer("gru", &mut arguments, &Shape::from([2, 5, 3])).unwrap();
    assert_eq!(
        layer.forward(Tensor::ones([2, 5, 3])).shape().to_string(),
        "[2, 5, 14]"
    );
    let mut arguments = Arguments::new("rnn")
        .with("hidden", Value::Integer(7))
        .with("activation", Value::Text("sine".to_owned()));
    let error = build_layer("rnn", &mut arguments, &Shape::from([2, 5, 3])).unwrap_err();
    assert!(error.to_string().contains("\"relu\""), "{error}");
}
