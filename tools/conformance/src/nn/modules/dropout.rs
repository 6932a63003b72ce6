//! Dropout. In evaluation it is the identity; in training only shapes can be compared, unless nothing or all is dropped.

use super::{Built, Layer, Setup};
use crate::nn::arguments::Read;
use chainrule::nn::{AlphaDropout, ChannelDropout, Dropout, Layer as _, Module};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "Dropout" => built(setup, Dropout::new),
        "Dropout1d" => built(setup, |p| ChannelDropout::new(p, 1)),
        "Dropout2d" => built(setup, |p| ChannelDropout::new(p, 2)),
        "Dropout3d" => built(setup, |p| ChannelDropout::new(p, 3)),
        "AlphaDropout" => built(setup, AlphaDropout::new),
        "FeatureAlphaDropout" => of_features(setup),
        _ => return None,
    })
}

fn built<L: chainrule::nn::Layer + 'static>(setup: &mut Setup, layer: fn(f64) -> L) -> Built {
    setup.arguments.truth_or("inplace", false)?;
    let mut layer = layer(probability(setup)?);
    if !setup.training {
        layer.eval();
    }
    Ok(Layer::map(move |x| layer.forward(x)))
}

fn probability(setup: &mut Setup) -> Read<f64> {
    let probability = setup.arguments.number_or("p", 0.5)?;
    if probability != 0.0 && probability != 1.0 {
        setup.allow_draws()?;
    }
    Ok(probability)
}

/// Whole features, whatever the number of axes behind them.
fn of_features(setup: &mut Setup) -> Built {
    setup.arguments.truth_or("inplace", false)?;
    let probability = probability(setup)?;
    let training = setup.training;
    Ok(Layer::map(move |x| {
        let spatial = x.rank().saturating_sub(2);
        let mut layer = AlphaDropout::new(probability).of_channels(spatial);
        if !training {
            layer.eval();
        }
        layer.forward(x)
    }))
}
