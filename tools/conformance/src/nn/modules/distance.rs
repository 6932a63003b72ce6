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
    let axis = arguments.integer_or("dim", 1)? as isize;
    let epsilon = arguments.number_or("eps", 1e-8)?;
    let layer = CosineSimilarity::new(axis).epsilon(epsilon);
    Ok(Layer::new(&["x1", "x2"], move |call| {
        let (first, second) = (call.tensor("x1")?, call.tensor("x2")?);
        let zeros = (&first * &second).zeros_like();
        let is_short = |x: &Tensor| {
            let lengths = (x + &zeros).stop_gradient().norm(2.0, axis).to_vec::<f64>();
            lengths
                .iter()
                .any(|&length| 0.0 < length && length < epsilon)
        };
        if is_short(&first) || is_short(&second) {
            // There PyTorch differentiates the length and not the bound that it divides by.
            return refuse("vectors shorter than `eps`");
        }
        Ok(vec![layer.forward(&first, &second)])
    }))
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
