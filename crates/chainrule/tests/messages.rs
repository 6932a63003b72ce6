//! What bad input gets: the texts of the messages, each with the user's line.

use chainrule::nn::{load, save};
use chainrule::prelude::*;

/// The message of the mistake in `work`, with places in this file as `here`; the mistake's own place must be one.
fn message<T>(work: impl FnOnce() -> T) -> String {
    let error = attempt(work).err().expect("the input is bad");
    let place = error.place().unwrap_or_else(|| panic!("no place: {error}"));
    assert_eq!(place.file(), file!(), "{error}");
    let mut text = String::new();
    let mut rest = error.message();
    while let Some(start) = rest.find(file!()) {
        text += &rest[..start];
        text += "here";
        let after = &rest[start + file!().len()..];
        rest = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    }
    text + rest
}

fn matrix() -> Tensor {
    Tensor::zeros([2, 3])
}

#[test]
fn shapes_that_do_not_fit() {
    assert_eq!(
        message(|| matrix() + Tensor::zeros([4, 5])),
        "add: the shapes do not broadcast: 2 and 4 at axis -2\n    \
         left   [2, 3]  f32   constant made at here\n    \
         right  [4, 5]  f32   constant made at here"
    );
    assert_eq!(
        message(|| Tensor::zeros([64, 784]).matmul(Tensor::zeros([128, 784]))),
        "matmul: the inner extents differ: 784 (last axis of left) and 128 (first axis of right)\n    \
         left   [64, 784]   f32   constant made at here\n    \
         right  [128, 784]  f32   constant made at here\n    \
         help: `right.t()` is [784, 128] and fits: left.matmul(right.t())"
    );
    assert_eq!(
        message(|| matrix().sin().reshape([4, 2])),
        "reshape: 6 elements do not fill shape [4, 2], which takes 8\n    \
         input  [2, 3]  f32   from `sin` at here"
    );
    assert_eq!(
        message(|| matrix().reshape([-1isize, 4])),
        "reshape: 6 elements cannot be divided into rows of 4, so -1 stands for nothing\n    \
         input  [2, 3]  f32   constant made at here"
    );
    assert_eq!(
        message(|| Tensor::from_vec(vec![1.0f32; 5], [2, 3])),
        "from_vec: 5 elements were given, shape [2, 3] takes 6"
    );
}

#[test]
fn dtypes_that_do_not_fit() {
    assert_eq!(
        message(|| matrix().matmul(Tensor::zeros([3, 2]).cast(DType::F64))),
        "matmul: the dtypes differ: f32 and f64\n    \
         left   [2, 3]  f32   constant made at here\n    \
         right  [3, 2]  f64   from `cast` at here\n    \
         help: convert one: `.cast(DType::F64)`"
    );
    assert_eq!(
        message(|| matrix().index_select(0, &tensor![0.0])),
        "index_select: the index must be integers, not f32\n    \
         input  [2, 3]  f32   constant made at here\n    \
         index  [1]     f32   constant made at here\n    \
         help: convert it: `.cast(DType::I64)`"
    );
    assert_eq!(
        message(|| tensor![1.5].sum(..).item::<i64>()),
        "item: the elements are f32, which cannot be read as i64\n    \
         help: convert first, with `.cast(DType::..)`, or read them as f32"
    );
    assert_eq!(
        message(|| matrix().to_vec::<bool>()),
        "to_vec: the elements are f32, which cannot be read as bool\n    \
         help: convert first, with `.cast(DType::..)`, or read them as f32"
    );
    assert_eq!(
        message(|| matrix().item::<f32>()),
        "item: the tensor has 6 elements (shape [2, 3]), not one\n    \
         help: reduce it, for example with `.sum(..)` or `.mean(..)`, or read all with `.to_vec()`"
    );
}

#[test]
fn axes_that_do_not_exist() {
    assert_eq!(
        message(|| matrix().sum(2)),
        "sum: axis 2 does not exist: the tensor has 2 axes, 0 to 1 (or -2 to -1)\n    \
         input  [2, 3]  f32   constant made at here"
    );
    assert_eq!(
        message(|| matrix().softmax(-3)),
        "softmax: axis -3 does not exist: the tensor has 2 axes, 0 to 1 (or -2 to -1)\n    \
         input  [2, 3]  f32   constant made at here"
    );
    assert_eq!(
        message(|| matrix().permute([0, 0])),
        "permute: axis 0 is given twice\n    input  [2, 3]  f32   constant made at here"
    );
}

#[test]
fn bad_einsum_strings() {
    let a = matrix();
    assert_eq!(
        message(|| Tensor::einsum("ij,jk->", &[&a])),
        "einsum: `ij,jk->` is about 2 operands, 1 were given"
    );
    assert_eq!(
        message(|| Tensor::einsum("ij,jk->iz", &[&a, &a.t()])),
        "einsum: `z` of the result is in no operand\n    ij,jk->iz\n            ^"
    );
    assert_eq!(
        message(|| Tensor::einsum("i$j->ij", &[&a])),
        "einsum: `$` is not a letter, `,`, `...` or `->`\n    i$j->ij\n     ^"
    );
    assert_eq!(
        message(|| Tensor::einsum("ij,jk->ik", &[&a, &a])),
        "einsum: `j` has extent 3 in operand 0 and 2 in operand 1"
    );
    let error = Tensor::try_einsum("ijk->ij", &[&a]).unwrap_err();
    assert_eq!(
        error.message(),
        "einsum: operand 0 has 2 axes (shape [2, 3]), `ijk->ij` names 3 for it"
    );
}

#[test]
fn the_greatest_of_nothing() {
    assert_eq!(
        message(|| Tensor::zeros([2, 0]).max(1)),
        "max: axis 1 has extent 0: there is no element to choose\n    \
         input  [2, 0]  f32   constant made at here"
    );
    assert_eq!(
        message(|| Tensor::zeros([0]).argmax(0)),
        "argmax: axis 0 has extent 0: there is no element to choose\n    \
         input  [0]  f32   constant made at here"
    );
}

#[test]
fn indices_and_labels_out_of_range() {
    assert_eq!(
        message(|| matrix().index_select(0, &tensor![0, 5]).to_vec::<f32>()),
        "index_select: index 5 (element 1 of the index) is outside axis 0, which has extent 2"
    );
    assert_eq!(
        message(|| matrix().cross_entropy(&tensor![0, 9]).item::<f32>()),
        "cross_entropy: label 9 (element 1 of the labels) is not one of the 3 classes, 0 to 2"
    );
    assert_eq!(
        message(|| matrix().narrow(0, 1, 5)),
        "narrow: 5 elements from 1 on leave axis 0, which has extent 2\n    \
         input  [2, 3]  f32   constant made at here"
    );
}

#[test]
fn absurd_shapes_are_errors() {
    assert_eq!(
        message(|| Tensor::zeros([1 << 40, 1 << 40])),
        "a tensor of shape [1099511627776, 1099511627776] and dtype f32 does not fit in any memory"
    );
    assert_eq!(
        message(|| Tensor::ones([1 << 44]).to_vec::<f32>()),
        "140737488355328 bytes of memory were asked for and refused\n    \
         help: use smaller batches, or a smaller dtype"
    );
    let outer = || Tensor::ones([1 << 22, 1]).matmul(Tensor::ones([1, 1 << 22]));
    assert_eq!(
        message(|| outer().exp().to_vec::<f32>()),
        "70368744177664 bytes of memory were asked for and refused\n    \
         help: use smaller batches, or a smaller dtype"
    );
}

#[test]
fn derivatives_that_do_not_exist() {
    assert_eq!(
        message(|| grad(|x: &Tensor| x.sin())(&matrix())),
        "grad: the function must return one floating-point number, not shape [2, 3] of f32, from `sin` at here\n    \
         help: reduce it, for example with `.sum(..)`, or give a cotangent of its shape to `vjp` or `backward_with`"
    );
    assert_eq!(
        message(|| grad(|_: &f64| Tensor::scalar(1.0))(&2.0)),
        "grad: the argument has no floating-point tensor to differentiate by\n    \
         help: pass numbers as tensors: `Tensor::from(2.0)`"
    );
    let through_integers = |x: &Tensor| x.cast(DType::I64).cast(DType::F32).sum(..);
    assert_eq!(
        message(|| grad(through_integers)(&matrix())),
        "grad: there is no derivative: every path from the input to the result passes `cast` at here, and integers and \
         truth values have no tangent space\n    \
         input   [2, 3] f32\n    \
         help: differentiate by something else, or use a smooth function there"
    );
    assert_eq!(
        message(|| matrix().sum(..).backward()),
        "backward: nothing that `sum` at here depends on is tracked\n    \
         help: mark what to differentiate by: `let x = x.tracked();`, before computing with it"
    );
    assert_eq!(
        message(|| matrix().tracked().backward_with(tensor![1.0])),
        "backward: the cotangent has shape [1], the tensor has [2, 3]"
    );
}

#[test]
fn values_read_under_vmap() {
    let by_value = |x: &Tensor| match x.item::<f32>() > 0.0 {
        true => x.sin(),
        false => x.cos(),
    };
    assert_eq!(
        message(|| vmap(by_value)(&tensor![1.0, 2.0])),
        "the argument of the vmap at here has no value here: vmap runs its function once for all examples\n    \
         help: choose by value with `where_`, or use `map_each`, which calls the function for each example"
    );
    let by_result = |x: &Tensor| match x.sin().item::<f32>() > 0.0 {
        true => x.sin(),
        false => x.cos(),
    };
    assert_eq!(
        message(|| vmap(by_result)(&tensor![1.0, 2.0])),
        "`sin` made at here, which depends on the argument of the vmap at here, has no value here: vmap runs its function \
         once for all examples\n    help: choose by value with `where_`, or use `map_each`, which calls the function for \
         each example"
    );
    assert_eq!(
        message(|| vmap(|(x, y): &(Tensor, Tensor)| x + y)(&(tensor![1.0, 2.0], tensor![1.0]))),
        "vmap: the arguments do not have a common axis 0: their shapes are [2], [1]"
    );
}

#[test]
fn layers_and_parameters() {
    assert_eq!(
        message(|| Linear::new(3, 2).forward(Tensor::zeros([4, 5]))),
        "linear: the layer takes 3 features along the last axis, the input has shape [4, 5] (from `constant` at here)"
    );
    let mut parameter = Parameter::new(tensor![1.0]);
    assert_eq!(
        message(|| parameter -= tensor![1.0, 2.0]),
        "parameter: a value of [2] f32 (from `sub` at here) does not replace one of [1] f32"
    );
}

#[test]
fn weights_that_are_missing_damaged_or_others() {
    let folder = std::env::temp_dir().join(format!("chainrule-messages-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = |error: chainrule::nn::WeightsError| {
        error
            .to_string()
            .replace(&folder.display().to_string(), "FOLDER")
    };
    let path = folder.join("weights.safetensors");
    let model = (matrix(), tensor![1, 2, 3]);
    assert!(
        text(load(&model, &path).unwrap_err())
            .starts_with("FOLDER/weights.safetensors: No such file")
    );
    save(&model, &path).unwrap();
    let other = (Tensor::zeros([4, 5]), tensor![1.0, 2.0, 3.0], tensor![0]);
    assert_eq!(
        text(load(&other, &path).err().unwrap()),
        "FOLDER/weights.safetensors: the weights are not those of this model\n    \
         missing     2\n    \
         mismatched  0: [2, 3] f32 in the file, [4, 5] f32 in the model\n    \
         mismatched  1: [3] i64 in the file, [3] f32 in the model"
    );
    std::fs::write(&path, b"not weights").unwrap();
    assert_eq!(
        text(load(&model, &path).unwrap_err()),
        "FOLDER/weights.safetensors: not a whole safetensors file: header too large"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

/// What a program that does not ask for the error prints.
#[test]
fn a_panic_shows_message_and_line() {
    let payload = std::panic::catch_unwind(|| matrix().sum(2)).unwrap_err();
    let text = payload.downcast_ref::<String>().expect("a message");
    assert!(text.starts_with("sum: axis 2 does not exist"), "{text}");
}
