//! Readers on small files: what they read, and what they say about damaged ones.

use chainrule_core::{DType, Tensor};
use chainrule_train::data::readers::csv::Csv;
use chainrule_train::data::readers::image::{self, Colour};
use chainrule_train::data::readers::image_folder::ImageFolder;
use chainrule_train::data::readers::text::{self, Vocabulary, Windows};
use chainrule_train::data::readers::{cifar, idx, npy, npz};
use chainrule_train::data::{Continued, DataError, Dataset, Loader, Place, Sampler, breast_cancer};
use std::path::PathBuf;

mod files;
use files::*;

/// The mean of the values of [`JPEG`] as Pillow decodes it.
const JPEG_MEAN: f32 = 124.02;

/// A folder for one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("chainrule-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn message<T>(outcome: Result<T, DataError>) -> String {
    outcome.err().expect("an error").to_string()
}

#[test]
fn idx_reads_every_type() {
    let of = |kind: u8, elements: &[u8], extent: u32| {
        idx::decode("file", &idx_file(kind, &[extent], elements)).unwrap()
    };
    assert_eq!(of(0x08, &[0, 255], 2).to_vec::<u8>(), [0, 255]);
    assert_eq!(of(0x09, &[0, 255], 2).to_vec::<i32>(), [0, -1]);
    assert_eq!(of(0x0b, &[1, 0, 255, 254], 2).to_vec::<i32>(), [256, -2]);
    assert_eq!(of(0x0c, &(-7i32).to_be_bytes(), 1).to_vec::<i32>(), [-7]);
    assert_eq!(of(0x0d, &1.5f32.to_be_bytes(), 1).to_vec::<f32>(), [1.5]);
    assert_eq!(of(0x0e, &2.5f64.to_be_bytes(), 1).to_vec::<f64>(), [2.5]);
}

#[test]
fn idx_says_what_is_wrong_and_where() {
    let whole = idx_file(8, &[2, 3], &[1, 2, 3, 4, 5, 6]);
    assert_eq!(
        idx::decode("f", &gzip(&whole)).unwrap().to_vec::<u8>(),
        [1, 2, 3, 4, 5, 6]
    );
    let cut = message(idx::decode("f", &whole[..15]));
    assert_eq!(
        cut,
        "f, byte 12: the elements of a tensor [2, 3] would take 6 bytes, at most 3 are left"
    );
    let more = [whole.clone(), vec![0]].concat();
    assert_eq!(
        message(idx::decode("f", &more)),
        "f, byte 18: the content ends here, but more bytes follow"
    );
    assert!(message(idx::decode("f", b"PNG!")).starts_with("f, byte 0: not an IDX file"));
    assert!(message(idx::decode("f", &[0, 0, 7, 1])).starts_with("f, byte 2: 0x07 is not one of"));
    let absurd = idx_file(8, &[u32::MAX, u32::MAX, u32::MAX], &[0; 8]);
    assert!(message(idx::decode("f", &absurd)).contains("at most 8 are left"));
    let packed = gzip(&whole);
    assert!(message(idx::decode("f", &packed[..packed.len() - 12])).starts_with("f, byte "));
}

#[test]
fn an_mnist_folder_is_read_whole_or_its_faults_are_named() {
    let folder = Folder::new("mnist");
    let images = idx_file(8, &[2, 2, 2], &[0, 51, 102, 153, 204, 255, 0, 0]);
    let missing = message(idx::mnist(&folder.0));
    assert!(
        missing.contains("train-images-idx3-ubyte.gz") && missing.contains("get it from https://"),
        "{missing}"
    );
    folder.write("train-images-idx3-ubyte", &images);
    folder.write("t10k-images-idx3-ubyte.gz", &gzip(&images));
    folder.write("train-labels-idx1-ubyte", &idx_file(8, &[2], &[7, 9]));
    let one = message(idx::mnist(&folder.0));
    assert!(
        !one.contains("train-") && one.contains("t10k-labels-idx1-ubyte"),
        "{one}"
    );
    let labels = folder.write("t10k-labels-idx1-ubyte", &idx_file(8, &[2], &[1, 2]));
    let mnist = idx::mnist(&folder.0).unwrap();
    let (x, y) = mnist.training.batch(&[1, 0]).unwrap();
    assert_eq!(x.shape().to_string(), "[2, 1, 2, 2]");
    assert_eq!(x.to_vec::<f32>()[..2], [0.8, 1.0]);
    assert_eq!(y.to_vec::<i64>(), [9, 7]);
    std::fs::write(&labels, idx_file(8, &[2], &[1, 10])).unwrap();
    let text = message(idx::mnist(&folder.0));
    assert!(
        text.ends_with("byte 9: label 10 is out of range: there are 10 classes, numbered from 0"),
        "{text}"
    );
    std::fs::write(&labels, idx_file(8, &[3], &[1, 1, 1])).unwrap();
    assert!(message(idx::mnist(&folder.0)).contains("it has 3 labels"));
    std::fs::write(&labels, &images).unwrap();
    assert!(message(idx::mnist(&folder.0)).contains("labels have 0x00000801"));
}

#[test]
fn cifar_records_are_read_in_order() {
    let mut bytes = Vec::new();
    for label in [3u8, 9] {
        bytes.push(label);
        bytes.extend((0..3072).map(|at| (at / 1024) as u8 + label));
    }
    let data = cifar::decode("batch", &bytes, cifar::Labels::Ten).unwrap();
    let (x, y) = data.batch(&[1]).unwrap();
    assert_eq!(y.to_vec::<i64>(), [9]);
    assert_eq!(x.shape().to_string(), "[1, 3, 32, 32]");
    assert_eq!(x.index((0, 2, 31, 31)).item::<f32>(), 11.0 / 255.0);
    let cut = message(cifar::decode("batch", &bytes[..6000], cifar::Labels::Ten));
    assert_eq!(
        cut,
        "batch, byte 6000: the file ends inside record 1: a record has 3073 bytes, 2927 are left"
    );
    assert!(matches!(
        cifar::decode("batch", &[], cifar::Labels::Ten),
        Err(DataError::Empty(_))
    ));
    let hundred = [vec![19, 99], vec![0; 3072]].concat();
    let fine = cifar::decode("batch", &hundred, cifar::Labels::Fine).unwrap();
    assert_eq!(fine.labels().to_vec::<i64>(), [99]);
}

#[test]
fn a_cifar_folder_may_hold_files_folders_or_an_archive() {
    let folder = Folder::new("cifar");
    assert!(message(cifar::cifar10(&folder.0)).contains("test_batch.bin"));
    folder.write("cifar10-jpeg.tar.gz", &archive());
    let packed = cifar::cifar10(&folder.0).unwrap();
    for part in ["train", "test"] {
        for class in ["cat", "dog"] {
            folder.write(&format!("{part}/{class}/0001.png"), &png(class == "dog"));
        }
    }
    let unpacked = cifar::cifar10(&folder.0).unwrap();
    for cifar in [&packed, &unpacked] {
        assert_eq!(cifar.classes, ["cat", "dog"]);
        assert_eq!(cifar.training.labels().to_vec::<i64>(), [0, 1]);
        assert_eq!(cifar.test.images().shape().to_string(), "[2, 3, 2, 3]");
    }
    assert_eq!(
        packed.training.images().to_vec::<u8>(),
        unpacked.training.images().to_vec::<u8>()
    );
}

#[test]
fn the_binary_archive_of_cifar_is_read_as_it_is() {
    let folder = Folder::new("cifar-binary");
    folder.write("cifar-10-binary.tar.gz", &binary_archive());
    let cifar = cifar::cifar10(&folder.0).unwrap();
    assert_eq!(cifar.training.labels().to_vec::<i64>(), [4, 5]);
    assert_eq!(cifar.test.labels().to_vec::<i64>(), [9]);
    assert_eq!(
        cifar.training.images().index((1, 2, 31, 31)).item::<u8>(),
        5
    );
    assert_eq!(cifar.classes, cifar::CLASSES);
}

#[test]
fn images_are_read_with_the_channels_asked_for() {
    let colour = image::decode("x.png", &png(false), Colour::Rgb).unwrap();
    assert_eq!(colour.shape().to_string(), "[3, 2, 3]");
    let pixels: Vec<f32> = colour.to_vec();
    assert_eq!(
        pixels[..6],
        [0.0, 10.0, 20.0, 30.0, 40.0, 50.0].map(|x| x / 255.0)
    );
    assert_eq!(pixels[12], 200.0 / 255.0);
    let grey = image::decode("x.png", &png(false), Colour::Grey).unwrap();
    assert_eq!(grey.shape().to_string(), "[1, 2, 3]");
    let expected = (0.587f32 * 100.0 + 0.114 * 200.0).round() / 255.0;
    assert_eq!(grey.to_vec::<f32>()[0], expected);
    let jpeg = image::decode("x.jpg", JPEG, Colour::Rgb).unwrap();
    assert_eq!(jpeg.shape().to_string(), "[3, 32, 32]");
    // JPEG leaves decoders differences of rounding only.
    let mean = jpeg.mean(..).item::<f32>() * 255.0;
    assert!((mean - JPEG_MEAN).abs() < 0.5, "{mean}");
    for (file, channels) in [(PROGRESSIVE, 3), (GREY, 1)] {
        let image = image::decode("x.jpg", file, Colour::Rgb).unwrap();
        let near = |x: usize, y: usize, channel: usize, expected: f32| {
            let value = image.index((channel, y, x)).item::<f32>() * 255.0;
            assert!((value - expected).abs() < 12.0, "{value}, {expected}");
        };
        near(8, 20, 0, 64.0);
        near(8, 20, 1, if channels == 3 { 160.0 } else { 64.0 });
        near(30, 20, 2, if channels == 3 { 200.0 } else { 240.0 });
    }
    assert!(
        message(image::decode("x.png", &png(false)[..40], Colour::Rgb))
            .starts_with("x.png: not a whole PNG")
    );
    let cut = message(image::decode("x.jpg", &JPEG[..JPEG.len() / 2], Colour::Rgb));
    assert!(cut.starts_with("x.jpg: not a whole JPEG"), "{cut}");
}

#[test]
fn an_image_folder_is_decoded_when_asked() {
    let folder = Folder::new("images");
    assert!(matches!(
        ImageFolder::open(&folder.0, Colour::Rgb),
        Err(DataError::Empty(_))
    ));
    folder.write("b/1.png", &png(true));
    folder.write("a/2.jpeg", JPEG);
    folder.write("a/notes.txt", b"not an image");
    folder.write("empty/notes.txt", b"no images");
    let images = ImageFolder::open(&folder.0, Colour::Rgb).unwrap();
    assert_eq!(
        (images.len(), images.classes()),
        (2, ["a".to_owned(), "b".to_owned()].as_slice())
    );
    assert_eq!(images.get(1).unwrap().1.item::<i64>(), 1);
    assert_eq!(images.get(0).unwrap().0.shape().to_string(), "[3, 32, 32]");
    assert!(message(images.load()).contains("the image is 3 x 2, those before are 32 x 32"));
    folder.write("b/1.png", b"damaged");
    let loader = Loader::new(images, 1).unwrap();
    let text = message(loader.epoch(0).nth(1).unwrap());
    assert!(
        text.starts_with("example 1: ") && text.contains("1.png: neither"),
        "{text}"
    );
}

#[test]
fn csv_columns_have_their_roles() {
    let file = b"a;b;c;d\n1;2;x;4\n5;6;y;8\n";
    let csv = Csv::new()
        .delimiter(b';')
        .inputs(["b", "a"])
        .targets(["d"])
        .label("c")
        .dtype(DType::F64);
    let table = csv.decode("t", &gzip(file)).unwrap();
    assert_eq!(table.inputs.to_vec::<f64>(), [2.0, 1.0, 6.0, 5.0]);
    assert_eq!(table.targets.as_ref().unwrap().to_vec::<f64>(), [4.0, 8.0]);
    assert_eq!(table.labels.as_ref().unwrap().to_vec::<i64>(), [0, 1]);
    assert_eq!(table.regression().unwrap().len(), 2);
    let plain = Csv::new().header(false).label(-1);
    let table = plain.decode("t", b"1,2,2\n3,4,0\n").unwrap();
    assert_eq!(
        (table.columns, table.classes),
        (
            vec!["0".to_owned(), "1".to_owned()],
            ["0", "1", "2"].map(str::to_owned).to_vec()
        )
    );
    assert!(table.targets.is_none());
}

#[test]
fn csv_mistakes_have_line_and_column() {
    let read = |csv: Csv, file: &str| message(csv.decode("t.csv", file.as_bytes()));
    assert_eq!(
        read(Csv::new(), "a,b\n1,2\n3,x\n"),
        "t.csv, line 3, column b: \"x\" is not a number"
    );
    assert_eq!(
        read(Csv::new(), "a,b\n1,\n"),
        "t.csv, line 2, column b: the cell is empty"
    );
    assert_eq!(
        read(Csv::new(), "a,b\n1,nan\n"),
        "t.csv, line 2, column b: \"nan\" is not a finite number"
    );
    assert_eq!(
        read(Csv::new(), "a,b\n1,2\n3\n"),
        "t.csv, line 3: 1 columns; the rows before have 2"
    );
    assert!(
        read(Csv::new().label("c"), "a,b\n1,2\n")
            .contains("there is no column \"c\"; there are a, b")
    );
    assert!(read(Csv::new().label(2), "a,b\n1,2\n").contains("there is no column 2"));
    assert!(read(Csv::new(), "a,b\n").contains("is empty"));
    let classes = Csv::new().label("b").classes(["no", "yes"]);
    assert!(
        read(classes.clone(), "a,b\n1,2\n")
            .contains("label 2 is out of range: there are 2 classes")
    );
    assert!(read(classes, "a,b\n1,maybe\n").contains("\"maybe\" is none of the classes"));
}

#[test]
fn the_shipped_table_is_what_it_says() {
    let table = breast_cancer().unwrap();
    let labels: Vec<i64> = table.labels.as_ref().unwrap().to_vec();
    assert_eq!(labels.iter().filter(|&&label| label == 0).count(), 212);
    let radius: Vec<f32> = table.inputs.index((.., 0)).to_vec();
    let mean = radius.iter().sum::<f32>() / radius.len() as f32;
    assert!((mean - 14.127).abs() < 1e-2, "{mean}");
    assert_eq!(
        (table.columns.len(), table.columns[29].as_str()),
        (30, "worst fractal dimension")
    );
}

#[test]
fn npy_reads_every_dtype_both_orders_and_all_versions() {
    let of = |descr: &str, bytes: &[u8]| {
        npy::decode("x", &npy_file(1, descr, false, "(2,)", bytes)).unwrap()
    };
    assert_eq!(
        of("<f4", &[1.5f32, -2.0].map(f32::to_le_bytes).concat()).to_vec::<f32>(),
        [1.5, -2.0]
    );
    assert_eq!(
        of(">f8", &[1.5f64, -2.0].map(f64::to_be_bytes).concat()).to_vec::<f64>(),
        [1.5, -2.0]
    );
    assert_eq!(
        of("<f2", &[0x00, 0x3c, 0x00, 0xc0])
            .cast(DType::F32)
            .to_vec::<f32>(),
        [1.0, -2.0]
    );
    assert_eq!(
        of("|V2", &[0x80, 0x3f, 0x00, 0xc0])
            .cast(DType::F32)
            .to_vec::<f32>(),
        [1.0, -2.0]
    );
    assert_eq!(of("|V2", &[0x80, 0x3f, 0x00, 0xc0]).dtype(), DType::BF16);
    assert_eq!(of("|b1", &[1, 0]).to_vec::<bool>(), [true, false]);
    assert_eq!(of("|u1", &[1, 200]).to_vec::<u8>(), [1, 200]);
    assert_eq!(of("|i1", &[1, 200]).to_vec::<i32>(), [1, -56]);
    assert_eq!(of(">i2", &[1, 0, 255, 255]).to_vec::<i32>(), [256, -1]);
    assert_eq!(of("<u2", &[0, 1, 255, 255]).to_vec::<i32>(), [256, 65535]);
    assert_eq!(
        of("<i4", &[1i32, -2].map(i32::to_le_bytes).concat()).to_vec::<i32>(),
        [1, -2]
    );
    assert_eq!(
        of("<u4", &[1u32, u32::MAX].map(u32::to_le_bytes).concat()).to_vec::<i64>(),
        [1, 4294967295]
    );
    assert_eq!(
        of(">i8", &[1i64, -2].map(i64::to_be_bytes).concat()).to_vec::<i64>(),
        [1, -2]
    );
    assert_eq!(
        of("<u8", &[1u64, 2].map(u64::to_le_bytes).concat()).to_vec::<i64>(),
        [1, 2]
    );
    let large = npy_file(1, "<u8", false, "(1,)", &u64::MAX.to_le_bytes());
    assert!(message(npy::decode("x", &large)).contains("too large for i64"));
    let six: Vec<u8> = (1..=6).collect();
    for version in 1..=3 {
        let rows = npy::decode("x", &npy_file(version, "|u1", false, "(2, 3)", &six)).unwrap();
        assert_eq!(rows.index((1, 0)).item::<u8>(), 4);
        let columns = npy::decode("x", &npy_file(version, "|u1", true, "(2, 3)", &six)).unwrap();
        assert_eq!(columns.shape().to_string(), "[2, 3]");
        assert_eq!(columns.to_vec::<u8>(), [1, 3, 5, 2, 4, 6]);
    }
    assert_eq!(
        npy::decode("x", &npy_file(1, "|u1", false, "()", &[7]))
            .unwrap()
            .item::<u8>(),
        7
    );
}

#[test]
fn npy_says_what_is_wrong() {
    let bad = |file: &[u8]| message(npy::decode("x.npy", file));
    assert!(bad(b"PK\x03\x04....").starts_with("x.npy, byte 0: not a .npy file"));
    assert!(bad(&npy_file(4, "|u1", false, "(1,)", &[1])).contains("version 4"));
    assert!(
        bad(&npy_file(1, "<c8", false, "(1,)", &[0; 8]))
            .contains("not supported: elements of dtype '<c8'")
    );
    assert!(
        bad(&npy_file(
            1,
            "|u1",
            false,
            "(1152921504606846976,)",
            &[0; 8]
        ))
        .contains("at most 8 are left")
    );
    assert!(
        bad(&npy_file(
            1,
            "<f8",
            false,
            "(4294967296, 4294967296)",
            &[0; 8]
        ))
        .contains("does not fit in any memory")
    );
    assert!(bad(&npy_file(1, "|u1", false, "(2,)", &[1, 2, 3])).contains("more bytes follow"));
    assert!(bad(&npy_file(1, "|u1", false, "(x,)", &[1])).contains("no shape"));
}

#[test]
fn npz_reads_all_arrays() {
    for packed in [false, true] {
        let arrays = npz::decode("x.npz", &npz_file(packed)).unwrap();
        assert_eq!(arrays.keys().collect::<Vec<_>>(), ["bias", "weight"]);
        assert_eq!(arrays["weight"].to_vec::<f32>(), [1.0, 2.0, 3.0, 4.0]);
        assert_eq!(arrays["bias"].shape().to_string(), "[600]");
    }
    let file = npz_file(false);
    assert!(
        message(npz::decode("x.npz", &file[..file.len() - 30]))
            .starts_with("x.npz: not a whole zip")
    );
    let mut wrong = file.clone();
    let at = wrong
        .windows(6)
        .position(|bytes| bytes == b"\x93NUMPY")
        .unwrap();
    wrong[at + 1] = b'M';
    let text = message(npz::decode("x.npz", &wrong));
    assert!(
        text.starts_with("x.npz, entry `weight.npy`, byte 0: "),
        "{text}"
    );
}

#[test]
fn what_numpy_writes_is_read() {
    let arrays = npz::decode("numpy.npz", NUMPY).unwrap();
    assert_eq!(arrays["half"].cast(DType::F32).to_vec::<f32>(), [1.5, -2.0]);
    assert_eq!(arrays["half"].dtype(), DType::F16);
    assert_eq!(arrays["fortran"].to_vec::<i32>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(arrays["truth"].to_vec::<bool>(), [true, false]);
    assert_eq!(arrays["scalar"].item::<f64>(), 3.25);
    assert_eq!(arrays["empty"].shape().to_string(), "[0, 4]");
}

#[test]
fn texts_and_windows() {
    let folder = Folder::new("text");
    assert!(message(text::tiny_shakespeare(&folder.0)).contains("input.txt"));
    folder.write("input.txt.gz", &gzip("Über allen Gipfeln".as_bytes()));
    let text = text::tiny_shakespeare(&folder.0).unwrap();
    let vocabulary = Vocabulary::of(&text);
    let numbers = vocabulary.encode(&text).unwrap();
    assert_eq!(vocabulary.decode(&numbers).unwrap(), text);
    assert!(vocabulary.decode(&[-1]).is_err() && vocabulary.decode(&[99]).is_err());
    let (first, second) = Windows::divided(numbers.clone(), 3, 0.7).unwrap();
    assert_eq!((first.numbers().len(), second.numbers().len()), (12, 6));
    let windows = Windows::new((0..10).collect(), 3).unwrap();
    assert_eq!(windows.len(), 7);
    assert_eq!(windows.get(6).unwrap().1.to_vec::<i64>(), [7, 8, 9]);
    assert!(windows.get(7).is_err());
    let apart = windows.clone().stride(3);
    assert_eq!(apart.len(), 3);
    assert_eq!(apart.get(2).unwrap().0.to_vec::<i64>(), [6, 7, 8]);
    assert!(Windows::new(vec![1, 2, 3], 3).is_err());
    // Each row of a batch goes on where it was in the batch before.
    let long = Windows::new((0..33).collect(), 4).unwrap().stride(4);
    let order = Continued {
        len: long.len(),
        batch_size: 2,
    };
    assert_eq!(order.len(), 8);
    let batches: Vec<(Tensor, Tensor)> = Loader::new(long, 2)
        .unwrap()
        .sampler(order)
        .epoch(0)
        .flatten()
        .collect();
    let ends = batches[0].1.index((.., 3)).to_vec::<i64>();
    assert_eq!(batches[1].0.index((.., 0)).to_vec::<i64>(), ends);
}

#[test]
fn missing_files_are_named() {
    let error = idx::read("no/such/file").unwrap_err();
    assert!(matches!(&error, DataError::Io { path, .. } if path.ends_with("file")));
    assert!(error.to_string().starts_with("cannot read no/such/file: "));
    assert_eq!(Place::Byte(3).to_string(), ", byte 3");
}
