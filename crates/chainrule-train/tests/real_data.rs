//! The well-known data sets, read from a folder: `CHAINRULE_DATA=FOLDER cargo test -p chainrule-train --test real_data --
//! --ignored --nocapture`. The folder has `mnist`, `fashion-mnist`, `cifar10` and `tinyshakespeare`.

use chainrule_core::Tensor;
use chainrule_train::data::readers::idx::{self, Mnist};
use chainrule_train::data::readers::{cifar, text};
use chainrule_train::data::{Dataset, Loader, Sampler, Shuffled};
use std::path::PathBuf;
use std::time::Instant;

fn folder(name: &str) -> PathBuf {
    let data = std::env::var_os("CHAINRULE_DATA").expect("CHAINRULE_DATA names the folder");
    PathBuf::from(data).join(name)
}

fn mean(tensor: &Tensor) -> f64 {
    let elements: Vec<f32> = tensor.to_vec();
    elements.iter().map(|&x| f64::from(x)).sum::<f64>() / elements.len() as f64
}

fn is_complete(mnist: &Mnist, expected_mean: f64) {
    let (images, labels) = mnist.training.tensors();
    assert_eq!(images.shape().to_string(), "[60000, 1, 28, 28]");
    assert_eq!(mnist.test.len(), 10_000);
    assert!(
        (mean(images) - expected_mean).abs() < 1e-4,
        "{}",
        mean(images)
    );
    let labels: Vec<i64> = labels.to_vec();
    for class in 0..10 {
        let count = labels.iter().filter(|&&label| label == class).count();
        assert!((5_400..6_800).contains(&count), "{count} of class {class}");
    }
}

#[test]
#[ignore = "reads the folder that CHAINRULE_DATA names"]
fn mnist_and_its_batches() {
    let start = Instant::now();
    let mnist = idx::mnist(folder("mnist")).unwrap();
    println!("read MNIST: {:?}", start.elapsed());
    is_complete(&mnist, 0.1307);
    let labels: Vec<i64> = mnist.training.tensors().1.to_vec();
    assert_eq!(labels[..8], [5, 0, 4, 1, 9, 2, 1, 3]);
    let order = Shuffled {
        len: 60_000,
        seed: 1,
    }
    .order(0);
    for size in [64, 256] {
        let start = Instant::now();
        let batches = 60_000 / size;
        for indices in order.chunks(size).take(batches) {
            let (x, y) = mnist.training.batch(indices).unwrap();
            chainrule_core::evaluate(&[&x, &y]);
        }
        println!(
            "gather {size} x 784: {:?} a batch",
            start.elapsed() / batches as u32
        );
    }
    for workers in [0, 1, 2] {
        let loader = Loader::new(mnist.training.clone(), 64)
            .unwrap()
            .shuffle(1)
            .workers(workers);
        let start = Instant::now();
        let count = loader.epoch(0).flatten().count();
        println!(
            "loader, {workers} threads: {:?} a batch of 64",
            start.elapsed() / count as u32
        );
    }
}

#[test]
#[ignore = "reads the folder that CHAINRULE_DATA names"]
fn fashion_mnist() {
    is_complete(
        &idx::fashion_mnist(folder("fashion-mnist")).unwrap(),
        0.2860,
    );
}

#[test]
#[ignore = "reads the folder that CHAINRULE_DATA names"]
fn cifar10_and_its_batches() {
    let start = Instant::now();
    let cifar = cifar::cifar10(folder("cifar10")).unwrap();
    println!("read CIFAR-10: {:?}", start.elapsed());
    assert_eq!(cifar.classes, cifar::CLASSES);
    assert_eq!(
        cifar.training.images().shape().to_string(),
        "[50000, 3, 32, 32]"
    );
    assert_eq!(cifar.test.len(), 10_000);
    let labels: Vec<i64> = cifar.training.labels().to_vec();
    for class in 0..10 {
        assert_eq!(
            labels.iter().filter(|&&label| label == class).count(),
            5_000
        );
    }
    // The channels' means are known to be 0.491, 0.482, 0.447.
    let bytes: Vec<u8> = cifar.training.images().to_vec();
    for (channel, expected) in [0.4914, 0.4822, 0.4465].into_iter().enumerate() {
        let planes = bytes.chunks_exact(1024).skip(channel).step_by(3);
        let sum: u64 = planes.flatten().map(|&byte| u64::from(byte)).sum();
        let mean = sum as f64 / 255.0 / (50_000.0 * 1024.0);
        assert!((mean - expected).abs() < 2e-3, "{mean}, {expected}");
    }
    let loader = Loader::new(cifar.training, 128)
        .unwrap()
        .shuffle(1)
        .workers(0);
    let start = Instant::now();
    let count = loader.epoch(0).flatten().count();
    println!("CIFAR batch of 128: {:?}", start.elapsed() / count as u32);
}

#[test]
#[ignore = "reads the folder that CHAINRULE_DATA names"]
fn tiny_shakespeare_and_its_windows() {
    let play = text::tiny_shakespeare(folder("tinyshakespeare")).unwrap();
    let vocabulary = text::Vocabulary::of(&play);
    assert_eq!((play.len(), vocabulary.len()), (1_115_394, 65));
    let numbers = vocabulary.encode(&play).unwrap();
    let (training, validation) = text::Windows::divided(numbers, 128, 0.9).unwrap();
    assert_eq!(
        training.numbers().len() + validation.numbers().len(),
        play.len()
    );
    let loader = Loader::new(training, 32).unwrap().shuffle(1).workers(0);
    let start = Instant::now();
    let mut batches = loader.epoch(0);
    println!("order of an epoch: {:?}", start.elapsed());
    let start = Instant::now();
    let (x, y) = batches.next().unwrap().unwrap();
    println!("batch of 32 x 128 characters: {:?}", start.elapsed());
    assert_eq!(
        x.index((0, 1..)).to_vec::<i64>(),
        y.index((0, ..127)).to_vec::<i64>()
    );
}
