//! From what goes into attention to queries, keys and values.

use crate::Parameter;
use chainrule_core::Tensor;
use chainrule_derive::Module;

/// The weights that make queries, keys and values.
#[derive(Clone, Debug, Module)]
pub enum AttentionInputs {
    /// All three have the same width: one matrix makes them by one product.
    Joint {
        /// `[3 features, features]`: the rows of queries, keys, values.
        weight: Parameter,
        /// `[3 features]`.
        bias: Option<Parameter>,
    },
    /// Keys or values are made of vectors of another width.
    Separate {
        /// `[features, features]`.
        query: Parameter,
        /// `[features, width of keys]`.
        key: Parameter,
        /// `[features, width of values]`.
        value: Parameter,
        /// `[3 features]`: of queries, keys, values.
        bias: Option<Parameter>,
    },
}

impl AttentionInputs {
    /// Weights uniform in ±√(6 / (inputs + outputs)) (Glorot, Bengio 2010), biases 0.
    #[track_caller]
    pub(super) fn drawn(features: usize, keys: usize, values: usize) -> AttentionInputs {
        let weight = |outputs: usize, inputs: usize| {
            let bound = (6.0 / (inputs + outputs).max(1) as f64).sqrt();
            Parameter::new(Tensor::uniform([outputs, inputs], -bound, bound))
        };
        let bias = Some(Parameter::new(Tensor::zeros([3 * features])));
        if keys == features && values == features {
            return AttentionInputs::Joint {
                weight: weight(3 * features, features),
                bias,
            };
        }
        AttentionInputs::Separate {
            query: weight(features, features),
            key: weight(features, keys),
            value: weight(features, values),
            bias,
        }
    }

    pub(super) fn without_bias(self) -> AttentionInputs {
        match self {
            AttentionInputs::Joint { weight, .. } => AttentionInputs::Joint { weight, bias: None },
            AttentionInputs::Separate {
                query, key, value, ..
            } => AttentionInputs::Separate {
                query,
                key,
                value,
                bias: None,
            },
        }
    }

    /// The widths of what goes in as query, key and value.
    pub(super) fn widths(&self) -> [usize; 3] {
        match self {
            AttentionInputs::Joint { weight, .. } => [weight.shape()[1]; 3],
            AttentionInputs::Separate {
                query, key, value, ..
            } => [query, key, value].map(|weight| weight.shape()[1]),
        }
    }

    /// Queries, keys and values, `[.., features]` each. Operands that are one and the same tensor share a product.
    #[track_caller]
    pub(super) fn of(&self, query: &Tensor, key: &Tensor, value: &Tensor) -> [Tensor; 3] {
        match self {
            AttentionInputs::Joint { weight, bias } => {
                joint(weight, bias.as_deref(), [query, key, value])
            }
            AttentionInputs::Separate {
                query: of_query,
                key: of_key,
                value: of_value,
                bias,
            } => {
                let features = of_query.shape()[0];
                let part = |x: &Tensor, weight: &Parameter, position: usize| {
                    let bias = bias.as_ref();
                    let bias = bias.map(|bias| bias.narrow(0, position * features, features));
                    x.linear(weight, bias.as_ref())
                };
                [
                    part(query, of_query, 0),
                    part(key, of_key, 1),
                    part(value, of_value, 2),
                ]
            }
        }
    }
}

#[track_caller]
fn joint(weight: &Tensor, bias: Option<&Tensor>, operands: [&Tensor; 3]) -> [Tensor; 3] {
    let features = weight.shape()[1];
    let [query, key, value] = operands;
    // The products of rows from `first` on, `count` of the three at once.
    let product = |x: &Tensor, first: usize, count: usize| {
        if count == 3 {
            return x.linear(weight, bias);
        }
        let rows = |all: &Tensor| all.narrow(0, first * features, count * features);
        x.linear(&rows(weight), bias.map(rows).as_ref())
    };
    let part = |all: &Tensor, position: usize| all.narrow(-1, position * features, features);
    if std::ptr::eq(query, key) && std::ptr::eq(key, value) {
        let all = product(query, 0, 3);
        return [0, 1, 2].map(|position| part(&all, position));
    }
    if std::ptr::eq(key, value) {
        let both = product(key, 1, 2);
        return [product(query, 0, 1), part(&both, 0), part(&both, 1)];
    }
    [
        product(query, 0, 1),
        product(key, 1, 1),
        product(value, 2, 1),
    ]
}
