//! The table of Caffe's layers: every row that names a layer or a function here is run.

use chainrule::data::TensorDataset;
use chainrule::nn::losses::{
    BinaryCrossEntropyWithLogits, Contrastive, CrossEntropy, Euclidean, Hinge, Infogain,
    MultinomialLogistic,
};
use chainrule::nn::{
    AvgPool2d, BatchNorm, Bias, Conv2d, ConvTranspose2d, Dropout, Elu, Embedding, Flatten,
    GlobalAvgPool, LeakyRelu, LocalResponseNorm, Lstm, MaxPool2d, MeanVarianceNorm, PRelu, Power,
    RecurrentOptions, Relu, Rnn, Scale, Sigmoid, Silu, Softmax, Softplus, SpatialPyramidPool, Tanh,
    Unfold,
};
use chainrule::prelude::*;
use chainrule_train::data::Dataset;
use chainrule_train::data::readers::image::Colour;
use chainrule_train::data::readers::image_folder::ImageFolder;
use chainrule_train::metrics::{Accuracy, Metric};
use chainrule_train::picture::Picture;

const TABLE: &str = include_str!("../../../docs/caffe-layers.md");

/// Caffe's layers with the test of what the table says of each.
const ROWS: &[(&str, fn())] = &[
    ("AbsVal", || close(&x().abs(), &[1.0, 2.0, 0.0, 3.0])),
    ("Accuracy", accuracy),
    ("ArgMax", || {
        assert_eq!(x().argmax(-1).to_vec::<i64>(), [1, 1]);
    }),
    ("BatchNorm", batch_norm),
    ("BatchReindex", || {
        close(&x().index_select(0, &tensor![1, 1]), &[0.0, 3.0, 0.0, 3.0]);
    }),
    ("Bias", bias),
    ("BNLL", || {
        let y = Softplus::new().forward(tensor![0.0]);
        close(&y, &[2.0_f64.ln()]);
    }),
    ("Clip", || {
        close(&x().clamp(-0.5, 1.0), &[-0.5, 1.0, 0.0, 1.0])
    }),
    ("Concat", || {
        let y = Tensor::concat(&[x(), x()], 1);
        close(&y, &[-1.0, 2.0, -1.0, 2.0, 0.0, 3.0, 0.0, 3.0]);
    }),
    ("ContrastiveLoss", || {
        let (near, far) = (
            tensor![[0.0, 0.0], [0.0, 0.0]],
            tensor![[3.0, 4.0], [0.0, 0.5]],
        );
        let loss = Contrastive::new().forward(&near, &far, &tensor![1, 0]);
        close(&loss, &[(12.5 + 0.125) / 2.0]);
    }),
    ("Convolution", convolution),
    ("Crop", || {
        let y = square().narrow(2, 1, 2).narrow(3, 0, 2);
        close(&y, &[4.0, 5.0, 8.0, 9.0]);
    }),
    ("Deconvolution", deconvolution),
    ("Dropout", || {
        let mut layer = Dropout::new(0.5);
        let y = layer.forward(Tensor::ones([64]));
        assert!(y.to_vec::<f32>().iter().all(|&y| y == 0.0 || y == 2.0));
        layer.eval();
        close(&layer.forward(x()), &[-1.0, 2.0, 0.0, 3.0]);
    }),
    ("DummyData", || {
        close(&Tensor::full([2], 0.5), &[0.5, 0.5]);
        let drawn = Tensor::uniform([100], -1.0, 1.0).to_vec::<f32>();
        assert!(drawn.iter().all(|number| (-1.0..=1.0).contains(number)));
        assert_eq!(Tensor::normal([2, 3], 0.0, 1.0).elements(), 6);
    }),
    ("Eltwise", || {
        let other = tensor![[1.0, 1.0], [2.0, -1.0]];
        close(&x().maximum(&other), &[1.0, 2.0, 2.0, 3.0]);
        close(&(x() * &other), &[-1.0, 2.0, 0.0, -3.0]);
        close(&(1.0 * x() - 2.0 * &other), &[-3.0, 0.0, -4.0, 5.0]);
    }),
    ("ELU", || {
        let y = Elu::new().forward(tensor![-1.0, 2.0]);
        close(&y, &[(-1.0_f64).exp() - 1.0, 2.0]);
    }),
    ("Embed", || {
        let layer = Embedding::from_pretrained(tensor![[1.0, 2.0], [3.0, 4.0]]);
        let y = Bias::new([2])
            .axis(2)
            .forward(layer.forward(tensor![[1, 0]]));
        close(&y, &[3.0, 4.0, 1.0, 2.0]);
    }),
    ("EuclideanLoss", || {
        let loss = Euclidean::new().forward(&x(), &x().zeros_like());
        close(&loss, &[14.0 / 4.0]);
    }),
    ("Exp", || {
        let y = ((1.0 + 2.0 * tensor![1.0, 0.0]) * 2.0_f64.ln()).exp();
        close(&y, &[8.0, 2.0]);
    }),
    ("Filter", || {
        let chosen = tensor![0.0, 1.0].nonzero().reshape([-1]);
        close(&x().index_select(0, &chosen), &[0.0, 3.0]);
    }),
    ("Flatten", || {
        let y = Flatten::new().forward(square());
        assert_eq!(y.shape().to_string(), "[1, 16]");
    }),
    ("HingeLoss", || {
        let loss = Hinge::new().forward(&tensor![[0.5, -2.0, 0.0]], &tensor![0]);
        close(&loss, &[1.5]);
    }),
    ("Im2col", || {
        let options = ConvolutionOptions::new().stride(2);
        let y = Unfold::new(&[2, 2], options).forward(square());
        assert_eq!(y.shape().to_string(), "[1, 4, 4]");
        close(&y.narrow(1, 0, 1), &[0.0, 2.0, 8.0, 10.0]);
    }),
    ("ImageData", image_folder),
    ("InfogainLoss", || {
        let loss = Infogain::new(&tensor![[1.0, 0.0], [0.0, 3.0]]);
        let loss = loss.forward(&tensor![[0.5, 0.5]], &tensor![1]);
        close(&loss, &[3.0 * 2.0_f64.ln()]);
    }),
    ("InnerProduct", || {
        let layer = Linear::new(16, 3);
        let y = layer.forward(Flatten::new().forward(square()));
        assert_eq!(y.shape().to_string(), "[1, 3]");
    }),
    ("Input", || {
        let forward = |input: &Tensor| input * 2.0;
        close(&forward(&x()), &[-2.0, 4.0, 0.0, 6.0]);
    }),
    ("Log", || {
        let y = (1.0 + 2.0 * tensor![1.5, 0.0]).log() / 2.0_f64.ln();
        close(&y, &[2.0, 0.0]);
    }),
    ("LRN", local_response_norm),
    ("LSTM", || {
        let options = RecurrentOptions::new(3, 5).time_first();
        let layer = Lstm::from_options(options);
        let y = layer.forward(Tensor::ones([7, 2, 3]));
        assert_eq!(y.shape().to_string(), "[7, 2, 5]");
        // Both sequences are the same, and the state moves from step to step.
        let y = y.to_vec::<f32>();
        assert_eq!(y[..5], y[5..10]);
        assert_ne!(y[..5], y[10..15]);
    }),
    ("MemoryData", || {
        let data = TensorDataset::new((x(), tensor![0, 1])).unwrap();
        assert_eq!(data.len(), 2);
    }),
    ("MultinomialLogisticLoss", || {
        let loss = MultinomialLogistic::new().forward(&tensor![[0.25, 0.75]], &tensor![0]);
        close(&loss, &[4.0_f64.ln()]);
    }),
    ("MVN", || {
        let y = MeanVarianceNorm::new().forward(tensor![[[1.0, 3.0], [5.0, 5.0]]]);
        close(&y, &[-1.0, 1.0, 0.0, 0.0]);
        let y = MeanVarianceNorm::new().across_channels().without_variance();
        close(&y.forward(tensor![[[1.0], [3.0]]]), &[-1.0, 1.0]);
    }),
    ("Parameter", || {
        let mut weight = Parameter::new(tensor![1.0, 2.0]);
        let gradient = weight.square().sum(..).backward().of(&weight);
        weight -= gradient * 0.5;
        close(&weight, &[0.0, 0.0]);
    }),
    ("Pooling", pooling),
    ("Power", || {
        let layer = Power::new(2.0).scale(3.0).shift(1.0);
        close(&layer.forward(x()), &[4.0, 49.0, 1.0, 100.0]);
    }),
    ("PReLU", || {
        let layer = PRelu::of_channels(2, 0.5);
        close(&layer.forward(x()), &[-0.5, 2.0, 0.0, 3.0]);
    }),
    ("Python", || {
        let gradient = grad(|x: &Tensor| (x.square() + 1.0).sum(..))(&x());
        close(&gradient, &[-2.0, 4.0, 0.0, 6.0]);
    }),
    ("Reduction", || {
        close(&(x().sum(1) * 0.5), &[0.5, 1.5]);
        close(&x().abs().sum(1), &[3.0, 3.0]);
        close(&x().square().sum(1), &[5.0, 9.0]);
        close(&x().mean(..), &[1.0]);
    }),
    ("ReLU", || {
        close(&Relu::new().forward(x()), &[0.0, 2.0, 0.0, 3.0]);
        let leaky = LeakyRelu::new().forward(x());
        close(&leaky, &[-0.01, 2.0, 0.0, 3.0]);
    }),
    ("Reshape", || {
        assert_eq!(square().reshape([2, -1]).shape().to_string(), "[2, 8]");
    }),
    ("RNN", || {
        let mut layer = Rnn::from_options(RecurrentOptions::new(1, 1).without_bias());
        layer.set_state(&mut |_, weight| weight.ones_like());
        let mut output = Linear::new(1, 1).without_bias();
        output.weight.set(tensor![[2.0]]);
        let hidden = layer.forward(tensor![[[1.0], [0.5]]]);
        let y = Tanh::new().forward(output.forward(hidden));
        let first = 1.0_f64.tanh();
        let second = (0.5 + first).tanh();
        close(&y, &[(2.0 * first).tanh(), (2.0 * second).tanh()]);
    }),
    ("Scale", || {
        let mut layer = Scale::new([2]).with_bias();
        layer.weight.set(tensor![2.0, 3.0]);
        layer.bias.as_mut().unwrap().set(tensor![0.0, 1.0]);
        close(&layer.forward(x()), &[-2.0, 7.0, 0.0, 10.0]);
    }),
    ("Sigmoid", || {
        close(&Sigmoid::new().forward(tensor![0.0]), &[0.5]);
    }),
    ("SigmoidCrossEntropyLoss", || {
        let loss = BinaryCrossEntropyWithLogits::new();
        let loss = loss.forward(&tensor![0.0, 0.0], &tensor![1.0, 0.0]);
        close(&loss, &[2.0_f64.ln()]);
    }),
    ("Silence", || drop(x().exp())),
    ("Slice", || {
        let parts = x().split(1, 1);
        close(&parts[0], &[-1.0, 0.0]);
        close(&parts[1], &[2.0, 3.0]);
    }),
    ("Softmax", || {
        let y = Softmax::new(-1).forward(tensor![[0.0, 3.0_f32.ln()]]);
        close(&y, &[0.25, 0.75]);
    }),
    ("SoftmaxWithLoss", || {
        let logits = tensor![[0.0, 3.0_f32.ln()]];
        let loss = CrossEntropy::new().forward(&logits, &tensor![0]);
        close(&loss, &[4.0_f64.ln()]);
    }),
    ("Split", || {
        let gradient = grad(|x: &Tensor| (x * 2.0 + x * 3.0).sum(..))(&x());
        close(&gradient, &[5.0; 4]);
    }),
    ("SPP", || {
        let y = SpatialPyramidPool::new(2).forward(square());
        close(&y, &[15.0, 5.0, 7.0, 13.0, 15.0]);
    }),
    ("Swish", || {
        let y = Silu::new().forward(tensor![0.0, 1.0]);
        close(&y, &[0.0, 1.0 / (1.0 + (-1.0_f64).exp())]);
    }),
    ("TanH", || {
        close(&Tanh::new().forward(tensor![1.0]), &[1.0_f64.tanh()]);
    }),
    ("Threshold", || {
        close(&x().gt(1.0).cast(DType::F32), &[0.0, 1.0, 0.0, 1.0]);
    }),
    ("Tile", || {
        let y = x().tile(&[1, 2]);
        close(&y, &[-1.0, 2.0, -1.0, 2.0, 0.0, 3.0, 0.0, 3.0]);
    }),
];

fn x() -> Tensor {
    tensor![[-1.0, 2.0], [0.0, 3.0]]
}

/// One image of one channel, 4 by 4, the numbers from 0 on.
fn square() -> Tensor {
    Tensor::arange(16).cast(DType::F32).reshape([1, 1, 4, 4])
}

#[track_caller]
fn close(ours: &Tensor, expected: &[f64]) {
    let ours = ours.to_vec::<f64>();
    assert_eq!(ours.len(), expected.len());
    for (ours, expected) in ours.iter().zip(expected) {
        assert!((ours - expected).abs() < 1e-5, "{ours} is not {expected}");
    }
}

fn accuracy() {
    let mut accuracy = Accuracy::new();
    accuracy.update(&x(), &tensor![1, 0]).unwrap();
    assert_eq!(accuracy.value(), 0.5);
}

fn batch_norm() {
    let norm = BatchNorm::new(2).without_affine().epsilon(0.0);
    let y = norm.forward(tensor![[1.0, 0.0], [3.0, 4.0]]);
    close(&y, &[-1.0, -1.0, 1.0, 1.0]);
    assert!(norm.parameters().is_empty());
}

fn bias() {
    let mut layer = Bias::new([2]);
    layer.bias.set(tensor![1.0, -1.0]);
    close(&layer.forward(x()), &[0.0, 1.0, 1.0, 2.0]);
}

fn convolution() {
    let mut layer = Conv2d::new(1, 1, 2).stride(2).without_bias();
    layer.weight.set(tensor![[[[1.0, 0.0], [0.0, -1.0]]]]);
    close(&layer.forward(square()), &[-5.0; 4]);
}

fn deconvolution() {
    let mut layer = ConvTranspose2d::new(1, 1, 2).stride(2).without_bias();
    layer.weight.set(tensor![[[[1.0, 2.0], [3.0, 4.0]]]]);
    let y = layer.forward(tensor![[[[1.0, 10.0]]]]);
    close(&y, &[1.0, 2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0]);
}

/// Two classes of one image each, the second white.
fn image_folder() {
    let folder = std::env::temp_dir().join(format!("chainrule-caffe-{}", std::process::id()));
    for (class, grey) in [("black", 0.0), ("white", 1.0)] {
        std::fs::create_dir_all(folder.join(class)).unwrap();
        let picture = Picture::of_tensor(&Tensor::full([1, 2, 3], grey)).unwrap();
        std::fs::write(folder.join(class).join("0.png"), picture.to_png()).unwrap();
    }
    let images = ImageFolder::open(&folder, Colour::Grey).unwrap();
    assert_eq!(images.classes(), ["black", "white"]);
    let (image, label) = images.get(1).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    close(&image, &[1.0; 6]);
    assert_eq!(label.item::<i64>(), 1);
}

fn local_response_norm() {
    let norm = LocalResponseNorm::new(1).alpha(3.0).beta(0.5);
    let y = norm.forward(tensor![[[[1.0]], [[4.0]]]]);
    close(&y, &[0.5, 4.0 / 7.0]);
    // Within a channel: the mean square over a window, here the whole of it.
    let x = tensor![[[[1.0, 3.0], [5.0, 1.0]]]];
    let squares = AvgPool2d::new(2).forward(x.square());
    let divisor = Power::new(0.5).scale(1.0).forward(squares);
    close(&(x / divisor), &[1.0 / 3.0, 1.0, 5.0 / 3.0, 1.0 / 3.0]);
}

fn pooling() {
    let pool = MaxPool2d::new(3).stride(2).ceil_mode();
    close(&pool.forward(square()), &[10.0, 11.0, 14.0, 15.0]);
    close(
        &AvgPool2d::new(2).forward(square()),
        &[2.5, 4.5, 10.5, 12.5],
    );
    close(&GlobalAvgPool::new().forward(square()), &[7.5]);
}

/// The rows of the table: Caffe's name and what it is here.
fn rows() -> Vec<(&'static str, &'static str)> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim_matches('|').split('|').map(str::trim).collect()
    };
    let rows = TABLE.lines().filter(|line| line.starts_with("| "));
    let rows = rows.map(|line| {
        let cells = cells(line);
        (cells[0], cells[1])
    });
    rows.filter(|&(caffe, _)| caffe != "Caffe").collect()
}

#[test]
fn every_row_of_the_table_is_run() {
    let here = |&(_, here): &(&str, &str)| here != "not here yet";
    let named: Vec<&str> = rows()
        .into_iter()
        .filter(here)
        .map(|(caffe, _)| caffe)
        .collect();
    let tested: Vec<&str> = ROWS.iter().map(|(caffe, _)| *caffe).collect();
    assert_eq!(named, tested, "the table's rows and their tests");
    for (caffe, test) in ROWS {
        println!("{caffe}");
        test();
    }
}

#[test]
fn the_whole_catalogue_is_in_the_table() {
    let catalogue = "AbsVal Accuracy ArgMax BatchNorm BatchReindex Bias BNLL Concat ContrastiveLoss Convolution Crop Data \
        Deconvolution Dropout DummyData Eltwise ELU Embed EuclideanLoss Exp Filter Flatten HDF5Data HDF5Output HingeLoss \
        Im2col ImageData InfogainLoss InnerProduct Input Log LRN LSTM MemoryData MultinomialLogisticLoss MVN Parameter \
        Pooling Power PReLU Reduction ReLU Reshape RNN Scale Sigmoid SigmoidCrossEntropyLoss Silence Slice Softmax \
        SoftmaxWithLoss Split SPP Swish TanH Threshold Tile WindowData";
    let known: Vec<&str> = rows().into_iter().map(|(caffe, _)| caffe).collect();
    for layer in catalogue.split_whitespace() {
        assert!(known.contains(&layer), "{layer} has no row");
    }
}
