//! Products with weights.

use super::{Built, Layer, Setup};
use crate::nn::arguments::Read;
use chainrule::nn::{Bilinear, Layer as _, Linear};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "Linear" => linear(setup),
        "Bilinear" => bilinear(setup),
        _ => return None,
    })
}

fn linear(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    // The weights say the numbers of features and whether there is a bias.
    let (_, _) = (
        arguments.count("in_features")?,
        arguments.count("out_features")?,
    );
    let bias = arguments.truth_or("bias", true)?;
    let layer = Linear {
        weight: setup.state.parameter("weight")?,
        bias: if bias {
            Some(setup.state.parameter("bias")?)
        } else {
            None
        },
    };
    Ok(Layer::map(move |x| layer.forward(x)))
}

fn bilinear(setup: &mut Setup) -> Read<Layer> {
    let arguments = &mut setup.arguments;
    for extent in ["in1_features", "in2_features", "out_features"] {
        arguments.count(extent)?;
    }
    let bias = arguments.truth_or("bias", true)?;
    let layer = Bilinear {
        weight: setup.state.parameter("weight")?,
        bias: match bias {
            true => Some(setup.state.parameter("bias")?),
            false => None,
        },
    };
    Ok(Layer::new(&["input1", "input2"], move |call| {
        let (first, second) = (call.tensor("input1")?, call.tensor("input2")?);
        Ok(vec![layer.forward(&first, &second)])
    }))
}
