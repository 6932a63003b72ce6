//! A network on MNIST learns as well in 16 bits as in 32. Needs the folder that holds `mnist/`, in the variable
//! `CHAINRULE_DATA`:
//! `CHAINRULE_DATA=~/data cargo test --release -p chainrule --test mixed_precision -- --nocapture`

use chainrule::data::readers::idx;
use chainrule::nn::precision::{LossScaler, bf16_value_and_grad};
use chainrule::prelude::*;

#[derive(Clone, Module)]
struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn logits(&self, x: &Tensor) -> Tensor {
        let hidden = self.hidden.forward(x).relu();
        self.output.forward(&hidden).cast(DType::F32)
    }
}

const BATCH: usize = 128;
const EPOCHS: u64 = 4;

/// Share of the test images that are told right after training with `step`, which takes a batch.
fn accuracy(
    data: &idx::Mnist,
    mut step: impl FnMut(&mut Network, &Tensor, &Tensor, &mut Adam),
) -> f64 {
    let flat = |images: &Tensor| images.reshape([-1, 784]);
    let (training, test) = (data.training.tensors(), data.test.tensors());
    let images = flat(&training.0);
    let labels = &training.1;
    let count = labels.elements();
    let generator = Generator::new(7);
    let mut network = Network {
        hidden: Linear::from_generator(784, 128, &generator),
        output: Linear::from_generator(128, 10, &generator),
    };
    let mut adam = Adam::new(1e-3);
    for epoch in 0..EPOCHS {
        if epoch + 1 == EPOCHS {
            adam.learning_rate = 2e-4;
        }
        let order = generator.permutation(count);
        for start in (0..count - BATCH + 1).step_by(BATCH) {
            let chosen = order.narrow(0, start, BATCH);
            let (x, y) = (
                images.index_select(0, &chosen),
                labels.index_select(0, &chosen),
            );
            step(&mut network, &x, &y, &mut adam);
        }
    }
    let logits = untracked(|| network.logits(&flat(&test.0)));
    let right = logits.argmax(-1).eq(&test.1);
    right.cast(DType::F64).mean(..).item()
}

#[test]
fn sixteen_bits_learn_mnist_as_well_as_thirty_two() {
    let Some(folder) = std::env::var_os("CHAINRULE_DATA") else {
        println!("left out: CHAINRULE_DATA does not name a folder that holds mnist/");
        return;
    };
    let data = idx::mnist(std::path::Path::new(&folder).join("mnist")).unwrap();
    let full = accuracy(&data, |network, x, y, adam| {
        let loss = |network: &Network| network.logits(x).cross_entropy(y);
        let (loss, gradients) = value_and_grad(loss)(network);
        adam.update(network, &gradients).unwrap();
        loss.item::<f32>();
    });
    let brain = accuracy(&data, |network, x, y, adam| {
        let x = x.cast(DType::BF16);
        let loss = |network: &Network| network.logits(&x).cross_entropy(y);
        let (loss, gradients) = bf16_value_and_grad(network, loss);
        adam.update(network, &gradients).unwrap();
        loss.item::<f32>();
    });
    let mut scaler = LossScaler::new();
    let half = accuracy(&data, |network, x, y, adam| {
        let x = x.cast(DType::F16);
        let loss = |network: &Network| network.logits(&x).cross_entropy(y);
        if let (_, Some(gradients)) = scaler.value_and_grad(network, loss) {
            adam.update(network, &gradients).unwrap();
        }
    });
    println!(
        "f32 {full:.4}, bf16 {brain:.4}, f16 {half:.4}, scale {}",
        scaler.scale()
    );
    assert!(full > 0.96, "{full}");
    for sixteen in [brain, half] {
        assert!((sixteen - full).abs() <= 0.002, "{sixteen} is not {full}");
    }
}
