//! The graph as an object: run again on new inputs, asked for values, adjoints, local derivatives and paths.

use chainrule_core::{
    DType, Graph, NodeKind, PathCount, Structure, Tensor, attempt, manual_seed, value_and_grad,
};

type Pair = (Tensor, Tensor);

fn lecture((x1, x2): &Pair) -> Tensor {
    x1 * x2 + x2.sin()
}

fn pair(a: f64, b: f64) -> Pair {
    (Tensor::from(a), Tensor::from(b))
}

#[test]
fn runs_on_new_inputs() {
    let mut graph = Graph::trace(lecture, &pair(2.0, 5.0));
    for (a, b) in [(2.0, 5.0), (-1.0, 0.5), (0.0, 3.0)] {
        let value = graph.forward(&pair(a, b)).item::<f64>();
        let (da, db) = graph.backward(&Tensor::from(1.0));
        let (expected, (ea, eb)) = value_and_grad(lecture)(&pair(a, b));
        assert_eq!(value, expected.item::<f64>());
        assert_eq!(da.item::<f64>(), ea.item::<f64>());
        assert!((db.item::<f64>() - eb.item::<f64>()).abs() < 1e-15);
    }
}

#[test]
fn nodes_tell_what_they_are() {
    let mut graph = Graph::trace(lecture, &pair(2.0, 5.0));
    let primitives: Vec<&str> = graph.nodes().iter().map(|node| node.primitive()).collect();
    assert_eq!(primitives, ["input", "input", "mul", "sin", "add"]);
    let names: Vec<&str> = graph.nodes().iter().map(|node| node.name()).collect();
    assert_eq!(names, ["x0", "x1", "v0", "v1", "v2"]);
    assert!(graph.nodes()[3].place().file().ends_with("graph.rs"));
    assert_eq!(graph.value(2).item::<f64>(), 10.0);
    assert_eq!(graph.value(3).item::<f64>(), 5f64.sin());
    graph.backward(&Tensor::from(2.0));
    assert_eq!(graph.adjoint(2).unwrap().item::<f64>(), 2.0);
    assert_eq!(
        graph.adjoint(1).unwrap().item::<f64>(),
        2.0 * (2.0 + 5f64.cos())
    );
    assert_eq!(graph.nodes()[3].structure(), Structure::Elementwise);
    // The product's backward pass reads both factors, the sine's its operand, the sum's nothing.
    assert_eq!(graph.kept(2), [0, 1]);
    assert_eq!(graph.kept(3), [1]);
    assert!(graph.kept(4).is_empty());
    assert_eq!(graph.local_derivative(3, 0).text(), "cos(x1)");
    assert_eq!(
        graph
            .local_derivative(3, 0)
            .diagonal()
            .unwrap()
            .item::<f64>(),
        5f64.cos()
    );
    assert_eq!(graph.local_derivative(2, 1).jacobian().item::<f64>(), 2.0);
}

#[test]
fn tensors_and_constants() {
    let weight = Tensor::from(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).reshape([2, 3]);
    let f = |x: &Tensor| (weight.matmul(x) + 1.0).tanh().sum(..);
    let x = Tensor::from(vec![0.1, -0.2, 0.05]);
    let mut graph = Graph::trace(f, &x);
    assert!(
        graph
            .nodes()
            .iter()
            .any(|node| node.kind() == NodeKind::Constant)
    );
    for scale in [1.0, -3.0] {
        let x = &x * scale;
        let value = graph.forward(&x);
        let slope = graph.backward(&Tensor::from(1.0));
        let (expected, gradient) = value_and_grad(f)(&x);
        assert!((value.item::<f64>() - expected.item::<f64>()).abs() < 1e-14);
        for (a, b) in slope
            .to_vec::<f64>()
            .into_iter()
            .zip(gradient.to_vec::<f64>())
        {
            assert!((a - b).abs() < 1e-14);
        }
    }
    let product = graph
        .nodes()
        .iter()
        .position(|node| node.primitive() == "matmul")
        .unwrap();
    let local = graph.local_derivative(product, 1);
    assert_eq!(local.jacobian().to_vec::<f64>(), weight.to_vec::<f64>());
    assert_eq!(local.structure(), Structure::Multilinear);
    assert_eq!(graph.value(product).to_vec::<f64>().len(), 2);
}

#[test]
fn composites_and_several_outputs() {
    let f = |x: &Tensor| (x.softmax(0), vec![x.layer_norm(None, None, 1e-5), x.max(0)]);
    let x = Tensor::from(vec![0.3, -0.2, 0.9, 0.1]);
    let mut graph = Graph::trace(f, &x);
    let cotangents = f(&x);
    let by_graph = graph.backward(&cotangents);
    let (_, plain) = chainrule_core::vjp(f, &x, |_| cotangents.clone());
    for (a, b) in by_graph
        .to_vec::<f64>()
        .into_iter()
        .zip(plain.to_vec::<f64>())
    {
        assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    }
}

#[test]
fn a_graph_that_read_a_value_is_careful() {
    let f = |x: &Tensor| match x.item::<f64>() > 0.0 {
        true => x * x,
        false => -x,
    };
    let mut graph = Graph::trace(f, &Tensor::from(3.0));
    let text = attempt(|| graph.forward(&Tensor::from(4.0)))
        .expect_err("refused")
        .to_string();
    assert!(
        text.contains("tracing read a value") && text.contains("assume_same_path"),
        "{text}"
    );
    let mut graph = Graph::trace(f, &Tensor::from(3.0)).assume_same_path();
    assert_eq!(graph.forward(&Tensor::from(4.0)).item::<f64>(), 16.0);
    let text = attempt(|| graph.forward(&Tensor::from(vec![4.0])))
        .expect_err("refused")
        .to_string();
    assert!(
        text.contains("`x` is [] of f64 in the traced graph"),
        "{text}"
    );
}

#[test]
fn draws_are_made_anew_unless_told() {
    manual_seed(11);
    let f = |x: &Tensor| x + Tensor::normal(3, 0.0, 1.0).cast(DType::F64);
    let x = Tensor::from(vec![0.0, 0.0, 0.0]);
    let mut graph = Graph::trace(f, &x);
    let (first, second) = (
        graph.forward(&x).to_vec::<f64>(),
        graph.forward(&x).to_vec::<f64>(),
    );
    assert_ne!(first, second);
    let mut graph = Graph::trace(f, &x).repeat_draws();
    let (first, second) = (
        graph.forward(&x).to_vec::<f64>(),
        graph.forward(&x).to_vec::<f64>(),
    );
    assert_eq!(first, second);
    assert!(
        graph
            .nodes()
            .iter()
            .any(|node| node.kind() == NodeKind::DrawState)
    );
}

#[test]
fn the_two_paths_of_the_lecture() {
    let mut graph = Graph::trace(lecture, &pair(2.0, 5.0));
    let to = graph.outputs()[0].node;
    let paths = graph.paths(1, to, 10);
    assert_eq!(paths.count, PathCount::Exactly(2));
    let found: Vec<(Vec<usize>, f64)> = paths
        .largest
        .iter()
        .map(|path| (path.nodes.clone(), path.contribution.item()))
        .collect();
    assert_eq!(found, [(vec![1, 2, 4], 2.0), (vec![1, 3, 4], 5f64.cos())]);
    assert_eq!(graph.paths(0, to, 10).count, PathCount::Exactly(1));
}

#[test]
fn paths_of_tensors_sum_to_the_gradient() {
    let f = |x: &Tensor| ((x.sin() * x.exp()).cumsum(0) * x).sum(..);
    let x = Tensor::from(vec![0.3, -0.4, 0.8]);
    let mut graph = Graph::trace(f, &x);
    let to = graph.outputs()[0].node;
    let paths = graph.paths(0, to, 100);
    assert_eq!(paths.count, PathCount::Exactly(3));
    assert!(paths.complete && paths.largest[0].size >= paths.largest[2].size);
    let sum = paths
        .largest
        .iter()
        .map(|path| path.contribution.clone())
        .reduce(|a, b| a + b)
        .unwrap();
    let gradient = graph.backward(&Tensor::from(1.0));
    for (a, b) in sum
        .to_vec::<f64>()
        .into_iter()
        .zip(gradient.to_vec::<f64>())
    {
        assert!((a - b).abs() < 1e-13);
    }
}

#[test]
fn countless_paths_are_counted() {
    let f = |x: &Tensor| (0..500).fold(x.clone(), |x, _| &x * 0.5 + &x * 0.25);
    let mut graph = Graph::trace(f, &Tensor::from(1.0));
    let to = graph.outputs()[0].node;
    let paths = graph.paths(0, to, 3);
    let PathCount::PowerOfTen(power) = paths.count else {
        panic!("2^500 does not fit")
    };
    assert!((power - 500.0 * 2f64.log10()).abs() < 1e-9);
    // The largest takes the factor 0.5 everywhere, the next 0.25 once.
    assert!((paths.largest[0].size / 0.5f64.powi(500) - 1.0).abs() < 1e-12);
    assert!((paths.largest[1].size * 2.0 / paths.largest[0].size - 1.0).abs() < 1e-12);
}
