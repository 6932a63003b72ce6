//! Losses.

use super::{Built, Layer, Setup};
use crate::case::Argument;
use crate::nn::arguments::{Arguments, Read, refuse};
use chainrule::nn::losses::*;
use chainrule::{DType, Reduction, Tensor};

pub fn build(module: &str, setup: &mut Setup) -> Option<Built> {
    let arguments = &mut setup.arguments;
    Some(match module {
        "L1Loss" => plain(arguments, |r| {
            let loss = AbsoluteError::new().reduction(r);
            against(move |x, t| loss.forward(x, t))
        }),
        "MSELoss" => plain(arguments, |r| {
            let loss = SquaredError::new().reduction(r);
            against(move |x, t| loss.forward(x, t))
        }),
        "SoftMarginLoss" => plain(arguments, |r| {
            let loss = SoftMargin::new().reduction(r);
            checked(
                |x, t| any(&(t * x).lt(-709.0)),
                "margins at which PyTorch's exponential overflows",
                move |x, t| loss.forward(x, t),
            )
        }),
        "MultiLabelMarginLoss" => plain(arguments, |r| {
            let loss = MultiLabelMargin::new().reduction(r);
            checked(is_empty, OF_NOTHING, move |x, t| loss.forward(x, t))
        }),
        "HuberLoss" => huber(arguments),
        "SmoothL1Loss" => smooth_l1(arguments),
        "HingeEmbeddingLoss" => hinge_embedding(arguments),
        "CosineEmbeddingLoss" => cosine_embedding(arguments),
        "MarginRankingLoss" => margin_ranking(arguments),
        "TripletMarginLoss" => triplet_margin(arguments),
        "TripletMarginWithDistanceLoss" => triplet_margin_with_distance(arguments),
        "KLDivLoss" => kl_divergence(arguments),
        "PoissonNLLLoss" => poisson_nll(arguments),
        "GaussianNLLLoss" => gaussian_nll(arguments),
        "CTCLoss" => ctc(arguments),
        "CrossEntropyLoss" => cross_entropy(setup),
        "NLLLoss" | "NLLLoss2d" => negative_log_likelihood(setup),
        "BCELoss" => binary_cross_entropy(setup),
        "BCEWithLogitsLoss" => binary_cross_entropy_with_logits(setup),
        "MultiMarginLoss" => multi_margin(setup),
        "MultiLabelSoftMarginLoss" => multi_label_soft_margin(setup),
        _ => return None,
    })
}

/// A loss with no other argument than the reduction.
fn plain(arguments: &mut Arguments, loss: impl Fn(Reduction) -> Layer) -> Built {
    Ok(loss(arguments.reduction()?))
}

/// A loss of an input against a target.
fn against(loss: impl Fn(&Tensor, &Tensor) -> Tensor + 'static) -> Layer {
    Layer::new(&["input", "target"], move |call| {
        let (input, target) = (call.tensor("input")?, call.tensor("target")?);
        Ok(vec![loss(&input, &target)])
    })
}

/// A loss of an input against a target, refused where `odd` says so of them.
fn checked(
    odd: fn(&Tensor, &Tensor) -> bool,
    reason: &'static str,
    loss: impl Fn(&Tensor, &Tensor) -> Tensor + 'static,
) -> Layer {
    Layer::new(&["input", "target"], move |call| {
        let (input, target) = (call.tensor("input")?, call.tensor("target")?);
        match odd(&input, &target) {
            true => refuse(reason),
            false => Ok(vec![loss(&input, &target)]),
        }
    })
}

fn any(truths: &Tensor) -> bool {
    truths.cast(DType::U8).to_vec::<u8>().contains(&1)
}

const OF_NOTHING: &str = "a margin loss of no rows, which PyTorch leaves unset";

fn is_empty(input: &Tensor, _target: &Tensor) -> bool {
    input.elements() == 0
}

/// A loss of three tensors.
fn of_three(
    names: &'static [&'static str; 3],
    loss: impl Fn(&Tensor, &Tensor, &Tensor) -> Tensor + 'static,
) -> Layer {
    Layer::new(names, move |call| {
        let [first, second, third] = names;
        let (first, second) = (call.tensor(first)?, call.tensor(second)?);
        Ok(vec![loss(&first, &second, &call.tensor(third)?)])
    })
}

/// Losses keep their weights as buffers, whose value the state gives.
fn weights(setup: &mut Setup, name: &str) -> Read<Option<Tensor>> {
    let given = setup.arguments.optional_tensor(name)?;
    Ok(setup.state.optional_buffer(name).or(given))
}

fn huber(arguments: &mut Arguments) -> Built {
    let loss = Huber::new()
        .delta(arguments.number_or("delta", 1.0)?)
        .reduction(arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn smooth_l1(arguments: &mut Arguments) -> Built {
    let loss = SmoothL1::new()
        .beta(arguments.number_or("beta", 1.0)?)
        .reduction(arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn hinge_embedding(arguments: &mut Arguments) -> Built {
    let loss = HingeEmbedding::new()
        .margin(arguments.number_or("margin", 1.0)?)
        .reduction(arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn cosine_embedding(arguments: &mut Arguments) -> Built {
    let loss = CosineEmbedding::new()
        .margin(arguments.number_or("margin", 0.0)?)
        .reduction(arguments.reduction()?);
    let names = &["input1", "input2", "target"];
    Ok(of_three(names, move |a, b, t| loss.forward(a, b, t)))
}

fn margin_ranking(arguments: &mut Arguments) -> Built {
    let loss = MarginRanking::new()
        .margin(arguments.number_or("margin", 0.0)?)
        .reduction(arguments.reduction()?);
    let names = &["input1", "input2", "target"];
    Ok(of_three(names, move |a, b, t| loss.forward(a, b, t)))
}

fn triplet_margin(arguments: &mut Arguments) -> Built {
    let order = arguments.number_or("p", 2.0)?;
    let mut loss = TripletMargin::new()
        .margin(arguments.number_or("margin", 1.0)?)
        .norm(order, arguments.number_or("eps", 1e-6)?)
        .reduction(arguments.reduction()?);
    if arguments.truth_or("swap", false)? {
        loss = loss.swap();
    }
    let names = &["anchor", "positive", "negative"];
    Ok(of_three(names, move |a, p, n| loss.forward(a, p, n)))
}

/// The distance is a function, so that a case can only mean the usual one.
fn triplet_margin_with_distance(arguments: &mut Arguments) -> Built {
    if arguments.gives("distance_function") {
        return refuse("argument `distance_function`");
    }
    arguments.take("distance_function");
    triplet_margin(arguments)
}

fn kl_divergence(arguments: &mut Arguments) -> Built {
    let mut loss = KlDivergence::new();
    let log_target = arguments.truth_or("log_target", false)?;
    if log_target {
        loss = loss.log_target();
    }
    loss = match arguments.reduction_name()?.as_str() {
        "batchmean" => loss.batch_mean(),
        "mean" => loss,
        "sum" => loss.reduction(Reduction::Sum),
        "none" => loss.reduction(Reduction::None),
        other => return refuse(format!("reduction {other:?}")),
    };
    if log_target {
        return Ok(against(move |x, t| loss.forward(x, t)));
    }
    // There PyTorch's derivative by the target is not a number.
    let odd = |_: &Tensor, t: &Tensor| t.is_tracked() && any(&t.eq(0.0));
    let reason = "the derivative by a probability of 0";
    Ok(checked(odd, reason, move |x, t| loss.forward(x, t)))
}

fn poisson_nll(arguments: &mut Arguments) -> Built {
    let mut loss = PoissonNll::new()
        .epsilon(arguments.number_or("eps", 1e-8)?)
        .reduction(arguments.reduction()?);
    if !arguments.truth_or("log_input", true)? {
        loss = loss.rates();
    }
    if arguments.truth_or("full", false)? {
        loss = loss.full();
    }
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn gaussian_nll(arguments: &mut Arguments) -> Built {
    let mut loss = GaussianNll::new()
        .epsilon(arguments.number_or("eps", 1e-6)?)
        .reduction(arguments.reduction()?);
    if arguments.truth_or("full", false)? {
        loss = loss.full();
    }
    let signature = &["input", "target", "var"];
    Ok(Layer::new(signature, move |call| {
        let (input, target) = (call.tensor("input")?, call.tensor("target")?);
        let variance = if let Some(number) = call.clone().optional_number("var").unwrap_or(None) {
            call.take("var");
            input.ones_like() * number
        } else {
            call.tensor("var")?
        };
        Ok(vec![loss.forward(&input, &target, &variance)])
    }))
}

fn ctc(arguments: &mut Arguments) -> Built {
    let mut loss = Ctc::new()
        .blank(arguments.count_or("blank", 0)?)
        .reduction(arguments.reduction()?);
    if arguments.truth_or("zero_infinity", false)? {
        loss = loss.zero_infinity();
    }
    let signature = &["log_probs", "targets", "input_lengths", "target_lengths"];
    Ok(Layer::new(signature, move |call| {
        let (frames, targets) = (call.tensor("log_probs")?, call.tensor("targets")?);
        let frame_lengths = lengths(call, "input_lengths")?;
        let target_lengths = lengths(call, "target_lengths")?;
        let losses = loss.forward(&frames, &targets, &frame_lengths, &target_lengths);
        // PyTorch's gradient of an infinite loss is NaN, here it is 0.
        let values = losses.cast(DType::F64).to_vec::<f64>();
        if values.contains(&f64::INFINITY) {
            return refuse("an infinite loss");
        }
        Ok(vec![losses])
    }))
}

/// Lengths as a tensor, a tuple or one number.
fn lengths(call: &mut Arguments, name: &str) -> Read<Vec<usize>> {
    let given = match call.take(name) {
        Some(Argument::Tensor(tensor)) if !tensor.dtype().is_floating() => {
            Some(tensor.cast(DType::I64).to_vec::<i64>())
        }
        Some(Argument::Integer(length)) => Some(vec![length]),
        Some(Argument::List(list)) => list
            .iter()
            .map(|entry| match entry {
                Argument::Integer(length) => Some(*length),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    let whole = given.and_then(|list| list.iter().map(|&n| usize::try_from(n).ok()).collect());
    whole.map_or_else(|| refuse(format!("the value of argument `{name}`")), Ok)
}

fn cross_entropy(setup: &mut Setup) -> Built {
    let mut loss = CrossEntropy::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    let arguments = &mut setup.arguments;
    let loss = loss
        .ignore(arguments.integer_or("ignore_index", -100)?)
        .label_smoothing(arguments.number_or("label_smoothing", 0.0)?)
        .reduction(arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn negative_log_likelihood(setup: &mut Setup) -> Built {
    let mut loss = NegativeLogLikelihood::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    let arguments = &mut setup.arguments;
    let loss = loss
        .ignore(arguments.integer_or("ignore_index", -100)?)
        .reduction(arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn binary_cross_entropy(setup: &mut Setup) -> Built {
    let mut loss = BinaryCrossEntropy::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    let loss = loss.reduction(setup.arguments.reduction()?);
    // There PyTorch divides by 1e-12 instead of x (1 - x).
    let saturated = |x: &Tensor, _: &Tensor| any(&(x * (1.0 - x)).lt(1e-12));
    let reason = "probabilities of 0 or 1";
    Ok(checked(saturated, reason, move |x, t| loss.forward(x, t)))
}

fn binary_cross_entropy_with_logits(setup: &mut Setup) -> Built {
    let mut loss = BinaryCrossEntropyWithLogits::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    if let Some(weights) = weights(setup, "pos_weight")? {
        loss = loss.positive_weights(&weights);
    }
    let loss = loss.reduction(setup.arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}

fn multi_margin(setup: &mut Setup) -> Built {
    let mut loss = MultiMargin::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    let arguments = &mut setup.arguments;
    let loss = loss
        .power(arguments.number_or("p", 1.0)?)
        .margin(arguments.number_or("margin", 1.0)?)
        .reduction(arguments.reduction()?);
    Ok(checked(is_empty, OF_NOTHING, move |x, t| {
        loss.forward(x, t)
    }))
}

fn multi_label_soft_margin(setup: &mut Setup) -> Built {
    let mut loss = MultiLabelSoftMargin::new();
    if let Some(weights) = weights(setup, "weight")? {
        loss = loss.weights(&weights);
    }
    let loss = loss.reduction(setup.arguments.reduction()?);
    Ok(against(move |x, t| loss.forward(x, t)))
}
