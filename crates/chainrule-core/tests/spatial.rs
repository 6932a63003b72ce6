//! Padding of convolutions, patches, pooling and back, interpolation. Expected numbers are PyTorch 2's.

use chainrule_core::{
    ConvolutionOptions, Interpolation, PoolOptions, Tensor, attempt, grad, tensor, vjp,
};

fn image() -> Tensor {
    let elements: Vec<f64> = (1..=24).map(|i| (f64::from(i) * 0.7).sin()).collect();
    Tensor::from_vec(elements, [1, 2, 3, 4])
}

fn kernel() -> Tensor {
    let elements: Vec<f64> = (1..=16).map(|i| (f64::from(i) * 1.3).cos()).collect();
    Tensor::from_vec(elements, [2, 2, 2, 2])
}

fn bias() -> Tensor {
    Tensor::from(vec![0.5, -1.0])
}

#[track_caller]
fn near(actual: &Tensor, expected: &[f64]) {
    let actual = actual.to_vec::<f64>();
    let equal = |(a, e): (&f64, &f64)| (a - e).abs() < 1e-11;
    assert!(
        actual.len() == expected.len() && actual.iter().zip(expected).all(equal),
        "{actual:?}"
    );
}

#[test]
fn convolutions_pad_to_the_same_extents_or_each_side_on_its_own() {
    let same = ConvolutionOptions::new().padding_same().bias(&bias());
    let y = image().conv2d(kernel(), same);
    assert_eq!(y.shape()[..], [1, 2, 3, 4]);
    near(&y.sum([0, 2, 3]), &[2.703284535438, -8.694330929565]);
    let sides = ConvolutionOptions::new()
        .padding_sides(&[(1, 3), (2, 0)])
        .bias(&bias());
    let y = image().conv2d(kernel(), sides);
    let expected = [
        0.5,
        0.622817568569,
        0.397213808108,
        1.029873846126,
        1.413325934803,
        0.5,
        0.147611594137,
        0.533017653834,
        -0.616504890102,
        -1.240917738353,
    ];
    near(&y.index((0, 0, ..2)), &expected);
    let transposed = ConvolutionOptions::new().stride(2).padding(1).bias(&bias());
    let y = image().conv_transpose2d(kernel(), transposed);
    near(&y.sum([0, 2, 3]), &[14.99024541314, -23.592413784485]);
}

#[test]
fn paddings_and_biases_that_do_not_fit_are_named() {
    let complaint = |options: ConvolutionOptions| {
        attempt(|| image().conv2d(kernel(), options))
            .unwrap_err()
            .message()
            .to_owned()
    };
    let message = complaint(ConvolutionOptions::new().padding_same().stride(2));
    assert!(
        message.starts_with("conv2d: padding that keeps the extents needs stride 1"),
        "{message}"
    );
    let message = complaint(ConvolutionOptions::new().padding_sides(&[(1, 0)]));
    assert!(
        message.starts_with("conv2d: 1 pairs were given as padding for 2"),
        "{message}"
    );
    let message = complaint(ConvolutionOptions::new().bias(&tensor![1.0]));
    assert!(
        message.starts_with("conv2d: the bias must have the 2 output channels"),
        "{message}"
    );
    let uneven = ConvolutionOptions::new().padding_sides(&[(1, 0), (0, 0)]);
    assert!(attempt(|| image().conv_transpose2d(kernel(), uneven)).is_err());
}

#[test]
fn patches_are_columns_and_go_back_to_their_places() {
    let options = ConvolutionOptions::new().padding([1, 0]).stride([2, 1]);
    let columns = image().im2col(&[2, 3], &options);
    assert_eq!(columns.shape()[..], [1, 12, 4]);
    let expected = [
        0.0,
        0.0,
        -0.35078322769,
        -0.871575772414,
        0.0,
        0.0,
        -0.871575772414,
        -0.982452612624,
        0.0,
        0.0,
        -0.982452612624,
        -0.631266637872,
    ];
    near(&columns.index((0, ..3)), &expected);
    let folded = columns.col2im(&[3, 4], &[2, 3], &options);
    let expected = [
        0.644217687238,
        1.970899459977,
        1.726418733298,
        0.334988150156,
        -0.35078322769,
        -1.743151544827,
        -1.964905225249,
        -0.631266637872,
        0.016813900484,
        1.313973197438,
        1.976336467754,
        0.854598908088,
    ];
    near(&folded.index((0, 0)), &expected);
    // Each is the other's transpose.
    let (_, pulled) = vjp(
        |x: &Tensor| x.im2col(&[2, 3], &options),
        &image(),
        |y| y.clone(),
    );
    assert!((pulled - folded).abs().max(..).item::<f64>() < 1e-14);
    // A convolution is a product with the columns.
    let plain = ConvolutionOptions::new();
    let product = kernel()
        .reshape([2, 8])
        .matmul(image().im2col(&[2, 2], &plain));
    let convolved = image().conv2d(kernel(), plain);
    assert!(
        (product.reshape(convolved.shape()) - convolved)
            .abs()
            .max(..)
            .item::<f64>()
            < 1e-14
    );
    assert!(attempt(|| columns.col2im(&[3, 5], &[2, 3], &options)).is_err());
}

#[test]
fn windows_of_any_axis() {
    let windows = image().windows(2, 2, 1);
    assert_eq!(windows.shape()[..], [1, 2, 2, 4, 2]);
    let second = image().narrow(2, 1, 2);
    let equal = windows.index((.., .., .., .., 1)).eq(&second).all(..);
    assert!(equal.item::<bool>());
    assert!(
        attempt(|| image().windows(2, 4, 1))
            .unwrap_err()
            .message()
            .contains("extent 3")
    );
}

#[test]
fn maxima_return_to_their_positions() {
    let options = PoolOptions::new(2);
    let (values, positions) = image().max_pool2d_with_indices(options.clone().stride(1));
    assert_eq!(values.shape()[..], [1, 2, 2, 3]);
    assert_eq!(
        positions.to_vec::<i64>(),
        [1, 1, 2, 9, 10, 10, 0, 6, 7, 8, 6, 7]
    );
    let (values, positions) = image().max_pool2d_with_indices(options);
    let back = values.max_unpool2d(&positions, [3, 4]);
    let mut expected = [0.0; 24];
    for (place, value) in [
        (1, 0.985449729988),
        (2, 0.863209366649),
        (12, 0.319098362349),
        (19, 0.990607355695),
    ] {
        expected[place] = value;
    }
    near(&back, &expected);
    let (_, positions) = image()
        .index((.., .., 0))
        .max_pool1d_with_indices(PoolOptions::new(2));
    assert_eq!(positions.to_vec::<i64>(), [1, 2, 0, 2]);
    assert!(attempt(|| values.max_unpool2d(&positions, [3, 4])).is_err());
}

#[test]
fn maxima_over_a_grid_and_norms_of_windows() {
    let expected = [
        0.985449729988,
        0.985449729988,
        0.863209366649,
        0.656986598719,
        0.988168233877,
        0.988168233877,
        0.319098362349,
        0.669569762197,
        0.990607355695,
        0.845746831143,
        0.669569762197,
        0.990607355695,
    ];
    let (values, positions) = image().adaptive_max_pool2d_with_indices([2, 3]);
    near(&values, &expected);
    let flat = image()
        .reshape([2, 12])
        .gather(1, &positions.reshape([2, 6]));
    near(&flat, &expected);
    let expected = [
        1.506260534825,
        1.855019957875,
        1.490321500737,
        1.146563255138,
        1.770018449749,
        1.752291772592,
        0.786990924891,
        1.165171986465,
        1.778280139624,
        1.091051070947,
        0.829043715239,
        1.537328984484,
    ];
    near(
        &image().lp_pool2d(2.0, PoolOptions::new(2).stride(1)),
        &expected,
    );
    let zeros = Tensor::zeros([1, 4]);
    let slope = grad(|x: &Tensor| x.lp_pool1d(3.0, PoolOptions::new(2)).sum(..))(&zeros);
    assert_eq!(slope.to_vec::<f32>(), [0.0; 4]);
}

#[test]
fn images_are_resized_and_shuffled() {
    let cubic = Interpolation::Cubic {
        align_corners: false,
    };
    let expected = [
        0.399478755333,
        0.496558511969,
        0.482474098196,
        0.273834572339,
        0.044883334612,
        -0.12252060926,
        0.123103545785,
        0.392942506451,
        0.504329492864,
        0.484423463833,
    ];
    near(&image().resize(&[2, 5], cubic).index((0, 0)), &expected);
    let y = Tensor::arange(6).reshape([1, 6, 1]).channel_shuffle(3);
    assert_eq!(y.to_vec::<i64>(), [0, 2, 4, 1, 3, 5]);
    let x = Tensor::arange(16).reshape([1, 1, 4, 4]);
    let there = x.pixel_unshuffle(2);
    assert_eq!(there.index((0, 0)).to_vec::<i64>(), [0, 2, 8, 10]);
    assert_eq!(there.pixel_shuffle(2).to_vec::<i64>(), x.to_vec::<i64>());
    let message = attempt(|| image().pixel_shuffle(2))
        .unwrap_err()
        .message()
        .to_owned();
    assert!(
        message.starts_with("pixel_shuffle: the channels"),
        "{message}"
    );
}

#[test]
fn gradients_agree_with_finite_differences() {
    let functions: [fn(&Tensor) -> Tensor; 5] = [
        |x| x.lp_pool2d(3.0, PoolOptions::new(2)),
        |x| x.adaptive_max_pool2d([2, 2]),
        |x| {
            x.resize_by(
                &[1.7, 0.6],
                Interpolation::Cubic {
                    align_corners: true,
                },
            )
        },
        |x| x.windows(1, 2, 1).square(),
        |x| {
            x.conv2d(kernel(), ConvolutionOptions::new().padding_same())
                .square()
        },
    ];
    for (number, f) in functions.into_iter().enumerate() {
        let slope = grad(|x: &Tensor| f(x).sum(..))(&image()).to_vec::<f64>();
        let x = image().to_vec::<f64>();
        for place in [0, 7, 19] {
            let at = |step: f64| {
                let mut x = x.clone();
                x[place] += step;
                f(&Tensor::from_vec(x, [1, 2, 3, 4])).sum(..).item::<f64>()
            };
            let difference = (at(1e-6) - at(-1e-6)) / 2e-6;
            assert!(
                (slope[place] - difference).abs() < 1e-7,
                "function {number}, element {place}"
            );
        }
    }
}

/// The output padding may exceed the stride where the dilation does: there are outputs that no tap reaches.
#[test]
fn transposed_convolutions_may_be_padded_beyond_their_taps() {
    let x = Tensor::from_vec(vec![1.0, 2.0, -1.0], [1, 1, 3]);
    let w = Tensor::from_vec(vec![0.5, -2.0], [1, 1, 2]);
    let bias = Tensor::from(vec![0.25]);
    let options = ConvolutionOptions::new()
        .dilation(3)
        .output_padding(2)
        .bias(&bias);
    let run = |x: &Tensor, w: &Tensor| x.conv_transpose1d(w, options.clone());
    near(
        &run(&x, &w),
        &[0.75, 1.25, -0.25, -1.75, -3.75, 2.25, 0.25, 0.25],
    );
    let cotangent: Vec<f64> = (1..=8).map(f64::from).collect();
    let cotangent = Tensor::from_vec(cotangent, [1, 1, 8]);
    let (by_x, by_w) = grad(|(x, w): &(Tensor, Tensor)| (run(x, w) * &cotangent).sum(..))(&(x, w));
    near(&by_x, &[-7.5, -9.0, -10.5]);
    near(&by_w, &[2.0, 8.0]);
}
