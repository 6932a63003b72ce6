//! What all optimisers share: groups, step numbers, state saved and restored, use without knowing the type.

use chainrule::nn::{Group, load_tensors, save};
use chainrule::prelude::*;

#[derive(Clone, Module)]
struct Net {
    hidden: Linear,
    output: Linear,
}

impl Net {
    fn new(seed: u64) -> Net {
        let generator = Generator::new(seed);
        Net {
            hidden: Linear::from_generator(3, 5, &generator),
            output: Linear::from_generator(5, 2, &generator),
        }
    }

    fn loss(&self, x: &Tensor) -> Tensor {
        let y = self.output.forward(self.hidden.forward(x).tanh());
        (y - 1.0).square().mean(..)
    }
}

fn inputs(step: u64) -> Tensor {
    Generator::new(100 + step).normal([4, 3], 0.0, 1.0)
}

fn train(net: &mut Net, optimiser: &mut dyn Optimiser, steps: std::ops::Range<u64>) {
    for step in steps {
        let gradients = net.loss(&inputs(step)).backward();
        optimiser.update_from(net, &gradients).unwrap();
    }
}

fn numbers(net: &Net) -> Vec<Vec<u32>> {
    let bits = |leaf: &&Tensor| leaf.to_vec::<f32>().into_iter().map(f32::to_bits).collect();
    net.parameters().iter().map(bits).collect()
}

fn optimisers() -> Vec<Box<dyn Optimiser>> {
    vec![
        Box::new(Sgd::new(0.05)),
        Box::new(
            Sgd::new(0.05)
                .momentum(0.9)
                .dampening(0.1)
                .weight_decay(0.01),
        ),
        Box::new(Adam::new(0.01).amsgrad()),
        Box::new(AdamW::new(0.01)),
    ]
}

#[test]
fn a_restored_run_gives_the_same_bits() {
    let folder = std::env::temp_dir();
    for (kind, mut whole) in optimisers().into_iter().enumerate() {
        let mut net = Net::new(1);
        train(&mut net, &mut *whole, 0..10);
        let mut first = optimisers().swap_remove(kind);
        let mut resumed = Net::new(1);
        train(&mut resumed, &mut *first, 0..6);
        let path = folder.join(format!(
            "chainrule-optimiser-{}-{kind}.safetensors",
            std::process::id()
        ));
        save(&first.state(), &path).unwrap();
        let mut second = optimisers().swap_remove(kind);
        second.set_learning_rate(123.0);
        second
            .restore(&resumed, &load_tensors(&path).unwrap())
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(second.steps(), 6);
        train(&mut resumed, &mut *second, 6..10);
        assert_eq!(numbers(&resumed), numbers(&net), "{}", whole.name());
    }
}

#[test]
fn a_state_of_something_else_is_refused_with_all_differences() {
    let mut net = Net::new(1);
    let mut adam = Adam::new(0.1);
    train(&mut net, &mut adam, 0..1);
    let mut state = adam.state();
    state.remove("hidden.bias.second").unwrap();
    state.insert("hidden.weight.first".into(), tensor![1.0]);
    state.insert("tail.steps".into(), tensor![1]);
    let error = Adam::new(0.1).restore(&net, &state).unwrap_err();
    assert_eq!(
        error.to_string(),
        "adam: the state is not that of this optimiser with these parameters\
         \n    missing     hidden.bias.second\
         \n    unexpected  tail.steps\
         \n    mismatched  hidden.weight.first: [1] f32 in the state, [5, 3] f32 in the optimiser"
    );
    // A state from before the first step is a beginning.
    let mut fresh = Adam::new(0.1);
    fresh.restore(&net, &Adam::new(0.3).state()).unwrap();
    assert_eq!((fresh.learning_rate, fresh.steps()), (0.3, 0));
}

#[test]
fn groups_have_settings_of_their_own() {
    let mut tree = std::collections::BTreeMap::from([
        ("a.bias".to_owned(), tensor![1.0]),
        ("a.weight".to_owned(), tensor![1.0]),
        ("b.bias".to_owned(), tensor![1.0]),
        ("b.weight".to_owned(), tensor![1.0]),
    ]);
    let gradients = tree.clone();
    let mut sgd = Sgd::new(0.1)
        .weight_decay(1.0)
        .group(Group::matching("*.bias").weight_decay(0.0))
        .group(Group::matching("b.*").learning_rate_factor(3.0))
        .group(Group::matching("a.weight").learning_rate(0.25));
    sgd.update(&mut tree, &gradients).unwrap();
    let values = |tree: &std::collections::BTreeMap<String, Tensor>| -> Vec<f64> {
        tree.values()
            .map(|t| (t.item::<f64>() * 1e6).round() / 1e6)
            .collect()
    };
    assert_eq!(values(&tree), [0.9, 0.5, 0.7, 0.4]);
    // A schedule changes the common rate; a rate of one's own stays.
    sgd.set_learning_rate(0.0);
    sgd.update(&mut tree, &gradients).unwrap();
    assert_eq!(values(&tree), [0.9, 0.125, 0.7, 0.4]);
}

#[test]
fn frozen_parameters_need_no_gradient_and_begin_at_step_one() {
    let mut pair = (tensor![1.0], tensor![1.0]);
    let only_first = |pair: &(Tensor, Tensor)| pair.0.sum(..);
    let mut adam = Adam::new(0.1).group(Group::matching("1").frozen());
    for _ in 0..3 {
        let gradients = grad(only_first)(&pair);
        adam.update(&mut pair, &gradients).unwrap();
    }
    assert_eq!(pair.1.item::<f64>(), 1.0);
    assert!(!adam.state().contains_key("1.steps"));
    adam.add_group(Group::matching("1").trained());
    let gradients = grad(only_first)(&pair);
    let error = adam.update(&mut pair, &gradients).unwrap_err();
    assert_eq!(error.names, ["1"]);
    let gradients = grad(|pair: &(Tensor, Tensor)| (&pair.0 + &pair.1 * 5.0).sum(..))(&pair);
    adam.update(&mut pair, &gradients).unwrap();
    // Adam's first step is the learning rate, whatever the gradient: the correction counts this parameter's own steps.
    assert!((pair.1.item::<f64>() - 0.9).abs() < 1e-6);
    assert_eq!(adam.state()["0.steps"].item::<i64>(), 4);
    assert_eq!(adam.state()["1.steps"].item::<i64>(), 1);
}

#[test]
fn climbing_is_descending_with_the_other_sign() {
    let (mut up, mut down) = (tensor![2.0, -1.0], tensor![2.0, -1.0]);
    let gradient = tensor![0.5, 3.0];
    let make = || Adam::new(0.1).weight_decay(0.2);
    let (mut climbing, mut descending) = (make().maximize(), make());
    for _ in 0..3 {
        climbing.update(&mut up, &gradient).unwrap();
        descending.update(&mut down, &-&gradient).unwrap();
    }
    assert_eq!(up.to_vec::<f64>(), down.to_vec::<f64>());
    assert!(up.to_vec::<f64>()[1] > -1.0);
}

#[test]
fn parameters_may_be_frozen_and_thawed_between_steps() {
    let mut net = Net::new(1);
    let mut adam = Adam::new(0.01);
    train(&mut net, &mut adam, 0..2);
    assert_eq!(net.freeze("hidden.*"), 2);
    train(&mut net, &mut adam, 2..5);
    let restored = adam.state();
    net.unfreeze("hidden.*");
    train(&mut net, &mut adam, 5..6);
    assert_eq!(adam.state()["hidden.bias.steps"].item::<i64>(), 3);
    assert_eq!(adam.state()["output.bias.steps"].item::<i64>(), 6);
    assert_eq!(restored["hidden.bias.steps"].item::<i64>(), 2);
}
