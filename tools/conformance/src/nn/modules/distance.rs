//! Distances and angles.

use super::{Built, Layer, Setup};
use crate::nn::arguments::{Arguments, refuse};
use chainrule::Tensor;
use chainrule::nn::{CosineSimilarity, PairwiseDistance};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let arguments = &mut setup.arguments;
    Some(match module {
        "CosineSimilarity" => cosine_similarity(arguments),
        "PairwiseDistance" => pairwise_distance(arguments),
        _ => return None,
    })
}

fn of_two(forward: impl Fn(&Tensor, &Tensor) -> Tensor + 'static) -> Layer {
    Layer::new(&["x1", "x2"], move |call| {
        let (first, second) = (call.tensor("x1")?, call.tensor("x2")?);
        Ok(vec![forward(&first, &second)])
    })
}

fn cosine_similarity(arguments: &mut Arguments) -> Built {
    let layer = CosineSimilarity::new(arguments.integer_or("dim", 1)? as isize)
        .epsilon(arguments.number_or("eps", 1e-8)?);
    Ok(of_two(move |a, b| layer.forward(a, b)))
}

fn pairwise_distance(arguments: &mut Arguments) -> Built {
    let order = arguments.number_or("p", 2.0)?;
    if order <= 0.0 {
        return refuse(format!("the norm of order {order}"));
    }
    let mut layer = PairwiseDistance::new(order).epsilon(arguments.number_or("eps", 1e-6)?);
    if arguments.truth_or("keepdim", false)? {
        layer = layer.keep_axis();
    }
    Ok(of_two(move |a, b| layer.forward(a, b)))
}
