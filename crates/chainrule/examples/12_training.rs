//! A run with everything around the loop: batches, validation, a schedule, metrics, a watch over the gradients, and a
//! report. Two spirals of points are to be told apart.

use chainrule::data::{Loader, TensorDataset};
use chainrule::nn::schedules::{Cosine, WarmUp};
use chainrule::nn::{BatchNorm, Dropout};
use chainrule::prelude::*;
use chainrule::train::flow::GradientFlow;
use chainrule::train::metrics::Accuracy;
use chainrule::train::report::Report;
use chainrule::train::trainer::Trainer;

const BATCH: usize = 50;
const EPOCHS: u64 = 40;

/// `count` points `[count, 2]` on two spirals, with their labels.
fn spirals(count: usize, generator: &Generator) -> (Tensor, Tensor) {
    let labels = generator.randint(0, 2, [count]);
    let along = generator.uniform([count], 0.3, 1.0);
    let angle = &along * 9.0 + labels.cast(DType::F32) * std::f64::consts::PI;
    let points = Tensor::stack(&[&along * angle.cos(), &along * angle.sin()], 1);
    (points + generator.normal([count, 2], 0.0, 0.02), labels)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    manual_seed(1);
    let generator = Generator::new(1);
    let training = TensorDataset::new(spirals(1000, &generator))?;
    let held_out = TensorDataset::new(spirals(500, &generator))?;
    let training = Loader::new(training, BATCH)?.shuffle(1);
    let held_out = Loader::new(held_out, BATCH)?;

    let model = Sequential::new()
        .then(Linear::new(2, 64))
        .then(BatchNorm::new(64))
        .then_function("tanh", Tensor::tanh)
        .then(Dropout::new(0.1))
        .then(Linear::new(64, 64))
        .then_function("tanh", Tensor::tanh)
        .then(Linear::new(64, 2));
    let summary = model.summary(&Tensor::zeros([BATCH, 2]));
    println!("{summary}");

    let loss = |model: &Sequential, (points, labels): &(Tensor, Tensor)| {
        let logits = model.forward(points);
        (logits.cross_entropy(labels), logits, labels.clone())
    };
    let steps = EPOCHS * training.len() as u64;
    let mut trainer = Trainer::new(model, AdamW::new(0.01), loss)
        .epochs(EPOCHS)
        .schedule(WarmUp::new(20, Cosine::new(steps)))
        .clip_norm(5.0)
        .metric(Accuracy::new())
        .validate(held_out)
        .watch(GradientFlow::new());
    let outcome = trainer.fit(&training)?;
    for (name, value) in &outcome.numbers {
        println!("{name:22} {value:.3}");
    }
    for finding in &outcome.findings {
        println!("{}", finding.message);
    }

    let page = std::env::temp_dir().join("chainrule-example-spirals.html");
    let mut report = Report::new("Two spirals", trainer.history()).summary(&summary);
    if let Some(flow) = trainer.flow() {
        report = report.flow(flow);
    }
    report.write(&page)?;
    println!("the run as a page: {}", page.display());
    Ok(())
}
