//! Augmentation and normalisation: against what they are by definition.

use chainrule_core::{DType, Tensor, tensor};
use chainrule_train::data::Random;
use chainrule_train::data::transforms::*;

/// `[channels, height, width]` with different values everywhere, from 0 to 1.
fn picture(channels: usize, height: usize, width: usize) -> Tensor {
    let count = channels * height * width;
    let pixels: Vec<f32> = (1..=count).map(|x| x as f32 / count as f32).collect();
    Tensor::from_vec(pixels, [channels, height, width])
}

fn applied(transform: &dyn Transform, image: &Tensor, seed: u64) -> Vec<f32> {
    transform.image(image, &mut Random::new(seed)).to_vec()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn every_transform_follows_its_seed_and_treats_each_image_in_its_own_way() {
    let jitter = ColourJitter {
        brightness: 0.4,
        contrast: 0.4,
        saturation: 0.4,
        hue: 0.2,
    };
    let affine = Affine {
        degrees: 20.0,
        translate: (0.2, 0.2),
        scale: (0.8, 1.2),
        shear: 10.0,
    };
    let all: Vec<Box<dyn Transform>> = vec![
        Box::new(RandomCrop {
            height: 8,
            width: 8,
            padding: 4,
        }),
        Box::new(FlipHorizontal { probability: 0.5 }),
        Box::new(FlipVertical { probability: 0.5 }),
        Box::new(Rotate { degrees: 30.0 }),
        Box::new(affine),
        Box::new(GaussianNoise { deviation: 0.1 }),
        Box::new(jitter),
        Box::new(Cutout { size: 3, count: 1 }),
    ];
    let one = picture(3, 8, 8);
    let images = Tensor::stack(&vec![one.clone(); 12], 0);
    for (number, transform) in all.iter().enumerate() {
        let run = |seed| -> Vec<f32> { transform.batch(&images, &mut Random::new(seed)).to_vec() };
        let pixels = run(1);
        assert_eq!(run(1), pixels, "{number} follows the seed");
        assert_ne!(run(2), pixels, "{number} differs by seed");
        assert!(pixels.iter().all(|x| x.is_finite()), "{number}");
        let first = &pixels[..192];
        let differs = pixels.chunks_exact(192).any(|image| image != first);
        assert!(differs, "{number} does the same to all images of a batch");
        let batched: Vec<f32> = pixels[..192].to_vec();
        let alone = applied(transform.as_ref(), &one, 1);
        assert_eq!(alone, batched, "{number}: one image is a batch of one");
    }
}

#[test]
fn crops_are_parts_of_the_padded_image() {
    let (image, padding) = (picture(2, 4, 5), 2);
    let padded = {
        let mut pixels = vec![0.0f32; 2 * 8 * 9];
        let inner: Vec<f32> = image.to_vec();
        for channel in 0..2 {
            for row in 0..4 {
                for column in 0..5 {
                    pixels[(channel * 8 + row + 2) * 9 + column + 2] =
                        inner[(channel * 4 + row) * 5 + column];
                }
            }
        }
        Tensor::from_vec(pixels, [2, 8, 9])
    };
    let crop = RandomCrop {
        height: 3,
        width: 4,
        padding,
    };
    let mut possible = Vec::new();
    for row in 0..=5usize {
        for column in 0..=5usize {
            let part = padded.index((.., row..row + 3, column..column + 4));
            possible.push(part.to_vec::<f32>());
        }
    }
    let mut met = vec![false; possible.len()];
    for seed in 0..600 {
        let part = applied(&crop, &image, seed);
        let at = possible.iter().position(|known| *known == part);
        met[at.expect("a part of the padded image")] = true;
    }
    assert!(met.iter().all(|&met| met), "every place occurs");
    // A padding so large that parts lie beside the image.
    let beside = RandomCrop {
        height: 1,
        width: 1,
        padding: 3,
    };
    assert!((0..50).any(|seed| applied(&beside, &image, seed) == [0.0, 0.0]));
}

#[test]
fn resizing_weighs_as_other_libraries_do() {
    let resized = |image: &Tensor, height, width| applied(&Resize { height, width }, image, 1);
    let row = tensor![[[0.0, 7.0, 14.0, 35.0]]];
    // Triangles two pixels wide on each side: 3/7, 3/7, 1/7.
    assert!(close(&resized(&row, 1, 2), &[5.0, 22.0]));
    // Enlarged, values are interpolated and the ends repeated.
    let two = tensor![[[0.0, 4.0]]];
    assert!(close(
        &resized(&two, 2, 4),
        &[0.0, 1.0, 3.0, 4.0, 0.0, 1.0, 3.0, 4.0]
    ));
    let image = picture(3, 5, 7);
    assert!(close(&resized(&image, 5, 7), &image.to_vec::<f32>()));
    let flat = Tensor::full([2, 9, 5], 0.25);
    assert!(resized(&flat, 4, 8).iter().all(|x| (x - 0.25).abs() < 1e-6));
    // Both directions at once are one after the other.
    let there = resized(&image, 3, 4);
    let down = Tensor::from_vec(resized(&image, 3, 7), [3, 3, 7]);
    assert!(close(&there, &resized(&down, 3, 4)));
}

#[test]
fn flips_mirror() {
    let image = tensor![[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9]]];
    let sides = FlipHorizontal { probability: 1.0 };
    assert_eq!(
        applied(&sides, &image, 1),
        [0.3, 0.2, 0.1, 0.6, 0.5, 0.4, 0.9, 0.8, 0.7]
    );
    let upside = FlipVertical { probability: 1.0 };
    assert_eq!(
        applied(&upside, &image, 1),
        [0.7, 0.8, 0.9, 0.4, 0.5, 0.6, 0.1, 0.2, 0.3]
    );
    let even = picture(2, 4, 3);
    assert_eq!(applied(&upside, &even, 1), even.flip([1]).to_vec::<f32>());
    assert_eq!(
        applied(&FlipVertical { probability: 0.0 }, &even, 1),
        even.to_vec::<f32>()
    );
}

/// What is left of randomness when both ends of the range are the same.
fn fixed(degrees: f64, scale: f64) -> impl Fn(&Tensor) -> Vec<f32> {
    move |image| {
        let affine = Affine {
            degrees,
            scale: (scale, scale),
            ..Affine::default()
        };
        // Angles are drawn from both sides: take the seed that comes closest to the largest one.
        let seed = (0..5000).max_by(|&a, &b| {
            let angle = |seed| Random::at(&[Random::new(seed).bits(), 0]).unit();
            angle(a).total_cmp(&angle(b))
        });
        applied(&affine, image, seed.unwrap())
    }
}

#[test]
fn a_quarter_turn_is_counter_clockwise() {
    let image = tensor![[[1.0, 2.0], [3.0, 4.0]]];
    let turned = fixed(90.0, 1.0)(&image);
    let expected = [2.0, 4.0, 1.0, 3.0];
    let near = turned
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 0.02);
    assert!(near, "{turned:?}");
}

#[test]
fn a_scale_of_two_shows_the_middle() {
    let image = picture(1, 4, 4);
    let large = fixed(0.0, 2.0)(&image);
    let source: Vec<f32> = image.to_vec();
    // Output (0, 0) is 1.5 from the centre, hence 0.75 in the image: between pixels 0 and 1 on both axes.
    let mix = |a: f32, b: f32| 0.25 * a + 0.75 * b;
    let expected = mix(mix(source[0], source[1]), mix(source[4], source[5]));
    assert!(
        (large[0] - expected).abs() < 1e-5,
        "{} {expected}",
        large[0]
    );
}

#[test]
fn translation_moves_and_leaves_zeros() {
    let image = Tensor::ones([1, 4, 4]);
    let affine = Affine {
        translate: (1.0, 0.0),
        ..Affine::default()
    };
    let sums = (0..40).map(|seed| applied(&affine, &image, seed).iter().sum::<f32>());
    assert!(sums.into_iter().all(|sum| (0.0..16.0).contains(&sum)));
}

#[test]
fn noise_has_its_deviation() {
    let noise = GaussianNoise { deviation: 0.1 };
    let noisy = applied(&noise, &Tensor::full([1, 200, 201], 0.5), 4);
    let count = noisy.len() as f32;
    let mean = noisy.iter().sum::<f32>() / count;
    let variance = noisy.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count;
    assert!((mean - 0.5).abs() < 2e-3, "{mean}");
    assert!((variance.sqrt() - 0.1).abs() < 2e-3, "{variance}");
}

#[test]
fn colours_stay_in_range_and_parts_do_what_they_say() {
    let image = picture(3, 5, 5);
    let only = |jitter: ColourJitter| {
        (0..30)
            .map(|seed| applied(&jitter, &image, seed))
            .collect::<Vec<_>>()
    };
    let source: Vec<f32> = image.to_vec();
    let grey = |pixels: &[f32]| -> Vec<f32> {
        (0..25)
            .map(|at| 0.299 * pixels[at] + 0.587 * pixels[at + 25] + 0.114 * pixels[at + 50])
            .collect()
    };
    for changed in only(ColourJitter {
        brightness: 0.5,
        ..Default::default()
    }) {
        let factor = changed[0] / source[0];
        assert!((0.5..=1.5).contains(&factor));
        let expected: Vec<f32> = source
            .iter()
            .map(|x| (x * factor).clamp(0.0, 1.0))
            .collect();
        assert!(close(&changed, &expected));
    }
    for changed in only(ColourJitter {
        saturation: 0.2,
        ..Default::default()
    }) {
        // Brightness does not change where nothing is cut off.
        let inside: Vec<bool> = (0..25)
            .map(|at| changed[at] > 0.0 && changed[at + 50] < 1.0)
            .collect();
        let (before, after) = (grey(&source), grey(&changed));
        assert!((0..25).all(|at| !inside[at] || (before[at] - after[at]).abs() < 1e-5));
    }
    for changed in only(ColourJitter {
        hue: 0.5,
        ..Default::default()
    }) {
        let peak = |pixels: &[f32], at: usize| pixels[at].max(pixels[at + 25]).max(pixels[at + 50]);
        assert!((0..25).all(|at| (peak(&source, at) - peak(&changed, at)).abs() < 1e-5));
    }
    for changed in only(ColourJitter {
        contrast: 0.9,
        brightness: 0.9,
        saturation: 0.9,
        hue: 0.5,
    }) {
        assert!(changed.iter().all(|x| (0.0..=1.0).contains(x)));
    }
}

#[test]
fn cutout_cuts_squares_in_all_channels() {
    let image = Tensor::ones([2, 9, 9]);
    let cut = applied(&Cutout { size: 3, count: 1 }, &image, 8);
    let zeros = cut[..81].iter().filter(|&&x| x == 0.0).count();
    assert!([4, 6, 9].contains(&zeros), "{zeros}");
    assert_eq!(cut[..81], cut[81..]);
}

#[test]
fn mixup_mixes_inputs_and_targets_alike() {
    let inputs = Tensor::arange(4).cast(DType::F32).unsqueeze(1);
    let (x, y) = mixup(&inputs, &tensor![0, 1, 2, 3], 4, 1.0, &mut Random::new(2));
    // The input of each example is its label, so the mixed input is the expected label.
    let expected = y.matmul(&inputs).to_vec::<f32>();
    assert!(close(&x.to_vec::<f32>(), &expected));
    assert!(y.to_vec::<f32>().iter().any(|&p| p > 0.01 && p < 0.99));
    let again = mixup(&inputs, &tensor![0, 1, 2, 3], 4, 1.0, &mut Random::new(2));
    assert_eq!(again.0.to_vec::<f32>(), x.to_vec::<f32>());
}

#[test]
fn normalisation_gives_mean_zero_and_deviation_one() {
    let images = Random::new(3);
    let mut random = images;
    let bytes: Vec<u8> = (0..2 * 3 * 16).map(|_| random.below(256) as u8).collect();
    let images = Tensor::from_vec(bytes, [2, 3, 4, 4]);
    let normalise = Normalise::fit(&images).unwrap();
    let floats = images.cast(DType::F32) / 255.0;
    assert_eq!(Normalise::fit(&floats).unwrap().mean().len(), 3);
    let result = normalise.normalised(&floats);
    let means: Vec<f32> = result.mean([0isize, 2, 3]).to_vec();
    assert!(means.iter().all(|mean| mean.abs() < 1e-5), "{means:?}");
    let squares: Vec<f32> = (&result * &result).mean([0isize, 2, 3]).to_vec();
    assert!(
        squares.iter().all(|square| (square - 1.0).abs() < 1e-4),
        "{squares:?}"
    );
    let by_image: Vec<f32> = normalise.batch(&floats, &mut Random::new(1)).to_vec();
    assert!(close(&by_image, &result.to_vec::<f32>()));
    assert!(Normalise::fit(&Tensor::zeros([0, 3, 4, 4])).is_err());
    assert!(Standardise::fit(&Tensor::zeros([0, 3])).is_err());
    assert!(Standardise::fit(&tensor![[1.0, f64::NAN]]).is_err());
}

#[test]
#[ignore = "a measurement: cargo test --release -p chainrule-train --test data_transforms -- --ignored --nocapture"]
fn what_augmenting_a_batch_costs() {
    let images = Tensor::stack(&vec![picture(3, 32, 32); 128], 0);
    let report = |name: &str, transform: &dyn Transform| {
        transform.batch(&images, &mut Random::new(0));
        let start = std::time::Instant::now();
        for seed in 0..20 {
            transform.batch(&images, &mut Random::new(seed));
        }
        println!("{name}: {:?} for [128, 3, 32, 32]", start.elapsed() / 20);
    };
    let crop = RandomCrop {
        height: 32,
        width: 32,
        padding: 4,
    };
    let flip = FlipHorizontal { probability: 0.5 };
    report("nothing", &Compose::new());
    report("crop", &crop);
    report(
        "crop, flip, normalise",
        &Compose::new()
            .then(crop)
            .then(flip)
            .then(Normalise::new(vec![0.5; 3], vec![0.2; 3])),
    );
    report("rotate", &Rotate { degrees: 10.0 });
    report("noise", &GaussianNoise { deviation: 0.1 });
    report(
        "colour",
        &ColourJitter {
            brightness: 0.2,
            contrast: 0.2,
            saturation: 0.2,
            hue: 0.1,
        },
    );
    report("cutout", &Cutout { size: 8, count: 1 });
}
