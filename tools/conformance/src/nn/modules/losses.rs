//! Losses.

use super::{Built, Layer, Setup};
use crate::nn::arguments::Read;
use chainrule::{Reduction, Tensor};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "MSELoss" => plain(setup, Tensor::mse_loss),
        "L1Loss" => plain(setup, Tensor::l1_loss),
        "SoftMarginLoss" => plain(setup, Tensor::soft_margin_loss),
        _ => return None,
    })
}

/// A loss of an input against a target.
fn against(
    reduction: Reduction,
    loss: impl Fn(&Tensor, &Tensor, Reduction) -> Tensor + 'static,
) -> Layer {
    Layer::new(&["input", "target"], move |call| {
        let (input, target) = (call.tensor("input")?, call.tensor("target")?);
        Ok(vec![loss(&input, &target, reduction)])
    })
}

/// A loss with no other argument than the reduction.
fn plain(setup: &mut Setup, loss: fn(&Tensor, &Tensor, Reduction) -> Tensor) -> Read<Layer> {
    Ok(against(setup.arguments.reduction()?, loss))
}
