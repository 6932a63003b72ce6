//! Derivatives for the model: the adjoint or tangent of every node, and the local derivatives between them.

use super::evaluate::evaluate_one;
use super::function::{Function, array, refused};
use super::graph::{Computed, Recorded, is_diagonal, recorded};
use super::problem::Problem;
use super::value::{Value, from_numbers};
use chainrule::view::Array;
use chainrule::view::local;
use chainrule::view::{Direction, Kind, Local, Model, Node, Structure};
use chainrule::{DType, ErrorKind, Tensor, attempt, jacrev, jvp, vjp};

/// Whole local Jacobians with more elements are not computed.
const LARGEST_JACOBIAN: usize = 4096;
/// Forward mode takes a pass for each element.
const MOST_PASSES: usize = 256;

/// The model of a function in reverse mode, or without derivatives if there is no cotangent.
pub fn reverse(function: &Function, cotangent: Option<&Tensor>) -> Result<Model, Problem> {
    let evaluated = function.evaluated(&function.inputs)?;
    let mut recorded = recorded(function, &evaluated);
    let Some(cotangent) = cotangent else {
        locals(function, &evaluated.values, &mut recorded);
        return Ok(model(function, recorded, Direction::None));
    };
    let adjoints = function.adjoints(&recorded.computed, cotangent)?;
    let reaches = reaches(&recorded);
    for (computed, adjoint) in recorded.computed.iter().zip(adjoints.computed) {
        let floating = computed.tensor.dtype().is_floating();
        if reaches[computed.node] && floating {
            recorded.nodes[computed.node].derivative = adjoint;
        }
    }
    for (variable, adjoint) in adjoints.inputs.into_iter().enumerate() {
        recorded.nodes[variable].derivative = Some(adjoint);
    }
    locals(function, &evaluated.values, &mut recorded);
    keep(&mut recorded);
    Ok(model(function, recorded, Direction::Reverse))
}

/// The model in forward mode: tangents by one variable. By an array there is one tangent for each element; they are the
/// last axes.
pub fn forward(function: &Function, input: usize) -> Result<Model, Problem> {
    let evaluated = function.evaluated(&function.inputs)?;
    let mut recorded = recorded(function, &evaluated);
    let tangents = function.tangents(&recorded.computed, input)?;
    let depends = depends(&recorded, input);
    for (computed, tangent) in recorded.computed.iter().zip(tangents) {
        if depends[computed.node] && computed.tensor.dtype().is_floating() {
            recorded.nodes[computed.node].derivative = Some(tangent);
        }
    }
    let own = &recorded.nodes[input].value;
    recorded.nodes[input].derivative = Some(identity(&own.shape));
    locals(function, &evaluated.values, &mut recorded);
    Ok(model(function, recorded, Direction::Forward { input }))
}

fn model(function: &Function, recorded: Recorded, direction: Direction) -> Model {
    Model {
        expression: function.text.clone(),
        nodes: recorded.nodes,
        result: recorded.result,
        outputs: vec![recorded.result],
        direction,
    }
}

/// The derivative of an array by itself.
fn identity(shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    let mut identity = Array::zeros(&[shape, shape].concat());
    for at in 0..count {
        identity.elements[at * count + at] = 1.0;
    }
    identity
}

/// Which nodes the result depends on.
fn reaches(recorded: &Recorded) -> Vec<bool> {
    let mut reaches = vec![false; recorded.nodes.len()];
    reaches[recorded.result] = true;
    for at in (0..recorded.nodes.len()).rev() {
        if reaches[at] {
            for &input in &recorded.nodes[at].inputs {
                reaches[input] = true;
            }
        }
    }
    reaches
}

/// Which nodes depend on a variable.
fn depends(recorded: &Recorded, input: usize) -> Vec<bool> {
    let mut depends = vec![false; recorded.nodes.len()];
    depends[input] = true;
    for (at, node) in recorded.nodes.iter().enumerate() {
        depends[at] |= node.inputs.iter().any(|&input| depends[input]);
    }
    depends
}

/// The adjoints of the variables and of what was computed.
struct Adjoints {
    inputs: Vec<Array>,
    computed: Vec<Option<Array>>,
}

impl Function {
    /// The adjoints of everything in one pass: the gradient by numbers added to each value. Where only comparisons and
    /// the like lead to the result, nothing changes with a value: an input has a zero gradient, a node none.
    fn adjoints(&self, computed: &[Computed], cotangent: &Tensor) -> Result<Adjoints, Problem> {
        let moves = computed.iter().map(|computed| zeros(&computed.tensor));
        let at: Vec<Tensor> = self.inputs.iter().cloned().chain(moves).collect();
        let mut found: Vec<Option<Array>> = vec![None; at.len()];
        // Truth values cannot be moved.
        let floating = |position: &usize| {
            let computed = position
                .checked_sub(self.inputs.len())
                .map(|at| &computed[at]);
            computed.is_none_or(|computed| computed.tensor.dtype().is_floating())
        };
        let mut groups: Vec<Vec<usize>> = vec![(0..at.len()).filter(floating).collect()];
        while let Some(group) = groups.pop() {
            let chosen: Vec<Tensor> = group.iter().map(|&position| at[position].clone()).collect();
            let pulled = attempt(|| {
                let with = |moved: &Vec<Tensor>| {
                    let mut all = at.clone();
                    for (&position, tensor) in group.iter().zip(moved) {
                        all[position] = tensor.clone();
                    }
                    let (inputs, moves) = all.split_at(self.inputs.len());
                    self.moved(inputs, moves).result.tensor().cast(DType::F64)
                };
                vjp(with, &chosen, |_| cotangent.clone()).1
            });
            match pulled {
                Ok(pulled) => {
                    for (&position, adjoint) in group.iter().zip(&pulled) {
                        found[position] = Some(array(adjoint));
                    }
                }
                // One of the group has no derivative; the others have.
                Err(error) if error.kind() == ErrorKind::Derivative => {
                    if group.len() > 1 {
                        let (first, second) = group.split_at(group.len() / 2);
                        groups.extend([first.to_vec(), second.to_vec()]);
                    }
                }
                Err(error) => return Err(refused(&error)),
            }
        }
        let computed = found.split_off(self.inputs.len());
        let inputs = found.into_iter().zip(&self.inputs);
        let inputs =
            inputs.map(|(found, input)| found.unwrap_or_else(|| Array::zeros(&array(input).shape)));
        Ok(Adjoints {
            inputs: inputs.collect(),
            computed,
        })
    }

    /// The tangents of what was computed, by each element of a variable.
    fn tangents(&self, computed: &[Computed], input: usize) -> Result<Vec<Array>, Problem> {
        let own = array(&self.inputs[input]);
        let count = own.elements.len();
        if count > MOST_PASSES {
            return Err(Problem::new(format!(
                "forward mode takes a pass for each of the {count} elements of `{}`; at most {MOST_PASSES} are shown",
                self.names[input]
            ))
            .help("reverse mode takes one pass for all"));
        }
        let mut tangents: Vec<Array> = computed
            .iter()
            .map(|computed| {
                Array::zeros(&[array(&computed.tensor).shape, own.shape.clone()].concat())
            })
            .collect();
        for element in 0..count {
            let mut direction = Array::zeros(&own.shape);
            direction.elements[element] = 1.0;
            let direction = from_numbers(direction.elements, self.inputs[input].shape());
            let pushed = attempt(|| {
                let with = |moved: &Tensor| {
                    let mut inputs = self.inputs.clone();
                    inputs[input] = moved.clone();
                    let records = self.moved(&inputs, &[]).records;
                    let computed = records
                        .into_iter()
                        .filter(|record| record.expression.is_some());
                    computed
                        .map(|record| record.tensor.cast(DType::F64))
                        .collect::<Vec<Tensor>>()
                };
                jvp(with, &self.inputs[input], &direction).1
            });
            match pushed {
                Ok(pushed) => {
                    for (tangent, pushed) in tangents.iter_mut().zip(&pushed) {
                        for (at, number) in array(pushed).elements.into_iter().enumerate() {
                            tangent.elements[at * count + element] = number;
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::Derivative => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        Ok(tangents)
    }
}

fn zeros(tensor: &Tensor) -> Tensor {
    from_numbers(vec![0.0; tensor.elements()], tensor.shape())
}

/// The local derivatives of all nodes.
fn locals(function: &Function, values: &[Value], recorded: &mut Recorded) {
    let nodes = &mut recorded.nodes;
    for computed in &recorded.computed {
        let at = computed.node;
        let locals = (0..computed.operands.len())
            .map(|position| {
                let source = nodes[at].inputs[position];
                let floating = computed.tensor.dtype().is_floating();
                if nodes[source].kind == Kind::Constant || !floating {
                    return None;
                }
                let edge = Edge {
                    function,
                    values,
                    computed,
                    position,
                };
                edge.local(nodes)
            })
            .collect();
        nodes[at].locals = locals;
    }
}

/// One input of one node.
struct Edge<'a> {
    function: &'a Function,
    values: &'a [Value],
    computed: &'a Computed,
    position: usize,
}

impl Edge<'_> {
    /// The node's value as a function of this input alone.
    fn apply(&self, operand: &Tensor) -> Tensor {
        if self.computed.adapts {
            return operand.expand(self.computed.tensor.shape());
        }
        let instead = (
            self.computed.operands[self.position],
            Value::Tensor(operand.clone()),
        );
        let function = self.function;
        let value = evaluate_one(
            &function.program,
            &function.text,
            self.computed.expression,
            self.values,
            instead,
        );
        match value {
            Ok(value) => value.tensor(),
            Err(problem) => function.give_up(&problem),
        }
    }

    fn local(&self, nodes: &[Node]) -> Option<Local> {
        let node = &nodes[self.computed.node];
        let source = &nodes[node.inputs[self.position]];
        let operand = self.computed.values[self.position].tensor();
        if !operand.dtype().is_floating() {
            return None;
        }
        let pulled = |cotangent: &Tensor| {
            let pulled =
                attempt(|| vjp(|x: &Tensor| self.apply(x), &operand, |_| cotangent.clone()).1);
            pulled.ok().map(|pulled| array(&pulled))
        };
        let formula = local::formula(nodes, self.computed.node, self.position)
            .unwrap_or_else(|| format!("∂{}/∂{}", node.label, source.label));
        let adjoint = node
            .derivative
            .as_ref()
            .filter(|adjoint| adjoint.shape == node.value.shape);
        if is_diagonal(nodes, self.computed.node, self.position) {
            let value = pulled(&self.computed.tensor.ones_like())?;
            let contribution = adjoint.map(|adjoint| Array {
                elements: value
                    .elements
                    .iter()
                    .zip(&adjoint.elements)
                    .map(|(l, a)| l * a)
                    .collect(),
                ..value.clone()
            });
            let tied = matches!(node.primitive.as_str(), "maximum" | "minimum")
                && value.elements.contains(&0.5);
            let formula = if tied {
                "half where both are equal".to_owned()
            } else {
                formula
            };
            return Some(Local {
                formula,
                value: Some(value),
                structure: Structure::Diagonal,
                contribution,
            });
        }
        let shape = self.computed.tensor.shape();
        let contribution = match adjoint {
            Some(adjoint) => Some(pulled(&from_numbers(adjoint.elements.clone(), shape))?),
            None => None,
        };
        let small = operand.elements() * self.computed.tensor.elements() <= LARGEST_JACOBIAN;
        let value = match small {
            true => attempt(|| jacrev(|x: &Tensor| self.apply(x))(&operand))
                .ok()
                .map(|j| array(&j)),
            false => None,
        };
        (value.is_some() || contribution.is_some()).then_some(Local {
            formula,
            value,
            structure: Structure::Dense,
            contribution,
        })
    }
}

/// Marks the values that the backward pass reads: those in the formulas of the derivatives that flow.
fn keep(recorded: &mut Recorded) {
    let nodes = &mut recorded.nodes;
    for computed in &recorded.computed {
        let at = computed.node;
        if nodes[at].derivative.is_none() {
            continue;
        }
        for position in 0..nodes[at].locals.len() {
            if nodes[at].locals[position].is_none() {
                continue;
            }
            let inputs = nodes[at].inputs.clone();
            let (read, result) = local::kept(&nodes[at].primitive, position);
            for position in read {
                if let Some(&input) = inputs.get(position) {
                    nodes[input].kept = true;
                }
            }
            nodes[at].kept |= result;
        }
    }
}
