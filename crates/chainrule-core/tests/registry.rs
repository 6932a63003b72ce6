//! Every declared operation, checked from every side. There is no list of names here: the registry is the list.

use chainrule_core::check::gradients;
use chainrule_core::declare::registry;
use std::collections::HashSet;

#[test]
fn every_declaration_holds() {
    let mut findings = Vec::new();
    let mut samples = 0;
    for entry in registry() {
        for sample in (entry.samples)() {
            samples += 1;
            findings.extend(gradients::sample(&sample));
        }
    }
    assert!(samples > 0, "the registry is not empty");
    assert!(
        findings.is_empty(),
        "{} findings on {samples} samples:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

#[test]
fn entries_are_distinct() {
    let mut names = HashSet::new();
    for entry in registry() {
        assert!(
            names.insert((entry.name)()),
            "{} is registered twice",
            (entry.name)()
        );
    }
}

/// A linear reference value run on sets of elements gives the sparsity pattern of its Jacobian, which must not miss an
/// entry of the dense one.
#[test]
fn linear_reference_values_run_on_sets() {
    use chainrule_core::declare::{Array, Data, Derivative, Evaluation, SampleInput, Set};
    use chainrule_core::{Tensor, jvp};
    let mut checked = 0;
    for entry in registry() {
        for sample in (entry.samples)() {
            let operation = &sample.operation;
            let (Derivative::Linear(linear), Evaluation::Reference(reference)) =
                (operation.derivative(), operation.evaluation())
            else {
                continue;
            };
            let free: Vec<usize> = (0..sample.inputs.len())
                .filter(|&at| !linear.is_fixed(at))
                .collect();
            let [free] = free[..] else { continue };
            let SampleInput::Real(shape, _) = &sample.inputs[free] else {
                continue;
            };
            let count = shape.elements();
            let inputs: Vec<Tensor> = sample
                .inputs
                .iter()
                .map(|input| match input {
                    SampleInput::Real(shape, _) => {
                        Tensor::from_vec(vec![0.5; shape.elements()], shape)
                    }
                    SampleInput::Integers(shape, values) => Tensor::from_vec(values.clone(), shape),
                    other => panic!("{other:?}"),
                })
                .collect();
            let arrays: Vec<Array> = sample
                .inputs
                .iter()
                .enumerate()
                .map(|(at, input)| match input {
                    SampleInput::Integers(shape, values) => {
                        Array::new(shape, Data::I64(values.clone()))
                    }
                    _ if at == free => {
                        let sets = (0..count as u32)
                            .map(|element| Set(vec![element]))
                            .collect();
                        Array::new(shape, Data::Sets(sets))
                    }
                    other => panic!("{other:?}"),
                })
                .collect();
            let specs: Vec<_> = inputs.iter().map(Tensor::spec).collect();
            let outputs = operation.infer(&specs).unwrap();
            let pattern = reference.value(&arrays, &outputs).unwrap().remove(0);
            let Data::Sets(pattern) = pattern.data else {
                panic!("sets in, sets out")
            };
            for element in 0..count {
                let mut direction = vec![0.0; count];
                direction[element] = 1.0;
                let f = |x: &Tensor| {
                    let mut arguments: Vec<&Tensor> = inputs.iter().collect();
                    arguments[free] = x;
                    operation.of(&arguments)
                };
                let column = jvp(f, &inputs[free], &Tensor::from_vec(direction, shape))
                    .1
                    .to_vec::<f64>();
                for (row, entry) in column.into_iter().enumerate() {
                    let listed = pattern[row].0.contains(&(element as u32));
                    assert_eq!(
                        listed,
                        entry != 0.0,
                        "{}: row {row}, column {element}",
                        operation.name()
                    );
                }
            }
            checked += 1;
        }
    }
    assert!(checked >= 20, "only {checked} samples were checked");
}
