//! `[model]`: layers by their names, or an architecture by its.

use super::architectures;
use super::config::{Config, Problem, Section};
use super::data::Task;
use chainrule::nn::{AnyLayer, Arguments, Module, Sequential, buffers_unchanged, build_layer};
use chainrule::prelude::*;

/// Layers put one behind the other, with the shape that the next one will get.
pub struct Stack {
    layers: Vec<AnyLayer>,
    /// Zeros of the shape of the present output: computing with them is only recorded.
    output: Tensor,
}

impl Stack {
    /// For inputs of this shape, without the axis of the batch.
    pub fn new(input: &Shape, dtype: DType) -> Stack {
        let mut shape = vec![2];
        shape.extend(input.iter());
        Stack {
            layers: Vec::new(),
            output: Tensor::zeros(shape).cast(dtype),
        }
    }

    /// The shape of the output so far, the axis of the batch first.
    pub fn shape(&self) -> &Shape {
        self.output.shape()
    }

    /// Adds the layer called `kind`.
    pub fn push(
        &mut self,
        kind: &str,
        arguments: &mut Arguments,
    ) -> Result<(), chainrule::nn::ArgumentError> {
        let layer = build_layer(kind, arguments, self.output.shape())?;
        self.append(layer, arguments)
    }

    /// Adds a layer that is there already; `arguments` are what it was made of, for messages.
    pub fn append(
        &mut self,
        layer: AnyLayer,
        arguments: &Arguments,
    ) -> Result<(), chainrule::nn::ArgumentError> {
        let mut passive = layer.clone();
        passive.eval();
        let output = attempt(|| buffers_unchanged(|| untracked(|| passive.forward(&self.output))));
        self.output = output.map_err(|error| {
            let input = self.output.shape();
            arguments.problem(
                "type",
                format!(
                    "it does not take inputs of shape {input}: {}",
                    error.message()
                ),
            )
        })?;
        self.layers.push(layer);
        Ok(())
    }

    pub fn finish(self) -> Sequential {
        self.layers.into_iter().collect()
    }
}

/// The model that a configuration describes.
pub fn build(
    config: &mut Config,
    input: &Shape,
    dtype: DType,
    task: &Task,
) -> Result<Sequential, Problem> {
    let mut stack = Stack::new(input, dtype);
    if let Some(name) = config.model.given::<String>("architecture")? {
        if let Some(layer) = config.model.parts.first() {
            return Err(layer.whole("a model has an architecture or layers of its own, not both"));
        }
        let architecture = architectures::find(&name)
            .map_err(|message| config.model.problem("architecture", message))?;
        let built = (architecture.build)(&mut config.model.arguments, &mut stack, task.outputs());
        built.map_err(|error| config.model.explain(&error))?;
        config.model.finish()?;
        return checked(stack, task, &config.model);
    }
    config.model.finish()?;
    if config.model.parts.is_empty() {
        return Err(config
            .model
            .whole("the model has no layers: add `[[model.layers]]`, or name an `architecture`"));
    }
    for layer in &mut config.model.parts {
        let kind: String = layer.required("type")?;
        let built = stack.push(&kind, &mut layer.arguments);
        built.map_err(|error| layer.explain(&error))?;
    }
    let last = config.model.parts.last().expect("there is one");
    checked(stack, task, last)
}

/// The outputs must be as many as there are classes or targets.
fn checked(stack: Stack, task: &Task, last: &Section) -> Result<Sequential, Problem> {
    let outputs = stack.shape().last().copied();
    if outputs != Some(task.outputs()) {
        let wanted = match task {
            Task::Classes(names) => format!("the data has {} classes", names.len()),
            Task::Numbers(count) => format!("the data has {count} targets"),
        };
        let message = format!(
            "the model returns shape {}; {wanted}, so its last axis should be {}",
            stack.shape(),
            task.outputs()
        );
        return Err(last.whole(message));
    }
    Ok(stack.finish())
}
