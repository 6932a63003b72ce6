//! What an expression evaluates to: numbers and constants, which are folded, and tensors that depend on a variable.

use chainrule::{DType, Scalar, Shape, Tensor};

/// The value of an expression.
#[derive(Clone)]
pub enum Value {
    /// A number that depends on no variable; it takes the shape of what it is combined with.
    Number(f64),
    /// An array that depends on no variable.
    Constant(Tensor),
    /// Depends on a variable.
    Tensor(Tensor),
}

impl Value {
    /// The constant that `tensor` holds, computed: a number if it has no axes.
    pub fn folded(tensor: &Tensor) -> Value {
        if tensor.rank() == 0 {
            Value::Number(number(tensor))
        } else {
            Value::Constant(from_numbers(numbers(tensor), tensor.shape()))
        }
    }

    pub fn is_constant(&self) -> bool {
        !matches!(self, Value::Tensor(_))
    }

    /// As a tensor of its own shape.
    pub fn tensor(&self) -> Tensor {
        match self {
            Value::Number(number) => Tensor::from(*number),
            Value::Constant(tensor) | Value::Tensor(tensor) => tensor.clone(),
        }
    }

    /// As a tensor beside `partner`: a number gets the partner's shape, so that nothing need be repeated.
    pub fn beside(&self, partner: &Value) -> Tensor {
        match (self, partner) {
            (Value::Number(number), Value::Constant(partner) | Value::Tensor(partner)) => {
                Tensor::full_as(partner.shape(), Scalar::Float(*number), DType::F64)
            }
            _ => self.tensor(),
        }
    }

    /// The shape, for messages.
    pub fn shape(&self) -> Shape {
        match self {
            Value::Number(_) => Shape::default(),
            Value::Constant(tensor) | Value::Tensor(tensor) => tensor.shape().clone(),
        }
    }
}

/// A tensor of `f64` with these elements in row-major order.
pub fn from_numbers(numbers: Vec<f64>, shape: &Shape) -> Tensor {
    Tensor::from_vec(numbers, shape)
}

/// The elements in row-major order; truth values are 1 and 0.
pub fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.cast(DType::F64).to_vec::<f64>()
}

/// The only element.
pub fn number(tensor: &Tensor) -> f64 {
    tensor.cast(DType::F64).item::<f64>()
}
