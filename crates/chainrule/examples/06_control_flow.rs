//! Control flow is Rust's own: `while`, `if`, recursion. A gradient follows the way that was taken.

use chainrule::prelude::*;

/// The square root by Newton's iteration, as many steps as it takes.
fn square_root(x: &Tensor) -> Tensor {
    let mut root = x * 1.0;
    let mut steps = 0;
    while (&root * &root - x).abs().item::<f64>() > 1e-12 {
        root = (&root + x / &root) * 0.5;
        steps += 1;
    }
    println!("    (took {steps} steps)");
    root
}

/// An arithmetic expression.
enum Expression {
    Variable(usize),
    Number(f64),
    Sum(Box<Expression>, Box<Expression>),
    Product(Box<Expression>, Box<Expression>),
}

use Expression::{Number, Product, Sum, Variable};

impl Expression {
    fn value(&self, variables: &[Tensor]) -> Tensor {
        match self {
            Variable(index) => variables[*index].clone(),
            Number(number) => Tensor::from(*number),
            Sum(left, right) => left.value(variables) + right.value(variables),
            Product(left, right) => left.value(variables) * right.value(variables),
        }
    }
}

/// An early return: the penalty counts only outside of the unit interval.
fn penalty(x: &Tensor) -> Tensor {
    if x.item::<f64>() < 0.0 {
        return x.square();
    }
    if x.item::<f64>() > 1.0 {
        return (x - 1.0).square();
    }
    x * 0.0
}

fn main() {
    for number in [2.0f64, 1e6] {
        let (root, slope) = value_and_grad(square_root)(&Tensor::from(number));
        let expected = 0.5 / number.sqrt();
        println!("root of {number}: {root:#}, derivative {slope:#}, by hand {expected:.4}");
    }

    // (a + 3) (a b): a tree walked by recursion.
    let expression = Product(
        Box::new(Sum(Box::new(Variable(0)), Box::new(Number(3.0)))),
        Box::new(Product(Box::new(Variable(0)), Box::new(Variable(1)))),
    );
    let variables = vec![Tensor::from(2.0), Tensor::from(5.0)];
    let (value, slopes) = value_and_grad(|v: &Vec<Tensor>| expression.value(v))(&variables);
    println!(
        "(a + 3) (a b) = {value:#}, by a {:#}, by b {:#}",
        slopes[0], slopes[1]
    );

    for x in [-0.5, 0.5, 1.5] {
        println!("penalty'({x}) = {:#}", grad(penalty)(&Tensor::from(x)));
    }
}
