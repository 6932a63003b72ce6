//! `[optimiser]`, `[schedule]`, `[regulariser]`: how a network learns.

use super::config::{Problem, Section};
use chainrule::nn::schedules::{Schedule, Sequence, build_schedule};
use chainrule::nn::{Group, Regulariser, Sequential, build_optimiser};
use chainrule::prelude::*;

/// The optimiser, with the groups of parameters that it treats otherwise.
pub fn optimiser(section: &mut Section, model: &Sequential) -> Result<Box<dyn Optimiser>, Problem> {
    let kind: String = section.required("type")?;
    let built = build_optimiser(&kind, &mut section.arguments);
    let mut built = built.map_err(|error| section.explain(&error))?;
    read_groups(&mut section.parts, &mut *built, model)?;
    Ok(built)
}

/// `[[optimiser.groups]]`: what parameters are treated otherwise.
fn read_groups(
    groups: &mut [Section],
    optimiser: &mut dyn Optimiser,
    model: &Sequential,
) -> Result<(), Problem> {
    for section in groups {
        let group = Group::configured(&mut section.arguments);
        let group = group.map_err(|error| section.explain(&error))?;
        if !group.matches_any(model) {
            return Err(section.problem("parameters", nothing_matches(model)));
        }
        if !optimiser.add_group(group) {
            let message = format!("{} treats all parameters alike", optimiser.name());
            return Err(section.whole(message));
        }
    }
    Ok(())
}

/// A pattern that no parameter matches is probably misspelt.
fn nothing_matches(model: &Sequential) -> String {
    let names: Vec<String> = model
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let shown = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
    let more = if names.len() > 8 { ", ..." } else { "" };
    format!("no parameter matches; there are {shown}{more}")
}

/// The schedule, and whether it counts epochs.
pub fn schedule(section: &mut Section) -> Result<(Box<dyn Schedule>, bool), Problem> {
    let kind: String = section.required("type")?;
    let by: String = section.optional("by", "step".to_owned())?;
    if !["step", "epoch"].contains(&by.as_str()) {
        return Err(section.problem(
            "by",
            format!("`by` is \"{by}\"; expected \"step\" or \"epoch\""),
        ));
    }
    let built = match kind.as_str() {
        SEQUENCE => read_sequence(section)?,
        _ if !section.parts.is_empty() => {
            let message = format!("only `type = \"{SEQUENCE}\"` has stages");
            return Err(section.parts[0].whole(message));
        }
        _ => {
            let schedule = build_schedule(&kind, &mut section.arguments);
            schedule.map_err(|error| section.explain(&error))?
        }
    };
    Ok((built, by == "epoch"))
}

/// The schedule made of `[[schedule.stages]]`.
const SEQUENCE: &str = "sequence";

/// One schedule after another: each stage begins, with its own step 0, at the step `from`.
fn read_sequence(section: &mut Section) -> Result<Box<dyn Schedule>, Problem> {
    section.finish()?;
    let mut sequence: Option<(Sequence, u64)> = None;
    for stage in &mut section.parts {
        let kind: String = stage.required("type")?;
        let from: usize = stage.optional("from", 0)?;
        let schedule = build_schedule(&kind, &mut stage.arguments);
        let schedule = schedule.map_err(|error| stage.explain(&error))?;
        let from = from as u64;
        sequence = Some(match sequence {
            None if from == 0 => (Sequence::new(schedule), 0),
            None => return Err(stage.problem("from", "the first stage begins at step 0")),
            Some((_, last)) if from <= last => {
                let message = format!("`from` is {from}; the stage before begins at {last}");
                return Err(stage.problem("from", message));
            }
            Some((stages, _)) => (stages.then(from, schedule), from),
        });
    }
    let (sequence, _) = sequence
        .ok_or_else(|| section.whole("a sequence needs stages: add `[[schedule.stages]]`"))?;
    Ok(Box::new(sequence))
}

pub fn regulariser(section: &mut Section) -> Result<Regulariser, Problem> {
    let mut penalty = Regulariser::elastic(strength(section, "l2")?, strength(section, "l1")?);
    for pattern in section.optional::<Vec<String>>("except", Vec::new())? {
        penalty = penalty.except(pattern);
    }
    section.finish()?;
    for group in &mut section.parts {
        let pattern: String = group.required("parameters")?;
        let (l2, l1) = (strength(group, "l2")?, strength(group, "l1")?);
        group.finish()?;
        penalty = penalty.group(pattern, l2, l1);
    }
    Ok(penalty)
}

/// How strong a penalty is: none where nothing is said.
fn strength(section: &mut Section, name: &'static str) -> Result<f64, Problem> {
    let strength: f64 = section.optional(name, 0.0)?;
    match strength >= 0.0 && strength.is_finite() {
        true => Ok(strength),
        false => Err(section.problem(
            name,
            format!("`{name}` is {strength}; expected a number that is not negative"),
        )),
    }
}
