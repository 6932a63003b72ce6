//! Recurrent networks and their cells.

use super::{Built, Layer, Setup};
use crate::case::Argument;
use crate::nn::arguments::{Arguments, Read, refuse};
use crate::nn::state::State;
use chainrule::nn::{
    Directions, Gru, GruCell, Lstm, LstmCell, LstmState, Module, Parameter, RecurrentActivation,
    RecurrentOptions, Rnn, RnnCell,
};

const CALL: &[&str] = &["input", "hx"];

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    Some(match module {
        "RNN" => rnn(setup),
        "LSTM" => lstm(setup),
        "GRU" => gru(setup),
        "RNNCell" => rnn_cell(setup),
        "LSTMCell" => lstm_cell(setup),
        "GRUCell" => gru_cell(setup),
        _ => return None,
    })
}

/// What the constructor says.
struct Form {
    options: RecurrentOptions,
    layers: usize,
    bidirectional: bool,
    bias: bool,
    projection: bool,
    activation: RecurrentActivation,
}

fn activation(arguments: &mut Arguments) -> Read<RecurrentActivation> {
    Ok(match arguments.text_or("nonlinearity", "tanh")?.as_str() {
        "tanh" => RecurrentActivation::Tanh,
        "relu" => RecurrentActivation::Relu,
        other => return refuse(format!("nonlinearity {other:?}")),
    })
}

fn form(arguments: &mut Arguments, own: Option<&'static str>) -> Read<Form> {
    let signature: Vec<&str> = ["input_size", "hidden_size", "num_layers"]
        .into_iter()
        .chain(own.filter(|&own| own == "nonlinearity"))
        .chain(["bias", "batch_first", "dropout", "bidirectional"])
        .chain(own.filter(|&own| own == "proj_size"))
        .collect();
    arguments.name(&signature);
    let inputs = arguments.count("input_size")?;
    let hidden = arguments.count("hidden_size")?;
    let layers = arguments.count_or("num_layers", 1)?;
    let bias = arguments.truth_or("bias", true)?;
    let bidirectional = arguments.truth_or("bidirectional", false)?;
    // Also networks without a projection may be given a `proj_size` of 0.
    let projection = arguments.count_or("proj_size", 0)?;
    let activation = match own {
        Some("nonlinearity") => activation(arguments)?,
        _ => RecurrentActivation::Tanh,
    };
    let mut options = RecurrentOptions::new(inputs, hidden)
        .layers(layers)
        .activation(activation)
        .dropout(arguments.number_or("dropout", 0.0)?);
    if !arguments.truth_or("batch_first", false)? {
        options = options.time_first();
    }
    if bidirectional {
        options = options.bidirectional();
    }
    if !bias {
        options = options.without_bias();
    }
    if projection > 0 {
        options = options.projection(projection);
    }
    Ok(Form {
        options,
        layers,
        bidirectional,
        bias,
        projection: projection > 0,
        activation,
    })
}

/// The cells of all layers, each made by the suffix of its parameters' names.
fn cells<C>(form: &Form, mut cell: impl FnMut(&str) -> Read<C>) -> Read<Vec<Directions<C>>> {
    let layer = |layer: usize| {
        let reverse = format!("_l{layer}_reverse");
        Ok(Directions {
            forward: cell(&format!("_l{layer}"))?,
            reverse: form.bidirectional.then(|| cell(&reverse)).transpose()?,
        })
    };
    (0..form.layers).map(layer).collect()
}

fn set_mode<M: Module>(mut network: M, training: bool) -> M {
    if training {
        network.train();
    } else {
        network.eval();
    }
    network
}

fn rnn(setup: &mut Setup) -> Built {
    let form = form(&mut setup.arguments, Some("nonlinearity"))?;
    let mut network = Rnn::from_options(form.options.clone());
    network.layers = cells(&form, |suffix| {
        plain_cell(&mut setup.state, suffix, form.bias, form.activation)
    })?;
    let network = set_mode(network, setup.training);
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, call.optional_tensor("hx")?);
        let (outputs, last) = network.forward_with(x, state.as_ref());
        Ok(vec![outputs, last])
    }))
}

fn gru(setup: &mut Setup) -> Built {
    let form = form(&mut setup.arguments, None)?;
    if form.projection {
        return refuse("a GRU with a projection");
    }
    let mut network = Gru::from_options(form.options.clone());
    network.layers = cells(&form, |suffix| {
        gated_cell(&mut setup.state, suffix, form.bias)
    })?;
    let network = set_mode(network, setup.training);
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, call.optional_tensor("hx")?);
        let (outputs, last) = network.forward_with(x, state.as_ref());
        Ok(vec![outputs, last])
    }))
}

fn lstm(setup: &mut Setup) -> Built {
    let form = form(&mut setup.arguments, Some("proj_size"))?;
    let mut network = Lstm::from_options(form.options.clone());
    network.layers = cells(&form, |suffix| {
        memory_cell(&mut setup.state, suffix, form.bias, form.projection)
    })?;
    let network = set_mode(network, setup.training);
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, memory(call)?);
        let (outputs, last) = network.forward_with(x, state.as_ref());
        Ok(vec![outputs, last.hidden, last.cell])
    }))
}

/// The hidden state and the cell, given as a pair.
fn memory(call: &mut Arguments) -> Read<Option<LstmState>> {
    match call.take("hx") {
        None | Some(Argument::None) => Ok(None),
        Some(Argument::List(pair)) => match &pair[..] {
            [Argument::Tensor(hidden), Argument::Tensor(cell)] => Ok(Some(LstmState {
                hidden: hidden.clone(),
                cell: cell.clone(),
            })),
            _ => refuse("the value of argument `hx`"),
        },
        Some(_) => refuse("the value of argument `hx`"),
    }
}

fn rnn_cell(setup: &mut Setup) -> Built {
    let bias = cell_arguments(&mut setup.arguments)?;
    let activation = activation(&mut setup.arguments)?;
    let cell = plain_cell(&mut setup.state, "", bias, activation)?;
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, call.optional_tensor("hx")?);
        Ok(vec![cell.forward(x, state.as_ref())])
    }))
}

fn gru_cell(setup: &mut Setup) -> Built {
    let bias = cell_arguments(&mut setup.arguments)?;
    let cell = gated_cell(&mut setup.state, "", bias)?;
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, call.optional_tensor("hx")?);
        Ok(vec![cell.forward(x, state.as_ref())])
    }))
}

fn lstm_cell(setup: &mut Setup) -> Built {
    let bias = cell_arguments(&mut setup.arguments)?;
    let cell = memory_cell(&mut setup.state, "", bias, false)?;
    Ok(Layer::new(CALL, move |call| {
        let (x, state) = (call.tensor("input")?, memory(call)?);
        let state = cell.forward(x, state.as_ref());
        Ok(vec![state.hidden, state.cell])
    }))
}

/// Whether there is a bias; the weights say the sizes.
fn cell_arguments(arguments: &mut Arguments) -> Read<bool> {
    let (_, _) = (
        arguments.count("input_size")?,
        arguments.count("hidden_size")?,
    );
    arguments.truth_or("bias", true)
}

fn plain_cell(
    state: &mut State,
    suffix: &str,
    bias: bool,
    activation: RecurrentActivation,
) -> Read<RnnCell> {
    let mut cell = RnnCell::new(1, 1).activation(activation);
    cell.input_weight = state.parameter(&format!("weight_ih{suffix}"))?;
    cell.hidden_weight = state.parameter(&format!("weight_hh{suffix}"))?;
    cell.input_bias = bias_of(state, "bias_ih", suffix, bias)?;
    cell.hidden_bias = bias_of(state, "bias_hh", suffix, bias)?;
    Ok(cell)
}

fn gated_cell(state: &mut State, suffix: &str, bias: bool) -> Read<GruCell> {
    Ok(GruCell {
        input_weight: state.parameter(&format!("weight_ih{suffix}"))?,
        hidden_weight: state.parameter(&format!("weight_hh{suffix}"))?,
        input_bias: bias_of(state, "bias_ih", suffix, bias)?,
        hidden_bias: bias_of(state, "bias_hh", suffix, bias)?,
    })
}

fn memory_cell(state: &mut State, suffix: &str, bias: bool, projection: bool) -> Read<LstmCell> {
    let weight = format!("weight_hr{suffix}");
    Ok(LstmCell {
        input_weight: state.parameter(&format!("weight_ih{suffix}"))?,
        hidden_weight: state.parameter(&format!("weight_hh{suffix}"))?,
        input_bias: bias_of(state, "bias_ih", suffix, bias)?,
        hidden_bias: bias_of(state, "bias_hh", suffix, bias)?,
        projection: projection.then(|| state.parameter(&weight)).transpose()?,
    })
}

fn bias_of(state: &mut State, name: &str, suffix: &str, bias: bool) -> Read<Option<Parameter>> {
    let name = format!("{name}{suffix}");
    bias.then(|| state.parameter(&name)).transpose()
}
