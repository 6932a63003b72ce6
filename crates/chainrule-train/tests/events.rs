//! Event files are read back, by our own reader and by the `tensorboard` package.
//!
//! The test against the package needs a Python that has it: `python3 -m venv tb && tb/bin/pip install tensorboard`, then
//! `CHAINRULE_TENSORBOARD_PYTHON=tb/bin/python cargo test -p chainrule-train --test events`. Without that variable it
//! tries `python3`; where the package is missing it prints so and passes.

use chainrule_core::{Tensor, tensor};
use chainrule_train::events::frame::{FrameError, Records, crc32c, masked_crc32c, write_record};
use chainrule_train::events::message::{Content, Event, What};
use chainrule_train::events::{EventWriter, histogram};
use prost::Message;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("chainrule-events-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A run of ten steps with something of everything.
fn written(directory: &Path) -> PathBuf {
    let mut events = EventWriter::create(directory).unwrap();
    for step in 0..10 {
        events
            .scalar("train/loss", step, 1.0 / (step + 1) as f64)
            .unwrap();
    }
    let weights = Tensor::from_vec((-50..50).map(|i| i as f32 * 0.01).collect(), [10, 10]);
    events.histogram("weights/hidden", 9, &weights).unwrap();
    events.text("config", 0, "**epochs** = 2 é").unwrap();
    events
        .image("sample", 3, &tensor![[0.0, 1.0], [0.5, 0.25], [1.0, 0.0]])
        .unwrap();
    events
        .image("colour", 3, &Tensor::full([3, 2, 4], 0.5))
        .unwrap();
    events.path().to_owned()
}

fn events(bytes: &[u8]) -> Vec<Event> {
    Records::new(bytes)
        .map(|record| Event::decode(&record.unwrap()[..]).unwrap())
        .collect()
}

fn contents(events: &[Event]) -> Vec<(String, i64, Content)> {
    let mut contents = Vec::new();
    for event in events {
        if let Some(What::Summary(summary)) = &event.what {
            for value in &summary.value {
                contents.push((
                    value.tag.clone(),
                    event.step,
                    value.content.clone().unwrap(),
                ));
            }
        }
    }
    contents
}

#[test]
fn checks_have_the_known_values() {
    // RFC 3720, appendix B.4, and the check value of the CRC catalogue.
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    assert_eq!(crc32c(b""), 0);
    // The masked check of an empty content is the mask's constant alone.
    assert_eq!(masked_crc32c(b""), 0xa282_ead8);
}

#[test]
fn a_record_has_the_bytes_of_tfrecord() {
    let mut bytes = Vec::new();
    write_record(&mut bytes, b"").unwrap();
    assert_eq!(bytes[..8], [0; 8]);
    assert_eq!(bytes[8..12], masked_crc32c(&[0; 8]).to_le_bytes());
    assert_eq!(bytes[12..], 0xa282_ead8_u32.to_le_bytes());
}

#[test]
fn the_file_begins_with_its_version_and_has_a_name_that_tensorboard_finds() {
    let folder = Folder::new("name");
    let (first, second) = (written(&folder.0), written(&folder.0));
    assert_ne!(first, second);
    assert!(
        first
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .starts_with("events.out.tfevents.")
    );
    // A double, field 1; no step, as it is 0; the text of field 3.
    let bytes = std::fs::read(&first).unwrap();
    let record = Records::new(&bytes[..]).next().unwrap().unwrap();
    assert_eq!(record[0], 0x09);
    assert_eq!(record[9..], [&[0x1a, 13][..], b"brain.Event:2"].concat());
}

#[test]
fn everything_written_is_read_back() {
    let folder = Folder::new("read");
    let bytes = std::fs::read(written(&folder.0)).unwrap();
    let contents = contents(&events(&bytes));
    for (step, (tag, at, content)) in contents[..10].iter().enumerate() {
        assert_eq!((tag.as_str(), *at), ("train/loss", step as i64));
        assert_eq!(*content, Content::Scalar(1.0 / (step + 1) as f32));
    }
    let Content::Histogram(weights) = &contents[10].2 else {
        panic!("{:?}", contents[10])
    };
    assert_eq!(
        (weights.num, weights.bucket.iter().sum::<f64>()),
        (100.0, 100.0)
    );
    let Content::Tensor(text) = &contents[11].2 else {
        panic!("{:?}", contents[11])
    };
    assert_eq!(text.string_val, ["**epochs** = 2 é".as_bytes()]);
    let Content::Image(image) = &contents[12].2 else {
        panic!("{:?}", contents[12])
    };
    assert_eq!((image.height, image.width, image.colorspace), (3, 2, 1));
    assert_eq!(image.encoded_image_string[..8], *b"\x89PNG\r\n\x1a\n");
}

#[test]
fn a_file_cut_off_anywhere_is_read_up_to_there_and_damage_is_named() {
    let folder = Folder::new("cut");
    let bytes = std::fs::read(written(&folder.0)).unwrap();
    let whole = Records::new(&bytes[..]).count();
    for cut in 0..bytes.len() {
        let records: Vec<_> = Records::new(&bytes[..cut]).collect();
        let good = records.iter().filter(|record| record.is_ok()).count();
        assert!(good < whole);
        if let Some(Err(error)) = records.last() {
            assert!(
                matches!(error, FrameError::CutOff { record, .. } if *record == good),
                "{error}"
            );
        }
    }
    for position in [3, 9, 20, 40, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[position] ^= 0x10;
        let last = Records::new(&damaged[..]).last().unwrap();
        assert!(
            matches!(last, Err(FrameError::Check { .. })),
            "byte {position}"
        );
    }
}

#[test]
fn a_second_writer_adds_and_harms_nothing() {
    let folder = Folder::new("again");
    let path = written(&folder.0);
    let before = std::fs::read(&path).unwrap();
    written(&folder.0);
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2);
}

#[test]
fn buckets_are_those_of_tensorflow() {
    // histogram.cc: limits 1e-12 * 1.1^k; a number lies in the first bucket whose limit exceeds it; runs of empty buckets
    // become one.
    let single = histogram([1.0]);
    assert_eq!(single.bucket, [0.0, 1.0, 0.0]);
    let (below, above) = (single.bucket_limit[0], single.bucket_limit[1]);
    assert!(below <= 1.0 && 1.0 < above && (above / below - 1.1).abs() < 1e-9);
    assert_eq!(single.bucket_limit[2], f64::MAX);
    let zero = histogram([0.0, 0.0]);
    assert_eq!(zero.bucket, [0.0, 2.0, 0.0]);
    assert_eq!(zero.bucket_limit[..2], [0.0, 1e-12]);
    let mixed = histogram([-3.0, 4.0, f64::INFINITY, f64::NAN]);
    assert_eq!(
        (
            mixed.min,
            mixed.max,
            mixed.num,
            mixed.sum,
            mixed.sum_squares
        ),
        (-3.0, 4.0, 2.0, 1.0, 25.0)
    );
    let huge = histogram([f64::MAX, -f64::MAX]);
    assert_eq!(huge.bucket.iter().sum::<f64>(), 2.0);
    let none = histogram([]);
    assert_eq!(
        (none.num, none.min, none.max, none.bucket),
        (0.0, 0.0, 0.0, vec![0.0])
    );
}

#[test]
fn what_is_no_picture_and_no_distribution_is_refused() {
    let folder = Folder::new("refused");
    let mut events = EventWriter::create(&folder.0).unwrap();
    let error = events.image("x", 0, &Tensor::zeros([2, 5, 5])).unwrap_err();
    assert!(error.message().contains("[2, 5, 5]"), "{}", error.message());
    let error = events.histogram("labels", 0, &tensor![1, 2]).unwrap_err();
    assert!(
        error.message().contains("labels") && error.message().contains("i64"),
        "{}",
        error.message()
    );
    let file = folder.0.join("a file");
    std::fs::write(&file, "").unwrap();
    let error = EventWriter::create(&file).err().unwrap();
    assert!(error.message().contains("a file"), "{}", error.message());
}

const READER: &str = r#"
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0, "histograms": 0, "images": 0})
events.Reload()
for scalar in events.Scalars("train/loss"):
    print("scalar", scalar.step, scalar.value)
for histogram in events.Histograms("weights/hidden"):
    value = histogram.histogram_value
    print("histogram", histogram.step, value.num, round(value.min, 6), round(value.max, 6), sum(value.bucket))
for text in events.Tensors("config"):
    print("text", text.step, text.tensor_proto.string_val[0].decode())
print("texts", list(events.PluginTagToContent("text")))
for image in events.Images("sample") + events.Images("colour"):
    from PIL import Image
    import io
    pixels = Image.open(io.BytesIO(image.encoded_image_string))
    print("image", image.step, image.width, image.height, pixels.mode, [pixels.getpixel((x, 0)) for x in (0, 1)])
"#;

/// The Python to use, if it has what is needed.
fn python() -> Option<String> {
    let python = std::env::var("CHAINRULE_TENSORBOARD_PYTHON").unwrap_or("python3".to_owned());
    let found = Command::new(&python)
        .args(["-c", "import tensorboard, PIL"])
        .output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: `{python}` has no tensorboard; name one with CHAINRULE_TENSORBOARD_PYTHON");
    None
}

#[test]
fn tensorboard_forgets_the_steps_that_a_resumed_run_does_again() {
    let Some(python) = python() else { return };
    let folder = Folder::new("resumed");
    written(&folder.0);
    let mut events = EventWriter::resume(&folder.0, 7).unwrap();
    for step in 7..12 {
        events.scalar("train/loss", step, -1.0).unwrap();
    }
    drop(events);
    let program = "import sys\nfrom tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n\
                   events = EventAccumulator(sys.argv[1])\nevents.Reload()\n\
                   print([(s.step, s.value < 0) for s in events.Scalars('train/loss')])";
    let output = Command::new(&python)
        .args(["-c", program])
        .arg(&folder.0)
        .output()
        .unwrap();
    let expected: Vec<String> = (0..12)
        .map(|step| format!("({step}, {})", if step < 7 { "False" } else { "True" }))
        .collect();
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said.trim(),
        format!("[{}]", expected.join(", ")),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn tensorboard_reads_what_was_written() {
    let Some(python) = python() else { return };
    let folder = Folder::new("tensorboard");
    written(&folder.0);
    let output = Command::new(&python)
        .arg("-c")
        .arg(READER)
        .arg(&folder.0)
        .output()
        .unwrap();
    let (said, errors) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    let mut expected: Vec<String> = (0..10)
        .map(|step| format!("scalar {step} {:?}", f64::from(1.0 / (step + 1) as f32)))
        .collect();
    expected.extend([
        "histogram 9 100.0 -0.5 0.49 100.0".to_owned(),
        "text 0 **epochs** = 2 é".to_owned(),
        "texts ['config']".to_owned(),
        "image 3 2 3 L [0, 255]".to_owned(),
        "image 3 4 2 RGB [(128, 128, 128), (128, 128, 128)]".to_owned(),
    ]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{errors}");
}

#[test]
fn tensorboard_shows_weights_and_gradients_of_a_run() {
    use chainrule_nn::{Layer, Linear, Sgd};
    use chainrule_train::data::{Loader, TensorDataset};
    use chainrule_train::trainer::Trainer;
    let Some(python) = python() else { return };
    let folder = Folder::new("run");
    let x = chainrule_core::Generator::new(1).normal([12, 3], 0.0, 1.0);
    let data = Loader::new(
        TensorDataset::new((x.clone(), x.narrow(1, 0, 1))).unwrap(),
        4,
    )
    .unwrap();
    let loss = |net: &Linear, (x, y): &(Tensor, Tensor)| (net.forward(x) - y).square().mean(..);
    let mut trainer = Trainer::new(Linear::new(3, 1), Sgd::new(0.1), loss)
        .epochs(2)
        .validate(data.clone())
        .events(&folder.0);
    trainer.fit(&data).unwrap();
    drop(trainer);
    let program = "import sys\nfrom tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n\
                   events = EventAccumulator(sys.argv[1], size_guidance={'histograms': 0})\nevents.Reload()\n\
                   for tag in sorted(events.Tags()['histograms']):\n    print(tag, [(h.step, h.histogram_value.num) for h in events.Histograms(tag)])";
    let output = Command::new(&python)
        .args(["-c", program])
        .arg(&folder.0)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = [
        "gradients/bias [(3, 1.0), (6, 1.0)]",
        "gradients/weight [(3, 3.0), (6, 3.0)]",
        "weights/bias [(3, 1.0), (6, 1.0)]",
        "weights/weight [(3, 3.0), (6, 3.0)]",
    ];
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{errors}");
}
