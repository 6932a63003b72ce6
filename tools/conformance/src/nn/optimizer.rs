//! An optimiser: the parameters after each step, from the gradients that the case gives.

use super::arguments::{Arguments, Read, refuse};
use super::{Checked, list};
use crate::case::{Argument, argument, tensor};
use crate::compare::compare;
use chainrule::Tensor;
use chainrule::nn::optim::{Descent, Rule};
use chainrule::nn::{
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Asgd, Muon, NAdam, RAdam, RmsProp, Rprop,
    Sgd,
};
use safetensors::SafeTensors;
use serde_json::Value;

/// One step: replaces the parameters, given their gradients.
type Step = Box<dyn FnMut(&mut Vec<Tensor>, &Vec<Tensor>)>;

pub fn check(file: &SafeTensors<'_>, case: &Value) -> Checked {
    let mut arguments = merged(file, case);
    let mut step = build(
        case["optimizer"].as_str().unwrap_or_default(),
        &mut arguments,
    )?;
    arguments.finish("optimiser")?;
    let mut parameters = tensors(file, &case["initial"])?;
    for (number, json) in list(&case["steps"]).iter().enumerate() {
        step(&mut parameters, &tensors(file, &json["gradients"])?);
        let expected = tensors(file, &json["parameters"])?;
        for (position, (actual, expected)) in parameters.iter().zip(&expected).enumerate() {
            compare(
                &format!("step {number}, parameter {position}"),
                actual,
                expected,
            )?;
        }
    }
    Ok(())
}

/// The defaults of the case, with what it says otherwise.
fn merged(file: &SafeTensors<'_>, case: &Value) -> Arguments {
    let mut all = case["defaults"].as_object().cloned().unwrap_or_default();
    all.extend(case["kwargs"].as_object().cloned().unwrap_or_default());
    let named = all
        .iter()
        .map(|(name, entry)| (name.clone(), argument(file, entry)));
    Arguments::new(Vec::new(), named.collect())
}

fn tensors(file: &SafeTensors<'_>, entries: &Value) -> Read<Vec<Tensor>> {
    let tensors = list(entries)
        .iter()
        .map(|entry| tensor(file, entry))
        .collect();
    let tensors: Option<Vec<Tensor>> = tensors;
    tensors.map_or_else(|| refuse("a parameter that is not a tensor"), Ok)
}

fn build(name: &str, arguments: &mut Arguments) -> Read<Step> {
    implementation(arguments)?;
    match name {
        "SGD" => sgd(arguments),
        "Adam" => adam(arguments),
        "AdamW" => adamw(arguments),
        "Adamax" => adamax(arguments),
        "NAdam" => nadam(arguments),
        "RAdam" => radam(arguments),
        "Adagrad" => adagrad(arguments),
        "Adadelta" => adadelta(arguments),
        "RMSprop" => rmsprop(arguments),
        "Rprop" => rprop(arguments),
        "ASGD" => asgd(arguments),
        "Adafactor" => adafactor(arguments),
        "Muon" => muon(arguments),
        _ => refuse(format!("no optimiser for `{name}`")),
    }
}

/// Which of PyTorch's implementations is asked for: only the plain one is known to give the values compared with.
fn implementation(arguments: &mut Arguments) -> Read<()> {
    for name in ["foreach", "fused", "capturable", "differentiable"] {
        if arguments.truth_or(name, false)? {
            return refuse(format!("argument `{name}`"));
        }
    }
    Ok(())
}

/// Adds what all optimisers know, and makes steps of it.
fn stepping<R: Rule + 'static>(mut optimiser: Descent<R>, arguments: &mut Arguments) -> Read<Step> {
    if let Some(decay) = arguments.optional_number("weight_decay")? {
        optimiser = optimiser.weight_decay(decay);
    }
    if arguments.truth_or("maximize", false)? {
        optimiser = optimiser.maximize();
    }
    Ok(Box::new(move |parameters, gradients| {
        let updated = optimiser.update(parameters, gradients);
        updated.expect("every parameter has a gradient");
    }))
}

fn sgd(arguments: &mut Arguments) -> Read<Step> {
    let mut sgd = Sgd::new(arguments.number("lr")?)
        .momentum(arguments.number_or("momentum", 0.0)?)
        .dampening(arguments.number_or("dampening", 0.0)?);
    if arguments.truth_or("nesterov", false)? {
        sgd = sgd.nesterov();
    }
    stepping(sgd, arguments)
}

fn adam(arguments: &mut Arguments) -> Read<Step> {
    if arguments.truth_or("decoupled_weight_decay", false)? {
        // It was taken: by itself the other optimiser decouples.
        return adamw(arguments);
    }
    let (first, second) = arguments.pair("betas")?;
    let mut adam = Adam::new(arguments.number("lr")?)
        .betas(first, second)
        .epsilon(arguments.number("eps")?);
    if arguments.truth_or("amsgrad", false)? {
        adam = adam.amsgrad();
    }
    stepping(adam, arguments)
}

fn adamw(arguments: &mut Arguments) -> Read<Step> {
    if !arguments.truth_or("decoupled_weight_decay", true)? {
        return refuse("an AdamW whose decay is not decoupled");
    }
    let (first, second) = arguments.pair("betas")?;
    let mut adam = AdamW::new(arguments.number("lr")?)
        .betas(first, second)
        .epsilon(arguments.number("eps")?);
    if arguments.truth_or("amsgrad", false)? {
        adam = adam.amsgrad();
    }
    stepping(adam, arguments)
}

fn adamax(arguments: &mut Arguments) -> Read<Step> {
    let (first, second) = arguments.pair("betas")?;
    let adamax = Adamax::new(arguments.number("lr")?)
        .betas(first, second)
        .epsilon(arguments.number("eps")?);
    stepping(adamax, arguments)
}

fn nadam(arguments: &mut Arguments) -> Read<Step> {
    let (first, second) = arguments.pair("betas")?;
    let mut nadam = NAdam::new(arguments.number("lr")?)
        .betas(first, second)
        .epsilon(arguments.number("eps")?)
        .momentum_decay(arguments.number("momentum_decay")?);
    if arguments.truth_or("decoupled_weight_decay", false)? {
        nadam = nadam.decoupled();
    }
    stepping(nadam, arguments)
}

fn radam(arguments: &mut Arguments) -> Read<Step> {
    let (first, second) = arguments.pair("betas")?;
    let mut radam = RAdam::new(arguments.number("lr")?)
        .betas(first, second)
        .epsilon(arguments.number("eps")?);
    if arguments.truth_or("decoupled_weight_decay", false)? {
        radam = radam.decoupled();
    }
    stepping(radam, arguments)
}

fn adagrad(arguments: &mut Arguments) -> Read<Step> {
    let adagrad = Adagrad::new(arguments.number("lr")?)
        .learning_rate_decay(arguments.number("lr_decay")?)
        .initial_sum(arguments.number("initial_accumulator_value")?)
        .epsilon(arguments.number("eps")?);
    stepping(adagrad, arguments)
}

fn adadelta(arguments: &mut Arguments) -> Read<Step> {
    let adadelta = Adadelta::new(arguments.number("lr")?)
        .rho(arguments.number("rho")?)
        .epsilon(arguments.number("eps")?);
    stepping(adadelta, arguments)
}

fn rmsprop(arguments: &mut Arguments) -> Read<Step> {
    let mut rmsprop = RmsProp::new(arguments.number("lr")?)
        .alpha(arguments.number("alpha")?)
        .epsilon(arguments.number("eps")?)
        .momentum(arguments.number_or("momentum", 0.0)?);
    if arguments.truth_or("centered", false)? {
        rmsprop = rmsprop.centred();
    }
    stepping(rmsprop, arguments)
}

fn rprop(arguments: &mut Arguments) -> Read<Step> {
    let (shrink, grow) = arguments.pair("etas")?;
    let (smallest, largest) = arguments.pair("step_sizes")?;
    let rprop = Rprop::new(arguments.number("lr")?)
        .factors(shrink, grow)
        .step_sizes(smallest, largest);
    stepping(rprop, arguments)
}

fn asgd(arguments: &mut Arguments) -> Read<Step> {
    let asgd = Asgd::new(arguments.number("lr")?)
        .lambda(arguments.number("lambd")?)
        .alpha(arguments.number("alpha")?)
        .start_of_average(arguments.number("t0")?);
    stepping(asgd, arguments)
}

fn adafactor(arguments: &mut Arguments) -> Read<Step> {
    let number = |argument: &Argument| match argument {
        Argument::Integer(number) => Some(*number as f64),
        Argument::Number(number) => Some(*number),
        _ => None,
    };
    let epsilons = match arguments.take("eps") {
        Some(Argument::List(list)) => match &list[..] {
            [Argument::None, second] => (None, number(second)),
            [first, second] => match number(first) {
                Some(first) => (Some(first), number(second)),
                None => (None, None),
            },
            _ => (None, None),
        },
        _ => (None, None),
    };
    let (first, Some(second)) = epsilons else {
        return refuse("the value of argument `eps`");
    };
    let adafactor = Adafactor::new(arguments.number("lr")?)
        .second_moment_decay(arguments.number("beta2_decay")?)
        .clipping_threshold(arguments.number("d")?)
        .epsilons(first, second);
    stepping(adafactor, arguments)
}

fn muon(arguments: &mut Arguments) -> Read<Step> {
    let coefficients = arguments.numbers("ns_coefficients")?.try_into();
    let Ok(coefficients) = coefficients else {
        return refuse("the value of argument `ns_coefficients`");
    };
    let mut muon = Muon::new(arguments.number("lr")?)
        .momentum(arguments.number("momentum")?)
        .nesterov(arguments.truth_or("nesterov", true)?)
        .coefficients(coefficients)
        .epsilon(arguments.number("eps")?)
        .iterations(arguments.count("ns_steps")?);
    match arguments.text_or("adjust_lr_fn", "original")?.as_str() {
        "original" => {}
        "match_rms_adamw" => muon = muon.match_adam(),
        other => return refuse(format!("adjust_lr_fn {other:?}")),
    }
    stepping(muon, arguments)
}
