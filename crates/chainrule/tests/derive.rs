//! Derived trees: every form of struct and enum, and what the macros refuse.

use chainrule::prelude::*;
use chainrule::tree::{leaves, mapped, named_leaves};
use std::collections::BTreeMap;

fn names<T: Tree>(tree: &T) -> Vec<String> {
    named_leaves(tree)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

fn numbers<T: Tree>(tree: &T) -> Vec<f64> {
    leaves(tree).into_iter().map(Tensor::item).collect()
}

fn number(value: f64) -> Tensor {
    Tensor::from(value)
}

/// Not a tree: it may stand in a fixed field only.
#[derive(Clone, PartialEq, Debug)]
struct Label(&'static str);

/// Fields named as the macro's own arguments.
#[derive(Tree)]
struct Named<'a, T, L, const N: usize> {
    path: Tensor,
    visit: [T; N],
    replace: Vec<(Tensor, f64)>,
    r#type: Option<Box<Tensor>>,
    #[tree(fixed)]
    label: L,
    #[tree(fixed)]
    text: &'a str,
    map: BTreeMap<String, Tensor>,
}

#[derive(Tree)]
struct Pair(Tensor, #[tree(fixed)] Label, (Tensor, usize));

#[derive(Tree)]
struct Nothing;

#[derive(Tree)]
enum Form<T> {
    Wide { weight: T, slope: f64 },
    Thin(Tensor, bool),
    Empty,
}

#[test]
fn structs() {
    let tree = Named {
        path: number(1.0),
        visit: [number(2.0), number(3.0)],
        replace: vec![(number(4.0), 0.5)],
        r#type: Some(Box::new(number(5.0))),
        label: Label("kept"),
        text: "kept too",
        map: BTreeMap::from([("key".to_owned(), number(6.0))]),
    };
    let expected = [
        "path",
        "visit.0",
        "visit.1",
        "replace.0.0",
        "type",
        "map.key",
    ];
    assert_eq!(names(&tree), expected);
    let doubled = mapped(&tree, |leaf| leaf * 2.0);
    assert_eq!(numbers(&doubled), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    assert_eq!((doubled.label, doubled.text), (Label("kept"), "kept too"));
    assert_eq!(doubled.replace[0].1, 0.5);

    let pair = Pair(number(1.0), Label("fixed"), (number(2.0), 7));
    assert_eq!(names(&pair), ["0", "2.0"]);
    let mapped_pair = mapped(&pair, |leaf| leaf + 1.0);
    assert_eq!(
        (numbers(&mapped_pair), mapped_pair.1, mapped_pair.2.1),
        (vec![2.0, 3.0], pair.1, 7)
    );
    assert_eq!(names(&Nothing), [""; 0]);
}

#[test]
fn enums_keep_their_variant() {
    let wide = Form::Wide {
        weight: vec![number(1.0), number(2.0)],
        slope: 0.5,
    };
    assert_eq!(names(&wide), ["weight.0", "weight.1"]);
    let gradient = grad(|layer: &Form<Vec<Tensor>>| match layer {
        Form::Wide { weight, slope } => &weight[0] * &weight[1] * *slope,
        Form::Thin(weight, _) => weight.clone(),
        Form::Empty => number(0.0),
    })(&wide);
    assert_eq!(numbers(&gradient), [1.0, 0.5]);
    let Form::Wide { slope, .. } = gradient else {
        panic!("the gradient is another variant");
    };
    assert_eq!(slope, 0.5);
    let thin: Form<Tensor> = Form::Thin(number(3.0), true);
    assert!(matches!(mapped(&thin, Clone::clone), Form::Thin(_, true)));
    assert_eq!(names(&Form::<Tensor>::Empty), [""; 0]);
}

#[derive(Module)]
struct Block<M> {
    layers: Vec<M>,
    scale: Parameter,
    activation: fn(&Tensor) -> Tensor,
}

#[test]
fn modules_of_modules() {
    let block = Block {
        layers: vec![Linear::new(2, 3), Linear::new(3, 1).without_bias()],
        scale: Parameter::new(tensor![2.0]),
        activation: Tensor::tanh,
    };
    let expected = [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "scale",
    ];
    assert_eq!(names(&block), expected);
    assert_eq!(block.parameter_count(), 6 + 3 + 3 + 1);
    let x = Tensor::ones([4, 2]);
    let forward = |block: &Block<Linear>| {
        let hidden = (block.activation)(&block.layers[0].forward(&x));
        (block.layers[1].forward(hidden) * &block.scale).sum(..)
    };
    let gradient = grad(forward)(&block);
    let by_backward = forward(&block).backward();
    for ((name, ours), (_, parameter)) in named_leaves(&gradient)
        .into_iter()
        .zip(block.named_parameters())
    {
        let close = ours.is_close(by_backward.of(parameter), 1e-6, 1e-6);
        assert!(close.all(..).item::<bool>(), "{name}");
    }
}
