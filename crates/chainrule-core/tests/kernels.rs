//! Fast kernels against reference values on inputs large enough to be divided over threads, of every layout.

use chainrule_core::{DType, Device, Generator, PoolOptions, Tensor, attempt, vjp, vmap};

fn normal(shape: &[usize]) -> Tensor {
    let tensor = Generator::new(shape.iter().sum::<usize>() as u64).normal(shape, 0.0, 1.0);
    // Halves and ties: few different numbers.
    (tensor * 8.0).round() / 8.0
}

/// The same computation on both devices, in every dtype that is asked for.
fn assert_same(
    dtypes: &[DType],
    inputs: &[Tensor],
    tolerance: f64,
    f: impl Fn(&[Tensor]) -> Vec<Tensor>,
) {
    for &dtype in dtypes {
        let converted = |device: Device| -> Vec<Tensor> {
            let convert = |x: &Tensor| match x.dtype().is_floating() {
                true => x.cast(dtype).to_device(device),
                false => x.to_device(device),
            };
            inputs.iter().map(convert).collect()
        };
        let fast = f(&converted(Device::CPU));
        let plain = f(&converted(Device::PLAIN));
        for (fast, plain) in fast.iter().zip(&plain) {
            assert_eq!((fast.shape(), fast.dtype()), (plain.shape(), plain.dtype()));
            let numbers = |x: &Tensor| x.cast(DType::F64).to_vec::<f64>();
            for (at, (fast, plain)) in numbers(fast).into_iter().zip(numbers(plain)).enumerate() {
                let same = fast == plain || fast.is_nan() && plain.is_nan();
                assert!(
                    same || (fast - plain).abs() <= tolerance * (1.0 + plain.abs()),
                    "{dtype}, element {at}: {fast} is not {plain}"
                );
            }
        }
    }
}

const FLOATS: [DType; 4] = [DType::F32, DType::F64, DType::BF16, DType::F16];

fn with_gradient(x: &Tensor, f: impl Fn(&Tensor) -> Tensor) -> Vec<Tensor> {
    let (y, gradient) = vjp(f, x, |y: &Tensor| y.cos());
    vec![y, gradient]
}

#[test]
fn layer_normalisation_forward_and_backward() {
    for (x, axes) in [(normal(&[40, 3, 70]), 1), (normal(&[50, 6, 7]), 2)] {
        let shape = &x.shape()[3 - axes..];
        let inputs = [x.clone(), normal(shape), normal(shape) * 0.5];
        for (dtype, tolerance) in FLOATS.iter().zip([1e-5, 1e-12, 0.06, 0.02]) {
            assert_same(&[*dtype], &inputs, tolerance, |inputs| {
                let f = |inputs: &Vec<Tensor>| {
                    inputs[0].layer_norm(Some(&inputs[1]), Some(&inputs[2]), 1e-3)
                };
                let (y, gradients) = vjp(f, &inputs.to_vec(), |y: &Tensor| y * 0.125 + 0.25);
                let plain = inputs[0].layer_norm(None, None, 1e-3);
                [vec![y, plain], gradients].concat()
            });
        }
    }
}

#[test]
fn layer_normalisation_in_a_batch_and_of_mixed_dtypes() {
    let (x, weight) = (normal(&[3, 4, 5]), normal(&[3, 5]));
    let f = |(x, weight): &(Tensor, Tensor)| x.layer_norm(Some(weight), None, 1e-5);
    let batched = vmap(f)(&(x.clone(), weight.clone()));
    let plain: Vec<Tensor> = (0..3)
        .map(|example| {
            f(&(
                x.narrow(0, example, 1).squeeze(0),
                weight.narrow(0, example, 1).squeeze(0),
            ))
        })
        .collect();
    let difference = (batched - Tensor::stack(&plain, 0)).abs().max(..);
    assert!(difference.item::<f32>() < 1e-6);
    let mixed = x
        .cast(DType::BF16)
        .layer_norm(Some(&normal(&[5])), None, 1e-5);
    assert_eq!(mixed.dtype(), DType::F32);
}

#[test]
fn layer_normalisation_refuses_other_extents() {
    let x = normal(&[4, 5]);
    for weight in [Tensor::ones([1]), Tensor::ones([4]), Tensor::scalar(1.0)] {
        let error = attempt(|| x.layer_norm(Some(&weight), None, 1e-5));
        assert!(error.is_err(), "{weight}");
        let error = attempt(|| x.layer_norm(Some(&Tensor::ones([5])), Some(&weight), 1e-5));
        assert!(error.is_err(), "{weight}");
    }
    let message = attempt(|| x.layer_norm(Some(&Tensor::ones([1])), None, 1e-5))
        .expect_err("a weight of extent 1 is not broadcast")
        .to_string();
    assert!(
        message.contains("the weight must have the shape of the normalised axes, [5]"),
        "{message}"
    );
}

#[test]
fn reductions_over_axes_apart() {
    let x = [normal(&[6, 5, 40, 7]), normal(&[0, 5, 4, 7])];
    for (dtype, tolerance) in FLOATS.iter().zip([1e-5, 1e-12, 0.02, 3e-3]) {
        assert_same(&[*dtype], &x, tolerance, |x| {
            let empty = [x[1].sum([0, 2]), x[1].sum([1, 3])];
            let turned = x[0].transpose(0, 2);
            let full = [
                x[0].sum([0, 2, 3]),
                x[0].sum([0, 2]),
                x[0].max([1, 3]),
                turned.sum([0, 2]),
                turned.min([0, 1, 3]),
            ];
            empty.into_iter().chain(full).collect()
        });
    }
}

#[test]
fn scans_forward_and_backward() {
    let x = [normal(&[3, 50, 20])];
    for (dtype, tolerance) in FLOATS.iter().zip([1e-4, 1e-12, 0.05, 0.01]) {
        assert_same(&[*dtype], &x, tolerance, |x| {
            let turned = x[0].transpose(0, 2);
            [
                with_gradient(&x[0], |x| x.cumsum(2)),
                with_gradient(&x[0], |x| x.cumsum(1)),
                with_gradient(&turned, |x| x.cumsum(1)),
                vec![x[0].cumprod(1), turned.cumprod(2)],
            ]
            .concat()
        });
    }
    let integers = [(&x[0] * 8.0).cast(DType::I32)];
    assert_same(&[DType::F32], &integers, 0.0, |x| {
        vec![x[0].cumsum(1), x[0].cumprod(2)]
    });
}

#[test]
fn orders_along_every_axis() {
    let x = normal(&[3, 40, 70]);
    let with_nan = x.eq(0.5).where_(f64::NAN, &x);
    let inputs = [
        x,
        with_nan,
        normal(&[20_000]),
        Tensor::arange(12).reshape([3, 4]),
    ];
    assert_same(&FLOATS, &inputs, 0.0, |inputs| {
        let mut results = Vec::new();
        for x in inputs {
            for axis in 0..x.rank() as isize {
                for descending in [false, true] {
                    results.push(x.argsort(axis, descending));
                    let (values, positions) = x.topk(3, axis, descending);
                    results.extend([values, positions]);
                }
            }
        }
        results
    });
    let bits = [inputs[0].gt(0.0)];
    assert_same(&[DType::F32], &bits, 0.0, |x| vec![x[0].argsort(1, true)]);
}

#[test]
fn gathering_and_scattering() {
    let count = 70 * 40;
    let index = Generator::new(5).randint(0, 50, [count]);
    let (along_1, rows) = (index.reshape([70, 40]), index.narrow(0, 0, 600));
    let (along_0, narrow) = (along_1.transpose(0, 1), along_1.narrow(0, 0, 30));
    let x = [normal(&[70, 50]), along_1, along_0, narrow, rows];
    for (dtype, tolerance) in FLOATS.iter().zip([1e-6, 1e-15, 1e-2, 1e-3]) {
        assert_same(&[*dtype], &x, tolerance, |x| {
            let [x, along_1, along_0, narrow, rows] = x else {
                unreachable!()
            };
            let turned = x.transpose(0, 1);
            let small = rows.cast(DType::I32);
            let source = x.gather(1, along_1) * 3.0;
            [
                with_gradient(x, |x| x.gather(1, along_1)),
                with_gradient(x, |x| x.gather(1, narrow)),
                with_gradient(&turned, |x| x.gather(0, along_0)),
                with_gradient(x, |x| x.index_select(0, &small)),
                with_gradient(x, |x| x.index_select(1, rows)),
                with_gradient(&turned, |x| x.index_select(0, rows)),
                with_gradient(&source, |source| x.scatter_add(1, along_1, source)),
                with_gradient(&source, |source| x.scatter(1, along_1, source)),
                with_gradient(x, |x| x.scatter(1, along_1, &source)),
                with_gradient(&turned, |x| x.index_add(0, rows, &x.index_select(0, rows))),
            ]
            .concat()
        });
    }
    let bits = x[0].gt(0.0);
    assert_eq!(
        bits.gather(1, &x[1]).to_vec::<bool>(),
        x[0].gather(1, &x[1]).gt(0.0).to_vec::<bool>()
    );
}

#[test]
fn an_index_outside_is_named() {
    let x = Tensor::zeros([3, 2]);
    let message = attempt(|| {
        x.index_select(0, &Tensor::from(vec![1i64, 3]))
            .to_vec::<f32>()
    })
    .expect_err("there is no row 3")
    .to_string();
    assert!(
        message.contains(
            "index_select: index 3 (element 1 of the index) is outside axis 0, which has extent 3"
        ),
        "{message}"
    );
}

#[test]
fn pooling_forward_and_backward() {
    let options = || {
        [
            PoolOptions::new(2),
            PoolOptions::new(3).stride(2).padding(1),
            PoolOptions::new([3, 2])
                .stride([1, 3])
                .dilation(2)
                .ceil_mode(),
            PoolOptions::new(5)
                .stride(3)
                .padding(2)
                .without_padding_in_mean(),
        ]
    };
    for shape in [[9, 8, 21, 19], [1, 1, 9, 9], [0, 3, 9, 9]] {
        for options in options() {
            let x = [normal(&shape)];
            assert_same(&FLOATS, &x, 0.0, |x| {
                with_gradient(&x[0], |x| x.max_pool2d(options.clone()))
            });
            assert_same(&FLOATS, &x, 0.0, |x| {
                with_gradient(&x[0], |x| x.avg_pool2d(options.clone()))
            });
            assert_same(&FLOATS, &x, 0.0, |x| {
                with_gradient(&x[0], |x| x.transpose(2, 3).max_pool2d(options.clone()))
            });
        }
    }
}

#[test]
fn nan_is_greatest_in_a_window() {
    let x = Tensor::from_vec(
        vec![f32::NAN, 1.0, f32::NEG_INFINITY, f32::NEG_INFINITY],
        [1, 1, 4],
    );
    assert_same(&[DType::F32, DType::F64], &[x], 0.0, |x| {
        vec![x[0].max_pool1d(PoolOptions::new(2))]
    });
}

#[test]
fn means_of_dilated_windows_count_their_own_elements() {
    // The windows take the places -1, 1, 3, then 0, 2, 4, then 1, 3, 5 of five.
    let x = Tensor::from(vec![1.0f32, 2.0, 3.0, 4.0, 5.0]).reshape([1, 1, 5]);
    let options = PoolOptions::new(3).stride(1).padding(1).dilation(2);
    let with_padding = x.avg_pool1d(options.clone()).to_vec::<f32>();
    assert_eq!(with_padding, [6.0 / 3.0, 9.0 / 3.0, 6.0 / 3.0]);
    let inside = x.avg_pool1d(options.without_padding_in_mean());
    assert_eq!(inside.to_vec::<f32>(), [6.0 / 2.0, 9.0 / 3.0, 6.0 / 2.0]);
}

#[test]
fn a_maximum_of_padding_alone_is_refused() {
    let x = Tensor::from(vec![1.0f32, 2.0]).reshape([1, 1, 2]);
    // Places -1 and 2 of a tensor with places 0 and 1.
    let options = PoolOptions::new(2).stride(1).padding(1).dilation(3);
    let error = attempt(|| x.max_pool1d(options)).expect_err("there is no greatest element");
    let message = error.to_string();
    assert!(
        message.contains("window 0 along spatial axis 0 lies wholly in the padding"),
        "{message}"
    );
}

/// A weight that the products of many steps read transposed is turned once; what the look itself shows stays the same.
#[test]
fn a_transposed_weight_that_many_products_read() {
    let inputs = [normal(&[96, 64]), normal(&[8, 96]) * 0.125];
    for (dtype, tolerance) in [(DType::F32, 1e-5), (DType::F64, 1e-12)] {
        assert_same(&[dtype], &inputs, tolerance, |inputs| {
            let f = |weight: &Tensor| {
                let turned = (weight.narrow(1, 0, 64) * 0.125).t();
                let steps = (0..6).fold(inputs[1].clone(), |state, _| {
                    state.matmul(turned.t()).tanh().matmul(&turned)
                });
                steps + turned.sum(0)
            };
            with_gradient(&inputs[0], f)
        });
    }
}
