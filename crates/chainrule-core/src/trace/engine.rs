//! A recorded computation compiled for repetition: inputs in, results out, nothing recorded again.

use super::scalar::ScalarProgram;
use crate::backend::{Source, Task, TaskStep, Value};
use crate::error::Error;
use crate::graph::walk::recorded_below;
use crate::graph::{Device, Few, IdMap, Kind};
use crate::tensor::Tensor;
use std::collections::HashMap;

/// What computes some results from some inputs.
pub(super) struct Engine {
    task: Task,
    device: Device,
    /// The leaves that are given with each run: (leaf, input).
    given: Vec<(u32, u32)>,
    results: Vec<Source>,
    scalar: Option<ScalarProgram>,
}

impl Engine {
    /// The computation by which `results` depend on `inputs`; what does not depend on them is computed now.
    pub(super) fn new(inputs: &[Tensor], results: &[Tensor]) -> Engine {
        let mut builder = Builder {
            inputs: HashMap::new(),
            steps: Vec::new(),
            rows: IdMap::new(),
            leaves: Vec::new(),
            leaf_specs: Vec::new(),
            known: HashMap::new(),
            given: Vec::new(),
        };
        for (number, input) in inputs.iter().enumerate() {
            builder.inputs.insert(input.key(), number as u32);
        }
        let steps = recorded_below(inputs, results);
        for step in steps
            .iter()
            .filter(|step| step.node.is_abstract() && step.node.kind != Kind::Placeholder)
        {
            let sources = Few::of(&step.inputs, |input| builder.source(input));
            builder
                .rows
                .insert(step.node.id, builder.steps.len() as u32);
            builder
                .steps
                .push(TaskStep::new(step.node.clone(), sources));
        }
        let results: Vec<Source> = results
            .iter()
            .map(|result| builder.source(result))
            .collect();
        for result in &results {
            if let Source::Step(step, _) = *result {
                builder.steps[step as usize].keep();
            }
        }
        let device = inputs.first().map_or(Device::CPU, Tensor::device);
        let task = Task::new(builder.steps, builder.leaves, builder.leaf_specs);
        let scalar = ScalarProgram::of(&task, &builder.given, &results);
        if scalar.is_none() && !task.steps().is_empty() {
            device.backend().prepare(&task);
        }
        Engine {
            task,
            device,
            given: builder.given,
            results,
            scalar,
        }
    }

    /// Computes the results for the values of all inputs.
    pub(super) fn run(&mut self, inputs: &[Value]) -> Result<Vec<Value>, Error> {
        if let Some(scalar) = &mut self.scalar {
            return Ok(scalar.run(inputs));
        }
        for &(leaf, input) in &self.given {
            self.task.set_leaf(leaf, inputs[input as usize].clone());
        }
        let computed = match self.task.steps().is_empty() {
            true => Vec::new(),
            false => self.device.backend().evaluate(&self.task)?,
        };
        let value_of = |step: u32, output: u32| {
            let found = computed.binary_search_by_key(&step, |(step, _)| *step);
            computed[found.expect("results are kept")].1[output as usize].clone()
        };
        let results = self.results.iter().map(|result| match *result {
            Source::Leaf(leaf) => self.task.leaves()[leaf as usize].clone(),
            Source::Step(step, output) => value_of(step, output),
        });
        Ok(results.collect())
    }
}

struct Builder {
    inputs: HashMap<(u64, u32), u32>,
    steps: Vec<TaskStep>,
    rows: IdMap,
    leaves: Vec<Value>,
    leaf_specs: Vec<(crate::graph::SharedSpecs, u32)>,
    known: HashMap<(u64, u32), u32>,
    given: Vec<(u32, u32)>,
}

impl Builder {
    fn source(&mut self, tensor: &Tensor) -> Source {
        let key = tensor.key();
        if let Some(&leaf) = self.known.get(&key) {
            return Source::Leaf(leaf);
        }
        if let Some(&input) = self.inputs.get(&key) {
            let leaf = self.leaf(tensor, Value::Filled(crate::backend::Scalar::Float(0.0)));
            self.given.push((leaf, input));
            return Source::Leaf(leaf);
        }
        if let Some(row) = self.rows.get(tensor.id()) {
            return Source::Step(row, tensor.edge().output);
        }
        let value = tensor.known_value();
        Source::Leaf(self.leaf(tensor, value))
    }

    fn leaf(&mut self, tensor: &Tensor, value: Value) -> u32 {
        let leaf = self.leaves.len() as u32;
        self.leaves.push(value);
        self.leaf_specs
            .push((tensor.node().specs.clone(), tensor.edge().output));
        self.known.insert(tensor.key(), leaf);
        leaf
    }
}
