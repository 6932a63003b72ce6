//! Modules: names, state, modes, freezing, summaries, and buffers that transforms share.

use chainrule::nn::{
    AnyLayer, Arguments, BatchNorm, Value, build_layer, layer_names, load, named, observe, save,
    summarise,
};
use chainrule::prelude::*;

/// A net with running statistics and numbers that are easily made elsewhere.
#[derive(Clone, Module)]
struct Normed {
    first: Linear,
    norm: BatchNorm,
    last: Linear,
}

impl Layer for Normed {
    fn compute(&self, x: &Tensor) -> Tensor {
        let hidden = self.norm.forward(self.first.forward(x));
        self.last.forward(hidden.relu())
    }
}

fn numbers(count: i64, shape: &[isize]) -> Tensor {
    Tensor::arange(count).cast(DType::F64).reshape(shape)
}

fn normed() -> Normed {
    let generator = Generator::new(0);
    let mut net = Normed {
        first: Linear::from_generator(8, 4, &generator),
        norm: BatchNorm::new(4),
        last: Linear::from_generator(4, 1, &generator),
    }
    .to_dtype(DType::F64);
    net.first
        .weight
        .set((numbers(32, &[4, 8]) * 0.71).cos() * 0.5);
    net.first.bias.as_mut().unwrap().set(numbers(4, &[4]) * 0.1);
    net.last.weight.set((numbers(4, &[1, 4]) * 1.3).sin());
    let bias = net.last.bias.as_mut().unwrap();
    bias.set(Tensor::from(vec![0.2]));
    net
}

fn input() -> Tensor {
    (numbers(48, &[6, 8]) * 0.37).sin()
}

fn loss_at(step: i32) -> impl Fn(&Normed) -> Tensor {
    move |net| {
        let x = input() * (1.0 + 0.1 * f64::from(step));
        (net.forward(&x) - 1.0).square().mean(..)
    }
}

fn close(ours: &Tensor, expected: &[f64]) {
    for (ours, expected) in ours.to_vec::<f64>().iter().zip(expected) {
        assert!((ours - expected).abs() < 1e-9, "{ours} is not {expected}");
    }
}

/// PyTorch 2.15's numbers for the same net, data and steps in float64.
fn check_trained(mut net: Normed) {
    close(&net.norm.running_mean.as_ref().unwrap().get(), &MEAN);
    close(
        &net.norm.running_variance.as_ref().unwrap().get(),
        &VARIANCE,
    );
    assert_eq!(net.norm.batches.as_ref().unwrap().get().item::<i64>(), 20);
    net.eval();
    close(&net.forward(input()), &OUTPUT);
}

#[test]
fn running_statistics_by_value_and_grad() {
    let (mut net, mut sgd) = (normed(), Sgd::new(0.05));
    for step in 0..20 {
        let (_, gradients) = value_and_grad(loss_at(step))(&net);
        sgd.update(&mut net, &gradients).unwrap();
    }
    check_trained(net);
}

#[test]
fn running_statistics_by_backward() {
    let (mut net, mut sgd) = (normed(), Sgd::new(0.05));
    for step in 0..20 {
        let gradients = loss_at(step)(&net).backward();
        sgd.update_from(&mut net, &gradients).unwrap();
    }
    check_trained(net);
}

#[test]
fn a_clone_has_buffers_of_its_own() {
    let net = normed();
    let other = net.clone();
    let _ = other.forward(input()).to_vec::<f64>();
    close(&net.norm.running_mean.as_ref().unwrap().get(), &[0.0; 4]);
    assert_ne!(
        other
            .norm
            .running_mean
            .as_ref()
            .unwrap()
            .get()
            .to_vec::<f64>(),
        [0.0; 4]
    );
}

#[test]
fn statistics_that_differ_between_examples_are_refused() {
    let net = normed();
    let many = vmap(|scale: &Tensor| net.forward(input() * scale).sum(..));
    let error = attempt(|| many(&tensor![1.0, 2.0].cast(DType::F64))).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("buffer of layer `norm`"), "{message}");
    assert!(message.contains("modules.rs"), "{message}");
}

#[test]
fn an_ensemble_in_evaluation_is_mapped() {
    let mut nets = [normed(), normed()];
    nets[1]
        .first
        .weight
        .set(nets[0].first.weight.stop_history() * 0.5);
    for net in &mut nets {
        net.eval();
    }
    let [one, two] = &nets;
    let stacked = chainrule::tree::leaves(one)
        .into_iter()
        .zip(chainrule::tree::leaves(two))
        .map(|(one, two)| Tensor::stack(&[one, two], 0))
        .collect::<Vec<_>>();
    let ensemble = chainrule::tree::rebuilt(one, &stacked);
    let together = vmap(|net: &Normed| net.forward(input()))(&ensemble);
    for (position, net) in nets.iter().enumerate() {
        close(
            &together.unbind(0)[position],
            &net.forward(input()).to_vec::<f64>(),
        );
    }
}

#[test]
fn state_comes_back_from_a_file() {
    let path = std::env::temp_dir().join(format!("chainrule-state-{}", std::process::id()));
    let mut net = normed();
    let _ = net.forward(input()).to_vec::<f64>();
    assert_eq!(net.freeze("first.*"), 2);
    save(&net, &path).unwrap();
    let fresh = normed();
    let mut again = load(&fresh, &path).unwrap();
    std::fs::remove_file(&path).unwrap();
    again.eval();
    net.eval();
    close(
        &again.forward(input()),
        &net.forward(input()).to_vec::<f64>(),
    );
    // What was loaded is not shared with the model that gave the structure.
    close(&fresh.norm.running_mean.as_ref().unwrap().get(), &[0.0; 4]);
}

#[test]
fn frozen_parameters_stay() {
    let mut net = normed();
    let count = net.parameter_count();
    assert_eq!(net.freeze("*.weight"), 3);
    assert_eq!(net.parameter_count(), count);
    assert_eq!(net.parameters().len(), 3);
    let before = net.first.weight.to_vec::<f64>();
    let mut sgd = Sgd::new(0.1);
    let gradients = loss_at(0)(&net).backward();
    assert!(gradients.of(&net.first.weight).is_absent());
    sgd.update_from(&mut net, &gradients).unwrap();
    assert_eq!(net.first.weight.to_vec::<f64>(), before);
    assert_eq!(net.unfreeze("*"), 6);
    assert_eq!(net.parameters().len(), 6);
    assert!(
        !loss_at(0)(&net)
            .backward()
            .of(&net.first.weight)
            .is_absent()
    );
}

#[test]
fn layers_are_called_by_their_field_paths() {
    let net = vec![normed()];
    let graph = Graph::trace(|x: &Tensor| named(&net, || net[0].forward(x)), &input());
    let paths: Vec<&str> = graph.nodes().iter().map(|node| node.path()).collect();
    assert!(
        paths.contains(&"0.first") && paths.contains(&"0.norm"),
        "{paths:?}"
    );
    // The copy that a transform makes is named as well: its own forward function names what is inside it.
    let (_, seen) = observe(|| grad(loss_at(0))(&normed()));
    let seen: Vec<(&str, &str)> = seen
        .iter()
        .map(|seen| (seen.path.as_str(), seen.kind))
        .collect();
    let expected = [
        ("first", "Linear"),
        ("norm", "BatchNorm"),
        ("last", "Linear"),
        ("", "Normed"),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn summaries_count_and_change_nothing() {
    let net = normed();
    let summary = net.summary(&input());
    let rows: Vec<(&str, usize, u64)> = summary
        .rows
        .iter()
        .map(|row| (row.path.as_str(), row.parameters, row.multiply_adds))
        .collect();
    let expected = [
        ("", 36 + 8 + 5, 6 * 32 + 6 * 4),
        ("first", 36, 6 * 32),
        ("norm", 8, 0),
        ("last", 5, 6 * 4),
    ];
    assert_eq!(rows, expected);
    assert_eq!(net.norm.batches.as_ref().unwrap().get().item::<i64>(), 0);
    assert!(summary.to_string().contains("first (Linear)"), "{summary}");
    let pair = [normed(), normed()];
    let summary = summarise(&pair, &input(), |pair, x| {
        pair[0].forward(x) + pair[1].forward(x)
    });
    assert_eq!(summary.rows[4].path, "1");
}

#[test]
fn sequences_of_layers_and_functions() {
    let net = Sequential::new()
        .then(Linear::new(3, 4))
        .then_function("relu", Tensor::relu)
        .then(Sequential::new().then(Linear::new(4, 2)));
    let names: Vec<String> = net
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]);
    let gradients = grad(|net: &Sequential| net.forward(Tensor::ones([1, 3])).sum(..))(&net);
    assert_eq!(gradients.parameters().len(), 4);
    assert!(net[0].downcast_ref::<Linear>().is_some());
}

#[test]
fn layers_by_name() {
    assert!(layer_names().contains(&"batch_norm"));
    let mut arguments = Arguments::new("linear").with("outputs", Value::Integer(5));
    let layer: AnyLayer = build_layer("linear", &mut arguments, &Shape::from([2, 3])).unwrap();
    assert_eq!(
        layer.forward(Tensor::ones([2, 3])).shape(),
        &Shape::from([2, 5])
    );
    let message = |name: &str, mut arguments: Arguments| {
        build_layer(name, &mut arguments, &Shape::from([2, 3]))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message("linaer", Arguments::new("layer 1")),
        "layer 1: there is no layer `linaer`; did you mean `linear`?"
    );
    assert_eq!(
        message("linear", Arguments::new("linear")),
        "linear: the argument `outputs` is missing"
    );
    let wrong = Arguments::new("linear").with("outputs", Value::Text("ten".into()));
    assert_eq!(
        message("linear", wrong),
        "linear: `outputs` is \"ten\"; expected a whole number, not negative"
    );
    let misspelt = Arguments::new("linear")
        .with("outputs", Value::Integer(1))
        .with("bais", Value::Bool(true));
    assert_eq!(
        message("linear", misspelt),
        "linear: there is no argument `bais`; did you mean `bias`?"
    );
}

const MEAN: [f64; 4] = [
    0.05823910023077684,
    0.28815596264440685,
    0.4460811791074506,
    0.48561876886931704,
];
const VARIANCE: [f64; 4] = [
    9.824303900436142,
    11.257014206340227,
    6.212630626652434,
    2.818697087082639,
];
const OUTPUT: [f64; 6] = [
    0.6704460117581126,
    0.7666271123024215,
    0.6704460117581126,
    0.768851463051549,
    0.6704460117581126,
    0.7450039139255212,
];
