//! Optimisers and schedules as a configuration names them, against what PyTorch computed in float64: `data/trajectories.json`
//! holds gradients and parameters step by step, `data/schedules.json` learning rates.

use chainrule_core::Tensor;
use chainrule_nn::schedules::{build_schedule, schedule_names};
use chainrule_nn::{Arguments, Update, Value, build_optimiser, optimiser_names};
use serde_json::Value as Json;
use std::collections::BTreeSet;

fn cases(text: &str) -> Vec<Json> {
    serde_json::from_str(text).expect("the file is JSON")
}

fn numbers(json: &Json) -> Vec<f64> {
    let list = json.as_array().expect("a list of numbers");
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

fn value(json: &Json) -> Value {
    match json {
        Json::Bool(truth) => Value::Bool(*truth),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(list) => Value::List(list.iter().map(value).collect()),
        number => match number.as_i64() {
            Some(whole) => Value::Integer(whole),
            None => Value::Float(number.as_f64().unwrap()),
        },
    }
}

fn arguments(case: &Json) -> Arguments {
    let given = case["arguments"].as_object().expect("named arguments");
    given
        .iter()
        .fold(Arguments::new("test"), |all, (name, json)| {
            all.with(name, value(json))
        })
}

fn assert_close(actual: f64, expected: f64, what: &str) {
    assert!(
        (actual - expected).abs() <= 1e-9 + 1e-7 * expected.abs(),
        "{what}: {actual} is not {expected}"
    );
}

#[test]
fn optimisers_follow_recorded_trajectories() {
    let mut seen = BTreeSet::new();
    for case in cases(include_str!("data/trajectories.json")) {
        let name = case["type"].as_str().unwrap();
        seen.insert(name.to_owned());
        let mut optimiser = build_optimiser(name, &mut arguments(&case)).unwrap();
        let shape: Vec<usize> = numbers(&case["shape"])
            .iter()
            .map(|&n| n as usize)
            .collect();
        let tensor = |json: &Json| Tensor::from_vec(numbers(json), &shape[..]);
        let mut w = tensor(&case["initial"]);
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            optimiser.update(&mut w, &tensor(&step[0])).unwrap();
            for (actual, expected) in w.to_vec::<f64>().into_iter().zip(numbers(&step[1])) {
                let what = format!("{name} {} step {number}", case["arguments"]);
                assert_close(actual, expected, &what);
            }
        }
    }
    // Lion, which PyTorch has not, is tested by hand, L-BFGS, which evaluates the loss itself, against PyTorch's points.
    let mut known: BTreeSet<String> = optimiser_names().iter().map(ToString::to_string).collect();
    assert!(known.remove("lion"));
    assert!(known.remove("lbfgs"));
    assert_eq!(seen, known);
}

#[test]
fn schedules_follow_recorded_rates() {
    let mut seen = BTreeSet::new();
    for case in cases(include_str!("data/schedules.json")) {
        let name = case["type"].as_str().unwrap();
        seen.insert(name.to_owned());
        let mut schedule = build_schedule(name, &mut arguments(&case)).unwrap();
        let base = case["base"].as_f64().unwrap();
        let (momenta, metrics) = (numbers(&case["momenta"]), numbers(&case["metrics"]));
        for (step, expected) in numbers(&case["rates"]).into_iter().enumerate() {
            let what = format!("{name} {} step {step}", case["arguments"]);
            let rate = schedule.learning_rate(step as u64, base);
            assert_close(rate, expected, &what);
            if let Some(momentum) = momenta.get(step) {
                assert_close(schedule.momentum(step as u64).unwrap(), *momentum, &what);
            }
            if let Some(metric) = metrics.get(step) {
                schedule.observe(*metric);
            }
        }
    }
    let known: BTreeSet<String> = schedule_names().iter().map(ToString::to_string).collect();
    let unseen: Vec<&String> = known.difference(&seen).collect();
    assert_eq!(
        unseen,
        ["linear", "polynomial"],
        "these are tested by their formulas"
    );
}

#[test]
fn a_plateau_resumes_with_what_it_has_seen() {
    let make = || {
        let arguments = Arguments::new("schedule")
            .with("patience", Value::Integer(2))
            .with("warm_up", Value::Integer(1));
        build_schedule("plateau", &mut { arguments }).unwrap()
    };
    let losses = [1.0, 0.9, 0.95, 0.95, 0.95, 0.95, f64::NAN, 0.95, 0.2, 0.1];
    for cut in 0..losses.len() {
        let (mut whole, mut first, mut second) = (make(), make(), make());
        for (step, loss) in losses.into_iter().enumerate() {
            whole.observe(loss);
            if step < cut {
                first.observe(loss);
                continue;
            }
            if step == cut {
                second.restore(&first.state());
            }
            second.observe(loss);
            assert_eq!(second.learning_rate(9, 1.0), whole.learning_rate(9, 1.0));
        }
        assert!((whole.learning_rate(9, 1.0) - 0.01).abs() < 1e-15);
    }
}

#[test]
fn misspelt_names_and_arguments_are_met_with_the_nearest() {
    let with = |name: &str, value: Value| {
        Arguments::new("optimiser")
            .with("learning_rate", Value::Float(0.1))
            .with(name, value)
    };
    let message = |result: Result<_, chainrule_nn::ArgumentError>| -> String {
        let error: chainrule_nn::ArgumentError = match result {
            Ok(_) => panic!("an error was expected"),
            Err(error) => error,
        };
        error.to_string()
    };
    let error = message(build_optimiser("adamv", &mut Arguments::new("optimiser")));
    assert!(
        error.contains("there is no optimiser `adamv`; did you mean `adam"),
        "{error}"
    );
    let error = message(build_optimiser(
        "sgd",
        &mut with("momentun", Value::Float(0.9)),
    ));
    assert!(error.contains("did you mean `momentum`?"), "{error}");
    let error = message(build_optimiser("adam", &mut Arguments::new("optimiser")));
    assert!(error.contains("`learning_rate` is missing"), "{error}");
    let error = message(build_optimiser(
        "adam",
        &mut with("betas", Value::Text("high".to_owned())),
    ));
    assert!(error.contains("`betas` is \"high\""), "{error}");
    let mut arguments = Arguments::new("schedule").with("steps", Value::Integer(0));
    let error = build_schedule("cosine", &mut arguments).unwrap_err();
    assert!(error.to_string().contains("expected at least 1"), "{error}");
    let error = build_schedule("cosin", &mut Arguments::new("schedule")).unwrap_err();
    assert_eq!(error.suggestion.as_deref(), Some("cosine"));
}
