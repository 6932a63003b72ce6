//! A function's graph as text and as a picture: the value of each node, and the derivative of the result by it.

use chainrule::prelude::*;
use chainrule::view;

#[derive(Module)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn loss(&self, images: &Tensor, labels: &Tensor) -> Tensor {
        let hidden = self.hidden.forward(images).relu();
        self.output.forward(hidden).cross_entropy(labels)
    }
}

fn main() -> std::io::Result<()> {
    let folder = std::env::temp_dir();

    // The circuit of the lecture: f = (x + y) z. Values stand above the nodes, derivatives of f below.
    let circuit = |(x, y, z): &(Tensor, Tensor, Tensor)| (x + y) * z;
    let at = [-2.0, 5.0, -4.0].map(Tensor::from);
    let mut graph = Graph::trace(circuit, &at.into());
    println!("{}", view::text(&mut graph));
    std::fs::write(folder.join("circuit.svg"), view::svg(&mut graph))?;

    // Other inputs run through the same graph.
    let (dx, dy, dz) = {
        graph.forward(&[1.0, 2.0, 3.0].map(Tensor::from).into());
        graph.backward(&Tensor::from(1.0))
    };
    println!("{}", view::text(&mut graph));
    assert_eq!([dx, dy, dz].map(|d| d.item::<f64>()), [3.0, 3.0, 3.0]);

    // A network: tensors of many elements are shown by their shape and norm.
    let generator = Generator::new(1);
    let network = Network {
        hidden: Linear::from_generator(7, 32, &generator),
        output: Linear::from_generator(32, 10, &generator),
    };
    let images = generator.normal([64, 7], 0.0, 1.0);
    let labels = generator.randint(0, 10, [64]);
    let mut graph = Graph::trace(|network: &Network| network.loss(&images, &labels), &network);
    println!("{}", view::text(&mut graph));

    // The model behind the drawings has everything in numbers; `view::json` writes it for other programs.
    let model = view::Model::of(&mut graph);
    let largest = model
        .nodes
        .iter()
        .filter_map(|node| Some((node.derivative.as_ref()?.norm(), &node.label)))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    println!("the largest adjoint: {largest:?}");

    let picture = folder.join("network.svg");
    std::fs::write(&picture, model.svg())?;
    println!("drawn in {}", picture.display());
    Ok(())
}
