//! Networks built to be ill: what is wrong with each is found and named. Healthy ones are left in peace.

use chainrule::Module;
use chainrule_core::{Generator, Tensor, value_and_grad};
use chainrule_nn::{Adam, Layer, Linear, Parameter, Sgd, named, observe};
use chainrule_train::flow::{
    ActivationKind, Finding, FindingKind, GradientFlow, Observation, Severity, StepRecord,
};

#[derive(Clone, Module)]
struct Stack {
    layers: Vec<Linear>,
}

impl Stack {
    fn new(extents: &[usize], generator: &Generator) -> Stack {
        let layer = |pair: &[usize]| Linear::from_generator(pair[0], pair[1], generator);
        Stack {
            layers: extents.windows(2).map(layer).collect(),
        }
    }

    /// The outputs of all layers, the activation applied to all but the last; the last is the network's.
    fn outputs(&self, x: &Tensor, activation: fn(&Tensor) -> Tensor) -> Vec<Tensor> {
        let mut outputs = vec![x.clone()];
        for (number, layer) in self.layers.iter().enumerate() {
            let y = layer.forward(&outputs[number]);
            let last = number + 1 == self.layers.len();
            outputs.push(if last { y } else { activation(&y) });
        }
        outputs.split_off(1)
    }
}

/// Ten classes that can be told apart: a noisy centre for each.
fn examples(count: usize, features: usize, generator: &Generator) -> (Tensor, Tensor) {
    let centres = generator.normal([10, features], 0.0, 1.0);
    let labels: Vec<i64> = (0..count as i64).map(|i| i % 10).collect();
    let labels = Tensor::from_vec(labels, [count]);
    let noise = generator.normal([count, features], 0.0, 0.5);
    (centres.index_select(0, &labels) + noise, labels)
}

/// Trains with plain descent and returns what was found.
fn watched(
    stack: &mut Stack,
    activation: fn(&Tensor) -> Tensor,
    kind: Option<ActivationKind>,
    steps: u64,
) -> GradientFlow {
    let generator = Generator::new(7);
    let inputs = stack.layers[0].weight.shape()[1];
    let (x, labels) = examples(64, inputs, &generator);
    let mut sgd = Sgd::new(0.05);
    let mut flow = GradientFlow::new();
    for step in 0..steps {
        let (_, gradients) = value_and_grad(|stack: &Stack| {
            stack
                .outputs(&x, activation)
                .pop()
                .unwrap()
                .cross_entropy(&labels)
        })(stack);
        let before = stack.clone();
        sgd.update(stack, &gradients).unwrap();
        let mut observation = Observation::of(step, &before, &gradients).updated_to(stack);
        if let Some(kind) = kind {
            let outputs = before.outputs(&x, activation);
            for (number, output) in outputs[..outputs.len() - 1].iter().enumerate() {
                observation =
                    observation.activation(&format!("activations.{number}"), kind, output);
            }
            observation = observation.activation(
                "output",
                ActivationKind::Other,
                &outputs[outputs.len() - 1],
            );
        }
        flow.observe(observation);
    }
    flow
}

fn find(flow: &GradientFlow, kind: FindingKind) -> Finding {
    let found = flow.findings();
    let same = found.iter().find(|finding| finding.kind == kind);
    same.unwrap_or_else(|| panic!("{kind:?} is not among {found:#?}"))
        .clone()
}

fn scale(stack: &mut Stack, factor: f64) {
    for layer in &mut stack.layers {
        layer.weight *= factor;
    }
}

#[test]
fn a_deep_stack_of_sigmoids_vanishes_with_depth() {
    let mut stack = Stack::new(&[20, 32, 32, 32, 32, 32, 32, 32, 10], &Generator::new(1));
    let flow = watched(&mut stack, |x| x.sigmoid(), None, 5);
    let finding = find(&flow, FindingKind::Vanishing);
    assert_eq!(&*finding.layer, "layers.0");
    assert!(finding.source.contains("tests/flow.rs:"), "{finding:?}");
    assert!(
        finding.message.contains("8 layers") && finding.message.contains("layers.7"),
        "{finding}"
    );
    assert_eq!(finding.step, 2);
}

#[test]
fn weights_that_are_far_too_large_are_bad_from_the_first_step() {
    let mut stack = Stack::new(&[20, 32, 32, 10], &Generator::new(1));
    scale(&mut stack, 30.0);
    let flow = watched(&mut stack, |x| x.tanh(), Some(ActivationKind::Tanh), 5);
    let finding = find(&flow, FindingKind::BadInitialisation);
    assert_eq!((finding.step, &*finding.layer), (0, "activations.0"));
    assert!(finding.source.contains("tests/flow.rs:"), "{finding:?}");
    let finding = find(&flow, FindingKind::Saturated);
    assert!(
        finding.message.contains("tanh") && finding.message.contains('%'),
        "{finding}"
    );
}

#[test]
fn weights_that_are_far_too_small_are_bad_from_the_first_step() {
    let mut stack = Stack::new(&[20, 32, 32, 32, 32, 10], &Generator::new(1));
    scale(&mut stack, 1e-3);
    for layer in &mut stack.layers {
        *layer.bias.as_mut().unwrap() *= 0.0;
    }
    let by_biases = watched(&mut stack.clone(), |x| x.relu(), None, 1);
    assert_eq!(
        &*find(&by_biases, FindingKind::BadInitialisation).layer,
        "layers.0"
    );
    let by_outputs = watched(&mut stack, |x| x.relu(), Some(ActivationKind::Relu), 1);
    let finding = find(&by_outputs, FindingKind::BadInitialisation);
    assert!(finding.message.contains("shrink"), "{finding}");
}

/// Two thirds of the units of the second layer get a bias that no input overcomes.
fn with_dead_units() -> Stack {
    let mut stack = Stack::new(&[20, 30, 30, 10], &Generator::new(1));
    let bias = (0..30)
        .map(|unit| if unit % 3 == 0 { 0.1 } else { -100.0 })
        .collect::<Vec<f32>>();
    stack.layers[1].bias = Some(Parameter::new(Tensor::from_vec(bias, [30])));
    stack
}

#[test]
fn dead_relus_are_counted() {
    let flow = watched(
        &mut with_dead_units(),
        |x| x.relu(),
        Some(ActivationKind::Relu),
        10,
    );
    let finding = find(&flow, FindingKind::DeadUnits);
    assert_eq!(
        (&*finding.layer, finding.severity),
        ("activations.1", Severity::Warning)
    );
    assert!(finding.message.contains("of the 30 units"), "{finding}");
}

#[test]
fn dead_relus_that_are_not_watched_show_in_the_gradient_of_the_bias() {
    let flow = watched(&mut with_dead_units(), |x| x.relu(), None, 10);
    let finding = find(&flow, FindingKind::DeadUnits);
    assert_eq!(&*finding.layer, "layers.1");
    assert!(finding.message.contains("`layers.1.bias`"), "{finding}");
    assert_eq!(flow.findings().len(), 1, "{:#?}", flow.findings());
}

#[test]
fn a_layer_that_is_dead_altogether_stops_all_before_it() {
    let mut stack = with_dead_units();
    stack.layers[1].bias = Some(Parameter::new(Tensor::full([30], -100.0)));
    let flow = watched(&mut stack, |x| x.relu(), None, 10);
    let zero: Vec<_> = flow
        .findings()
        .into_iter()
        .filter(|f| f.kind == FindingKind::ZeroGradient)
        .collect();
    let layers: Vec<&str> = zero.iter().map(|finding| &*finding.layer).collect();
    assert_eq!(layers, ["layers.0", "layers.1"]);
}

/// A layer of one's own that ends in a ReLU.
#[derive(Clone, Module)]
struct Hidden {
    linear: Linear,
}

impl Layer for Hidden {
    fn compute(&self, x: &Tensor) -> Tensor {
        self.linear.forward(x).relu()
    }
}

#[test]
fn layers_are_watched_where_they_are_called() {
    let generator = Generator::new(3);
    let hidden = |inputs| Hidden {
        linear: Linear::from_generator(inputs, 16, &generator),
    };
    let mut model = vec![hidden(20), hidden(16)];
    model[1].linear.bias = Some(Parameter::new(Tensor::full([16], -50.0)));
    let (x, _) = examples(32, 20, &generator);
    let mut flow = GradientFlow::new();
    for step in 0..3 {
        let forward = || model[1].forward(model[0].forward(&x)).square().mean(..);
        let (loss, seen) = observe(|| named(&model, forward));
        flow.observe(Observation::of_backward(step, &model, &loss.backward()).watched(&seen));
    }
    let layers: Vec<&str> = flow.records()[0]
        .activations
        .iter()
        .map(|a| &*a.layer)
        .collect();
    assert_eq!(layers, ["0.linear", "0", "1.linear", "1"]);
    let finding = find(&flow, FindingKind::DeadUnits);
    assert_eq!(
        (&*finding.layer, finding.severity),
        ("1", Severity::Serious)
    );
    assert!(finding.source.contains("tests/flow.rs:"), "{finding:?}");
}

#[derive(Clone, Module)]
struct Branches {
    trunk: Linear,
    side: Linear,
    head: Linear,
}

#[test]
fn a_branch_that_is_cut_off_is_named_with_its_layer() {
    let generator = Generator::new(3);
    let model = Branches {
        trunk: Linear::from_generator(20, 16, &generator),
        side: Linear::from_generator(20, 16, &generator),
        head: Linear::from_generator(16, 10, &generator),
    };
    let (x, labels) = examples(32, 20, &generator);
    let loss = |model: &Branches| {
        let side = model.side.forward(&x).relu().stop_gradient();
        model
            .head
            .forward(model.trunk.forward(&x).relu() + side)
            .cross_entropy(&labels)
    };
    let (_, gradients) = value_and_grad(loss)(&model);
    let by_tree = GradientFlow::new().observe(Observation::of(0, &model, &gradients));
    let backward = loss(&model).backward();
    let by_backward = GradientFlow::new().observe(Observation::of_backward(0, &model, &backward));
    for found in [by_tree, by_backward] {
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(
            (found[0].kind, &*found[0].layer),
            (FindingKind::NoGradient, "side")
        );
        assert!(
            found[0].message.contains("`side.weight` and `side.bias`"),
            "{}",
            found[0]
        );
        assert!(found[0].source.contains("tests/flow.rs:"), "{:?}", found[0]);
    }
}

#[derive(Clone, Module)]
struct Recurrent {
    recurrent: Linear,
    output: Linear,
}

#[test]
fn a_recurrent_network_that_explodes_is_named() {
    let generator = Generator::new(5);
    let mut model = Recurrent {
        recurrent: Linear::from_generator(24, 24, &generator),
        output: Linear::from_generator(24, 10, &generator),
    };
    model.recurrent.weight *= 4.0;
    let (x, labels) = examples(16, 24, &generator);
    let loss = |model: &Recurrent| {
        let mut state = x.clone();
        for _ in 0..30 {
            state = model.recurrent.forward(&state);
        }
        model.output.forward(&state).cross_entropy(&labels)
    };
    let (_, gradients) = value_and_grad(loss)(&model);
    let found = GradientFlow::new().observe(Observation::of(0, &model, &gradients));
    let exploding = found
        .iter()
        .find(|finding| finding.kind == FindingKind::Exploding);
    let finding = exploding.unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!(
        (&*finding.layer, finding.severity),
        ("recurrent", Severity::Serious)
    );
    assert!(
        finding.source.contains("tests/flow.rs:") && finding.advice.contains("clip"),
        "{finding:?}"
    );
}

#[test]
fn a_gradient_that_grows_with_every_layer_back_is_named() {
    let mut stack = Stack::new(&[32, 32, 32, 32, 32, 32, 10], &Generator::new(1));
    for layer in &mut stack.layers[1..5] {
        layer.weight *= 40.0;
    }
    // A small loss, so that no gradient is large against its weight.
    let scale = 1e-9;
    let generator = Generator::new(7);
    let (x, labels) = examples(64, 32, &generator);
    let mut flow = GradientFlow::new();
    for step in 0..3 {
        let loss = |stack: &Stack| {
            stack
                .outputs(&x, |x| x.sin())
                .pop()
                .unwrap()
                .cross_entropy(&labels)
                * scale
        };
        flow.observe(Observation::of(
            step,
            &stack,
            &value_and_grad(loss)(&stack).1,
        ));
    }
    let finding = find(&flow, FindingKind::Exploding);
    assert!(finding.message.contains("grows"), "{finding}");
}

#[test]
fn what_is_not_a_number_is_traced_to_the_layer_nearest_to_its_origin() {
    let mut stack = Stack::new(&[20, 16, 16, 10], &Generator::new(1));
    let (x, labels) = examples(16, 20, &Generator::new(2));
    let mut flow = GradientFlow::new();
    let loss = |stack: &Stack| {
        let hidden = stack.layers[0].forward(&x).relu();
        let ill = (stack.layers[1].forward(&hidden) - 1e9).sqrt();
        // The NaN itself does not reach the loss.
        let safe = ill.stop_gradient().ne(&ill).where_(0.0, &ill);
        stack.layers[2].forward(&safe).cross_entropy(&labels)
    };
    let found = flow.observe(Observation::of(0, &stack, &value_and_grad(loss)(&stack).1));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(
        (found[0].kind, &*found[0].layer),
        (FindingKind::NotFinite, "layers.1")
    );
    stack.layers[2]
        .weight
        .set(Tensor::full([10, 16], f64::INFINITY));
    let (_, gradients) =
        value_and_grad(|stack: &Stack| stack.layers[0].forward(&x).sum(..))(&stack);
    let found = GradientFlow::new().observe(Observation::of(1, &stack, &gradients));
    assert!(
        found[0]
            .message
            .contains("weight norm of `layers.2.weight`"),
        "{}",
        found[0]
    );
}

#[test]
fn updates_out_of_proportion_are_named() {
    let generator = Generator::new(9);
    let (x, labels) = examples(64, 20, &generator);
    let run = |rate: f64| {
        let mut stack = Stack::new(&[20, 32, 10], &Generator::new(1));
        let mut adam = Adam::new(rate);
        let mut flow = GradientFlow::new();
        for step in 0..12 {
            let loss = |stack: &Stack| {
                stack
                    .outputs(&x, |x| x.relu())
                    .pop()
                    .unwrap()
                    .cross_entropy(&labels)
            };
            let (_, gradients) = value_and_grad(loss)(&stack);
            let before = stack.clone();
            adam.update(&mut stack, &gradients).unwrap();
            flow.observe(Observation::of(step, &before, &gradients).updated_to(&stack));
        }
        flow
    };
    // A rate at which even the weights of a linear least-squares fit grow without bound.
    let mut stack = Stack::new(&[20, 10], &Generator::new(1));
    let mut sgd = Sgd::new(20.0);
    let mut flow = GradientFlow::new();
    for step in 0..12 {
        let loss = |stack: &Stack| stack.layers[0].forward(&x).square().mean(..);
        let (_, gradients) = value_and_grad(loss)(&stack);
        let before = stack.clone();
        sgd.update(&mut stack, &gradients).unwrap();
        flow.observe(Observation::of(step, &before, &gradients).updated_to(&stack));
    }
    assert_eq!(
        find(&flow, FindingKind::UpdatesTooLarge).severity,
        Severity::Serious
    );
    find(&run(1e-9), FindingKind::UpdatesTooSmall);
    let still = find(&run(0.0), FindingKind::NotUpdated);
    assert!(still.message.contains("no parameter changed"), "{still}");
    assert!(
        run(1e-3).findings().is_empty(),
        "{:#?}",
        run(1e-3).findings()
    );
}

#[test]
fn healthy_networks_are_left_in_peace() {
    let relu = |x: &Tensor| x.relu();
    for (activation, kind) in [
        (relu as fn(&Tensor) -> Tensor, ActivationKind::Relu),
        (|x| x.tanh(), ActivationKind::Tanh),
        (|x| x.sigmoid(), ActivationKind::Sigmoid),
    ] {
        for seed in 0..3 {
            for watch in [Some(kind), None] {
                let mut stack = Stack::new(&[50, 64, 64, 10], &Generator::new(seed));
                let flow = watched(&mut stack, activation, watch, 100);
                assert!(
                    flow.findings().is_empty(),
                    "{kind:?}, seed {seed}: {:#?}",
                    flow.findings()
                );
            }
        }
    }
}

#[test]
fn the_record_is_thinned_and_goes_through_json() {
    let mut flow = GradientFlow::new();
    let mut stack = Stack::new(&[4, 4, 10], &Generator::new(1));
    let record =
        watched(&mut stack, |x| x.relu(), Some(ActivationKind::Relu), 1).records()[0].clone();
    for step in 0..5_000 {
        flow.add(StepRecord {
            step,
            ..record.clone()
        });
    }
    let steps: Vec<u64> = flow.records().iter().map(|record| record.step).collect();
    assert!((200..=400).contains(&steps.len()), "{}", steps.len());
    assert!(
        steps
            .windows(2)
            .all(|pair| pair[1] - pair[0] == steps[1] - steps[0])
            && steps[0] == 0
    );
    let mut odd = flow.records()[0].clone();
    odd.parameters[0].gradient_norm = f64::INFINITY;
    odd.parameters[1].update_norm = None;
    let read: StepRecord = serde_json::from_str(&serde_json::to_string(&odd).unwrap()).unwrap();
    assert_eq!(read, odd);
}

#[test]
fn the_same_thing_is_said_once() {
    let mut stack = Stack::new(&[20, 32, 32, 32, 32, 32, 32, 32, 10], &Generator::new(1));
    let flow = watched(&mut stack, |x| x.sigmoid(), None, 20);
    let vanishing = flow
        .findings()
        .iter()
        .filter(|f| f.kind == FindingKind::Vanishing)
        .count();
    assert_eq!(vanishing, 1);
}

#[test]
fn the_same_thing_in_many_layers_is_said_in_one() {
    let mut stack = Stack::new(&[20, 30, 30, 30, 30, 30, 10], &Generator::new(1));
    for layer in &mut stack.layers[..5] {
        let bias = (0..30)
            .map(|unit| if unit < 5 { 0.1 } else { -100.0 })
            .collect::<Vec<f32>>();
        layer.bias = Some(Parameter::new(Tensor::from_vec(bias, [30])));
    }
    let flow = watched(&mut stack, |x| x.relu(), None, 10);
    let dead: Vec<_> = flow
        .findings()
        .into_iter()
        .filter(|f| f.kind == FindingKind::DeadUnits)
        .collect();
    assert_eq!(dead.len(), 1, "{dead:#?}");
    assert!(
        dead[0].message.ends_with(
            "4 other layers are like it: `layers.1`, `layers.2`, `layers.3`, `layers.4`"
        ),
        "{}",
        dead[0]
    );
}

#[test]
fn a_resumed_run_goes_on_with_what_was_seen() {
    let run = |stop: Option<u64>| {
        let mut flow = GradientFlow::new();
        let mut said = Vec::new();
        let (ill, well) = (
            watched(
                &mut with_dead_units(),
                |x| x.relu(),
                Some(ActivationKind::Relu),
                10,
            ),
            watched(
                &mut Stack::new(&[20, 30, 30, 10], &Generator::new(1)),
                |x| x.relu(),
                Some(ActivationKind::Relu),
                10,
            ),
        );
        for (record, step) in well.records().iter().chain(ill.records()).zip(0..) {
            if stop == Some(step) {
                flow = serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
            }
            let mut record = StepRecord {
                step,
                ..record.clone()
            };
            let silent = (0..30).map(|unit| step >= 10 && unit < 25).collect();
            record.activations[1].silent = silent;
            said.extend(flow.add(record));
        }
        (said, flow.records().to_vec())
    };
    let (said, _) = run(None);
    assert!(
        said.iter()
            .any(|finding| finding.kind == FindingKind::DeadUnits),
        "{said:#?}"
    );
    for stop in [1, 11, 19] {
        assert_eq!(run(Some(stop)), run(None));
    }
}
