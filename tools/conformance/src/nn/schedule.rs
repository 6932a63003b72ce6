//! A schedule: the learning rate (and for one-cycle the momentum) at each step.

use super::arguments::{Arguments, Read, refuse};
use super::{Checked, list, wrong};
use crate::case::plain_argument;
use crate::compare::close;
use serde_json::Value;

/// The learning rate and, for schedules that move it, the momentum of a step; then the metric that was seen in it.
type Step = Box<dyn FnMut(Option<f64>) -> (f64, Option<f64>)>;

pub fn check(case: &Value) -> Checked {
    let named = case["kwargs"].as_object().into_iter().flatten();
    let named = named.map(|(name, entry)| (name.clone(), plain_argument(entry)));
    let mut arguments = Arguments::new(Vec::new(), named.collect());
    let base = case["base_lr"].as_f64().unwrap_or(f64::NAN);
    let name = case["schedule"].as_str().unwrap_or_default();
    let mut step = build(name, base, &mut arguments)?;
    arguments.finish("schedule")?;
    let (metrics, momenta) = (list(&case["metrics"]), list(&case["momenta"]));
    for (number, expected) in list(&case["learning_rates"]).iter().enumerate() {
        let (rate, momentum) = step(metrics.get(number).and_then(Value::as_f64));
        let expected = expected.as_f64().unwrap_or(f64::NAN);
        if !close(rate, expected) {
            return wrong(format!(
                "step {number}: the rate is {rate:e}, expected {expected:e}"
            ));
        }
        let Some(expected) = momenta.get(number).and_then(Value::as_f64) else {
            continue;
        };
        if !momentum.is_some_and(|momentum| close(momentum, expected)) {
            return wrong(format!(
                "step {number}: the momentum is {momentum:?}, expected {expected:e}"
            ));
        }
    }
    Ok(())
}

fn build(name: &str, _base: f64, _arguments: &mut Arguments) -> Read<Step> {
    refuse(format!("no schedule for `{name}`"))
}
