//! Models of traced graphs: what they know, their JSON against its documentation, and the drawings.

use chainrule_core::{DType, Gate, Graph, Shape, Tensor, Tree};
use chainrule_view::{self as view, Direction, Kind, LISTED, MOST_NODES, Model, Structure, Style};
use serde_json::Value as Json;

/// The lecture's expression with two paths to `x2`.
fn lecture() -> Graph<(Tensor, Tensor), Tensor> {
    let f = |(x1, x2): &(Tensor, Tensor)| x1 * x2 + x2.sin();
    Graph::trace(f, &(Tensor::from(2.0), Tensor::from(5.0)))
}

/// Two layers over a batch; the weights are inputs.
fn network() -> Graph<(Tensor, Tensor), Tensor> {
    let ramp = |shape: [usize; 2]| {
        let elements = (0..shape[0] * shape[1]).map(|at| ((at % 7) as f32 - 3.0) / 5.0);
        Tensor::from_vec(elements.collect::<Vec<f32>>(), Shape::from(shape))
    };
    let images = ramp([20, 9]);
    let f = move |(hidden, output): &(Tensor, Tensor)| {
        images
            .matmul(hidden)
            .relu()
            .matmul(output)
            .square()
            .mean(..)
    };
    Graph::trace(f, &(ramp([9, 12]), ramp([12, 3])))
}

fn parsed<P: Tree, O: Tree>(graph: &mut Graph<P, O>) -> Json {
    serde_json::from_str(&view::json(graph)).expect("the text is JSON")
}

/// The keys of an object in alphabetical order, whatever order the parser keeps.
fn keys(object: &Json) -> Vec<&str> {
    let object = object.as_object().expect("an object");
    let mut keys: Vec<&str> = object.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn the_model_knows_values_adjoints_and_local_derivatives() {
    let model = Model::of(&mut lecture());
    assert_eq!(model.expression, "v2 of x0, x1");
    assert_eq!(model.direction, Direction::Reverse);
    let primitives: Vec<&str> = model.nodes.iter().map(|n| n.primitive.as_str()).collect();
    assert_eq!(primitives, ["input", "input", "mul", "sin", "add"]);
    let x2 = &model.nodes[1];
    assert_eq!((x2.kind, x2.kept), (Kind::Variable, true));
    let adjoint = x2.derivative.as_ref().unwrap().elements[0];
    assert!((adjoint - (2.0 + 5f64.cos())).abs() < 1e-15);
    let sine = model.nodes[3].locals[0].as_ref().unwrap();
    assert_eq!(sine.formula, "cos(x1)");
    assert_eq!(sine.structure, Structure::Diagonal);
    assert_eq!(sine.value.as_ref().unwrap().elements, [5f64.cos()]);
    // Nobody reads the result on the way back.
    assert!(!model.nodes[4].kept);
}

#[test]
fn contributions_sum_to_the_adjoint() {
    let model = Model::of(&mut lecture());
    for (at, node) in model.nodes.iter().enumerate() {
        let readers = model.nodes.iter().flat_map(|reader| {
            let inputs = reader.inputs.iter().zip(&reader.locals);
            inputs.filter(move |(input, _)| **input == at)
        });
        let contributions: Vec<f64> = readers
            .map(|(_, local)| {
                local
                    .as_ref()
                    .unwrap()
                    .contribution
                    .as_ref()
                    .unwrap()
                    .elements[0]
            })
            .collect();
        if at != model.result {
            let adjoint = node.derivative.as_ref().unwrap().elements[0];
            assert!((contributions.iter().sum::<f64>() - adjoint).abs() < 1e-15);
        }
    }
}

#[test]
fn the_cotangent_of_the_last_backward_counts() {
    let mut graph = lecture();
    graph.backward(&Tensor::from(10.0));
    let model = Model::of(&mut graph);
    assert_eq!(model.nodes[0].derivative.as_ref().unwrap().elements, [50.0]);
}

#[test]
fn json_has_the_documented_fields() {
    let json = parsed(&mut lecture());
    let fields = [
        "direction",
        "expression",
        "nodes",
        "outputs",
        "result",
        "version",
    ];
    assert_eq!(keys(&json), fields);
    assert_eq!(json["version"], view::VERSION);
    assert_eq!(json["direction"], "reverse");
    assert_eq!(json["outputs"], serde_json::json!([4]));
    for (id, node) in json["nodes"].as_array().unwrap().iter().enumerate() {
        let fields = [
            "adjoint",
            "dtype",
            "id",
            "inputs",
            "kept",
            "label",
            "local_derivatives",
            "module",
            "name",
            "place",
            "primitive",
            "shape",
            "span",
            "value",
        ];
        assert_eq!(keys(node), fields);
        assert_eq!(node["id"], id);
        assert_eq!(node["dtype"], "f64");
        assert_eq!(node["place"].is_null(), node["primitive"] == "input");
        assert_eq!(
            node["local_derivatives"].as_array().unwrap().len(),
            node["inputs"].as_array().unwrap().len()
        );
    }
    let product = &json["nodes"][2];
    assert_eq!(product["value"], 10.0);
    let place = product["place"].as_str().unwrap();
    let line = place.split_once("tests/graph.rs:").expect("this file").1;
    assert!(line.parse::<u32>().is_ok());
    let local = &product["local_derivatives"][0];
    let fields = ["contribution", "formula", "input", "structure", "value"];
    assert_eq!(keys(local), fields);
    assert_eq!((&local["input"], &local["value"]), (&0.into(), &5.0.into()));
    assert_eq!(local["structure"], "diagonal");
}

#[test]
fn large_tensors_are_described() {
    let mut graph = network();
    let json = parsed(&mut graph);
    for (id, node) in json["nodes"].as_array().unwrap().iter().enumerate() {
        let value = graph.value(id).cast(DType::F64).to_vec::<f64>();
        let norm = value.iter().map(|x| x * x).sum::<f64>().sqrt();
        if value.len() > LISTED {
            let found = node["value"]["norm"].as_f64().unwrap();
            assert!((found - norm).abs() < 1e-9 * norm.max(1.0), "{node}");
        } else {
            assert!(
                node["value"].is_array() || node["value"].is_number(),
                "{node}"
            );
        }
    }
    assert_eq!(json["nodes"][0]["dtype"], "f32");
    assert_eq!(json["nodes"][0]["shape"], serde_json::json!([9, 12]));
    assert!(view::text(&mut graph).contains("9×12, norm "));
}

#[test]
fn functions_without_derivatives_are_drawn_without_them() {
    let x = Tensor::from(vec![1.0, 3.0, 2.0]);
    let mut graph = Graph::trace(|x: &Tensor| x.argmax(0), &x);
    let json = parsed(&mut graph);
    assert_eq!(json["direction"], Json::Null);
    assert!(
        json["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|n| n["adjoint"].is_null())
    );
    assert!(view::text(&mut graph).contains("argmax"));
}

/// Squares on the way there and passes everything on the way back, under the name of a primitive.
struct StraightThrough;

impl Gate for StraightThrough {
    fn name(&self) -> &'static str {
        "square"
    }
    fn forward(&self, x: &[Tensor]) -> Tensor {
        x[0].square()
    }
    fn backward(&self, _x: &[Tensor], _y: &Tensor, dy: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(dy.clone())]
    }
}

#[test]
fn a_gate_is_not_taken_for_the_primitive_of_its_name() {
    let f = |x: &Tensor| Tensor::custom(StraightThrough, &[x]);
    let model = Model::of(&mut Graph::trace(f, &Tensor::from(3.0)));
    // Its first operand is the value that `forward` computed.
    let gate = &model.nodes[model.result];
    assert_eq!((gate.primitive.as_str(), gate.inputs.len()), ("square", 2));
    let local = gate.locals[1].as_ref().unwrap();
    assert_eq!(local.formula, format!("∂{}/∂x", gate.label));
    assert_eq!(local.contribution.as_ref().unwrap().elements, [1.0]);
    let model = Model::of(&mut Graph::trace(Tensor::square, &Tensor::from(3.0)));
    let local = model.nodes[1].locals[0].as_ref().unwrap();
    assert_eq!(local.formula, "2 * x");
    assert_eq!(local.contribution.as_ref().unwrap().elements, [6.0]);
}

#[test]
fn constants_of_many_elements_are_described() {
    let mut graph = network();
    let images = &Model::of(&mut graph).nodes[2];
    assert_eq!((images.kind, images.label.as_str()), (Kind::Constant, "c0"));
    let described = images.value.text(24);
    assert!(described.starts_with("20×9, norm "));
    for drawing in [
        view::svg(&mut graph),
        view::dot(&mut graph),
        view::text(&mut graph),
    ] {
        assert!(drawing.contains(&described), "{drawing}");
    }
}

#[test]
fn boxes_and_tables_name_what_an_operation_does() {
    let f = |x: &Tensor| {
        let part = x.narrow(0, 1, 2).cast(DType::F64);
        part.expand([2, 2])
            .permute([1, 0])
            .expand([2, 2, 2])
            .permute([2, 0, 1])
    };
    let x = Tensor::from(vec![1.0f32, 2.0, 3.0]);
    let model = Model::of(&mut Graph::trace(f, &x));
    let formulas: Vec<String> = (1..model.len()).map(|at| model.formula(at)).collect();
    let expected = [
        "slice(x)",
        "v0 as f64",
        "reshape(v1, 1×2)",
        "v2 repeated to 2×2",
        "v3.T",
        "reshape(v4, 1×2×2)",
        "v5 repeated to 2×2×2",
        "permute(v6, axes)",
    ];
    assert_eq!(formulas, expected);
    let text = model.text(Style::plain(200));
    for boxed in [" slice ", " f64 ", " expand ", " ᵀ ", " permute "] {
        assert!(text.contains(boxed), "{text}");
    }
}

#[test]
fn conversions_that_an_operation_makes_have_the_users_line() {
    let f = |(x, y): &(Tensor, Tensor)| x * y;
    let at = (Tensor::from(2.0f64), Tensor::from(vec![1.0f32, 2.0]));
    let model = Model::of(&mut Graph::trace(f, &at));
    assert!(model.nodes.iter().any(|node| node.primitive == "cast"));
    for node in model.nodes.iter().filter(|n| n.kind == Kind::Operation) {
        let place = node.place.as_ref().unwrap();
        assert!(
            place.contains("tests/graph.rs:"),
            "{}: {place}",
            node.primitive
        );
    }
}

#[test]
fn several_outputs_are_all_named() {
    let f = |x: &Tensor| (x.sin(), x.cos());
    let model = Model::of(&mut Graph::trace(f, &Tensor::from(0.5)));
    assert_eq!(model.outputs, [1, 2]);
    assert_eq!(model.expression, "v0, v1 of x");
    let adjoint = model.nodes[0].derivative.as_ref().unwrap().elements[0];
    assert!((adjoint - (0.5f64.cos() - 0.5f64.sin())).abs() < 1e-15);
}

#[test]
fn large_graphs_become_a_table() {
    let f = |x: &Tensor| (0..MOST_NODES).fold(x.clone(), |y, _| y.sin());
    let mut graph = Graph::trace(f, &Tensor::from(0.5));
    let text = view::text(&mut graph);
    assert_eq!(text.lines().count(), MOST_NODES + 2);
    let first = text.lines().nth(2).unwrap();
    assert!(
        first.starts_with("v0    sin(x)     f64 number  0.479426 "),
        "{first}"
    );
    assert!(first.contains("graph.rs:"), "{first}");
}

#[test]
fn svg_is_well_formed() {
    for picture in [view::svg(&mut lecture()), view::svg(&mut network())] {
        let mut open: Vec<&str> = Vec::new();
        for piece in picture.split('<').skip(1) {
            let (tag, text) = piece.split_once('>').expect("a tag ends");
            assert!(
                !text.contains('>') && tag.matches('"').count() % 2 == 0,
                "{piece}"
            );
            let bare = text.match_indices('&').filter(|&(at, _)| {
                !["&amp;", "&lt;", "&gt;", "&quot;"]
                    .iter()
                    .any(|e| text[at..].starts_with(e))
            });
            assert_eq!(bare.count(), 0, "{piece}");
            let name = tag.split([' ', '/']).next().unwrap();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop(), Some(closed)),
                None if tag.ends_with('/') => {}
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
    assert!(view::svg(&mut lecture()).contains(">2.28366</text>"));
}

#[test]
fn graphviz_has_every_node_and_edge() {
    let mut graph = network();
    let text = view::dot(&mut graph);
    for node in graph.nodes() {
        assert!(text.contains(&format!("  n{} [", node.id())));
        for input in node.inputs() {
            assert!(text.contains(&format!("  n{} -> n{} [", input.node, node.id())));
        }
    }
}
