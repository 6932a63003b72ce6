//! What printed tensors look like.

use chainrule_core::{DType, Device, Tensor, tensor, vmap};

#[test]
fn columns_are_aligned() {
    let x = tensor![[1.0, -2.5], [10.25, 0.0]];
    let expected = "[[ 1.  , -2.5 ],\n [10.25,  0.  ]]  shape [2, 2], f32";
    assert_eq!(x.to_string(), expected);
    assert_eq!(
        tensor![1, -20, 3].to_string(),
        "[  1, -20,   3]  shape [3], i64"
    );
    assert_eq!(
        tensor![true, false].to_string(),
        "[ true, false]  shape [2], bool"
    );
    assert_eq!(tensor![1.0, 2.0].to_string(), "[1., 2.]  shape [2], f32");
}

#[test]
fn matrices_are_set_apart() {
    let x = tensor![[[1], [2]], [[3], [4]]];
    assert_eq!(
        x.to_string(),
        "[[[1],\n  [2]],\n\n [[3],\n  [4]]]  shape [2, 2, 1], i64"
    );
}

#[test]
fn scalars_and_empty_tensors() {
    assert_eq!(Tensor::from(2.5).to_string(), "2.5  shape [], f64");
    assert_eq!(Tensor::from(7i32).to_string(), "7  shape [], i32");
    assert_eq!(Tensor::zeros([0]).to_string(), "[]  shape [0], f32");
    assert_eq!(
        Tensor::zeros([2, 0]).to_string(),
        "[[],\n []]  shape [2, 0], f32"
    );
}

#[test]
fn special_values_and_halves() {
    let odd = tensor![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1.5];
    assert_eq!(odd.to_string(), "[ NaN,  inf, -inf,  1.5]  shape [4], f32");
    assert_eq!(
        tensor![0.1].cast(DType::BF16).to_string(),
        "[0.1001]  shape [1], bf16"
    );
    assert_eq!(tensor![f64::NAN].to_string(), "[NaN]  shape [1], f32");
}

#[test]
fn exponents_when_the_range_demands() {
    let x = Tensor::from(vec![1e-7, 2.0]);
    assert_eq!(x.to_string(), "[1.0000e-07, 2.0000e+00]  shape [2], f64");
    assert_eq!(
        Tensor::from(6.02e23).to_string(),
        "6.0200e+23  shape [], f64"
    );
    assert_eq!(
        Tensor::from(-123456.0).to_string(),
        "-123456.  shape [], f64"
    );
}

#[test]
fn precision_is_honoured() {
    let x = Tensor::from(vec![1.0 / 3.0, 2.0]);
    assert_eq!(format!("{x:.2}"), "[0.33, 2.00]  shape [2], f64");
    assert_eq!(format!("{x}"), "[0.3333, 2.    ]  shape [2], f64");
    assert_eq!(
        format!("{:.1}", Tensor::from(1.5e-9)),
        "1.5e-09  shape [], f64"
    );
}

#[test]
fn large_tensors_are_elided() {
    let x = Tensor::from((0..2000i64).collect::<Vec<_>>());
    assert_eq!(
        x.to_string(),
        "[   0,    1,    2, ..., 1997, 1998, 1999]  shape [2000], i64"
    );
    let matrix = x.reshape([500, 4]).to_string();
    assert_eq!(matrix.lines().count(), 7, "{matrix}");
    assert_eq!(matrix.lines().nth(3), Some(" ...,"), "{matrix}");
    assert!(
        matrix.starts_with("[[   0,    1,    2,    3],\n"),
        "{matrix}"
    );
    assert!(
        matrix.ends_with("[1996, 1997, 1998, 1999]]  shape [500, 4], i64"),
        "{matrix}"
    );
}

#[test]
fn printing_evaluates_but_debugging_does_not() {
    let x = tensor![1.0, 2.0] + 1.0;
    assert_eq!(format!("{x:?}"), "<add>  shape [2], f32");
    assert_eq!(x.to_string(), "[2., 3.]  shape [2], f32");
    assert_eq!(format!("{x:?}"), "[2., 3.]  shape [2], f32");
    let plain = tensor![1.0].to_device(Device::PLAIN);
    assert_eq!(plain.to_string(), "[1.]  shape [1], f32, on plain");
}

#[test]
fn a_stand_in_prints_its_shape() {
    vmap(|x: &Tensor| {
        assert_eq!((x + 1.0).to_string(), "<no value>  shape [2], f32");
        x.clone()
    })(&tensor![[1.0, 2.0]]);
}
