//! Dropout. In evaluation it is the identity; in training only shapes can be compared, unless nothing or all is dropped.

use super::{Built, Layer, Setup};
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
    let mut layer = layer(setup.arguments.number_or("p", 0.5)?);
    if !setup.training {
        layer.eval();
    }
    Ok(Layer::map(move |x| layer.forward(x)))
}

/// Whole features, whatever the number of axes behind them.
fn of_features(setup: &mut Setup) -> Built {
    setup.arguments.truth_or("inplace", false)?;
    let probability = setup.arguments.number_or("p", 0.5)?;
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
