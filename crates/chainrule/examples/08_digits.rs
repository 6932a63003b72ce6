//! A network of two layers learns to tell digits apart. The digits are drawn here, seven segments each, with noise; the
//! command `cargo run --release` does the same with real handwriting.

use chainrule::nn::{load, save};
use chainrule::prelude::*;

#[derive(Module)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Layer for Network {
    fn compute(&self, images: &Tensor) -> Tensor {
        self.output.forward(self.hidden.forward(images).relu())
    }
}

impl Network {
    fn accuracy(&self, images: &Tensor, labels: &Tensor) -> f64 {
        let guesses = untracked(|| self.forward(images).argmax(-1));
        guesses.eq(labels).cast(DType::F64).mean(..).item()
    }
}

/// Which of the seven segments each digit lights: top, upper left, upper right, middle, lower left, lower right, bottom.
const SEGMENTS: [[i32; 7]; 10] = [
    [1, 1, 1, 0, 1, 1, 1],
    [0, 0, 1, 0, 0, 1, 0],
    [1, 0, 1, 1, 1, 0, 1],
    [1, 0, 1, 1, 0, 1, 1],
    [0, 1, 1, 1, 0, 1, 0],
    [1, 1, 0, 1, 0, 1, 1],
    [1, 1, 0, 1, 1, 1, 1],
    [1, 0, 1, 0, 0, 1, 0],
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 1, 1],
];

/// `count` noisy images `[count, 7]` with their labels.
fn digits(count: usize, generator: &Generator) -> (Tensor, Tensor) {
    let labels = generator.randint(0, 10, [count]);
    let clean = Tensor::from_nested(&SEGMENTS).cast(DType::F32);
    let noise = generator.normal([count, 7], 0.0, 0.25);
    (clean.index_select(0, &labels) + noise, labels)
}

fn main() {
    let generator = Generator::new(1);
    let (images, labels) = digits(1000, &generator);
    let (held_out_images, held_out_labels) = digits(500, &generator);
    let mut model = Network {
        hidden: Linear::from_generator(7, 32, &generator),
        output: Linear::from_generator(32, 10, &generator),
    };
    println!("{}", model.summary(&held_out_images));

    let mut adam = Adam::new(0.01);
    for step in 1..=200 {
        let loss = |model: &Network| model.forward(&images).cross_entropy(&labels);
        let (loss, gradients) = value_and_grad(loss)(&model);
        adam.update(&mut model, &gradients)
            .expect("every parameter is used");
        if step % 50 == 0 {
            let accuracy = model.accuracy(&held_out_images, &held_out_labels);
            println!(
                "step {step}: loss {:.3}, held-out accuracy {accuracy:.3}",
                loss.item::<f32>()
            );
        }
    }

    let path = std::env::temp_dir().join("chainrule-example-digits.safetensors");
    save(&model, &path).expect("the temporary folder can be written");
    let again = load(&model, &path).expect("the file was just written");
    let accuracy = again.accuracy(&held_out_images, &held_out_labels);
    println!("saved and loaded again: held-out accuracy {accuracy:.3}");
}
