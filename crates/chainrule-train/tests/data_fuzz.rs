//! Damaged files: 20,000 mutations of small valid files for each reader, none of which may panic or take absurd memory.
//!
//! A longer run, and others with another seed:
//! `CHAINRULE_FUZZ=1000000 CHAINRULE_FUZZ_SEED=2 cargo test --release -p chainrule-train --test data_fuzz`.

use chainrule_core::{Tensor, attempt};
use chainrule_train::data::readers::csv::Csv;
use chainrule_train::data::readers::image::{self, Colour};
use chainrule_train::data::readers::{cifar, idx, npy, npz, text};
use chainrule_train::data::{DataError, Random};

mod files;
use files::*;

/// What a reader made of a file: the bytes of its tensors.
type Outcome = Result<usize, DataError>;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(otherwise, |value| value.parse().expect("a number"))
}

fn bytes_of<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> usize {
    let bytes = |tensor: &Tensor| tensor.elements() * tensor.dtype().size();
    tensors.into_iter().map(bytes).sum()
}

/// Numbers that sizes, counts and offsets like to be wrong by.
const SIZES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 60,
    i64::MAX as u64,
    u64::MAX,
];

/// One to three changes of a file, some of them with parts of `other`.
fn mutated(file: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = file.to_vec();
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len().max(1)).min(bytes.len());
        // Headers stand at the beginning: look there more often.
        let at = if random.chance(0.5) {
            at % 128.min(bytes.len().max(1))
        } else {
            at
        };
        match random.below(8) {
            0 => bytes.truncate(at),
            1 | 2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            4 => {
                let size = SIZES[random.below(SIZES.len())];
                let width = [1, 2, 4, 8][random.below(4)];
                let number = match random.chance(0.5) {
                    true => size.to_le_bytes()[..width].to_vec(),
                    false => size.to_be_bytes()[8 - width..].to_vec(),
                };
                for (place, byte) in bytes.iter_mut().skip(at).zip(number) {
                    *place = byte;
                }
            }
            5 => {
                let digits = SIZES[random.below(SIZES.len())].to_string();
                bytes.splice(at..at, digits.bytes());
            }
            6 => {
                let from = random.below(other.len());
                let until = (from + 1 + random.below(64)).min(other.len());
                let end = (at + random.below(64)).min(bytes.len());
                bytes.splice(at..end, other[from..until].iter().copied());
            }
            _ => {
                let end = (at + 1 + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

/// The memory of the process at its peak, in bytes: what was used, and what was asked for.
fn peaks() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    Some((peak("VmHWM:")?, peak("VmPeak:")?))
}

/// Reads mutations of the files; says how many were refused.
fn fuzz(name: &str, files: &[Vec<u8>], read: impl Fn(&[u8]) -> Outcome) {
    /// The largest of the files stands for less than this, unpacked.
    const MOST_OF_A_TENSOR: usize = 64 << 20;
    let (count, seed) = (
        from_environment("CHAINRULE_FUZZ", 20_000),
        from_environment("CHAINRULE_FUZZ_SEED", 1),
    );
    for file in files {
        read(file).unwrap_or_else(|error| panic!("{name}: a whole file is refused: {error}"));
    }
    let mut refused = 0;
    for number in 0..count {
        let mut random = Random::at(&[seed, number]);
        let file = &files[random.below(files.len())];
        let other = &files[random.below(files.len())];
        let damaged = mutated(file, other, &mut random);
        match attempt(|| read(&damaged)) {
            Ok(Ok(bytes)) => assert!(
                bytes <= MOST_OF_A_TENSOR,
                "{name}, mutation {number}: {bytes} bytes from a file of {}",
                damaged.len()
            ),
            Ok(Err(error)) => {
                assert!(
                    error.to_string().contains("file"),
                    "{name}: no file is named: {error}"
                );
                refused += 1;
            }
            Err(panic) => {
                panic!("{name}, seed {seed}, mutation {number} panicked: {panic}\n{damaged:?}")
            }
        }
    }
    if let Some((used, asked)) = peaks() {
        assert!(used < 1 << 30, "{name}: {used} bytes of memory were used");
        assert!(
            asked < 8 << 30,
            "{name}: {asked} bytes of memory were asked for"
        );
    }
    println!("{name}: {refused} of {count} mutations were refused");
    assert!(
        refused > count / 20,
        "{name}: only {refused} of {count} were refused"
    );
}

#[test]
fn idx_files() {
    let files = [
        idx_file(8, &[3, 4], &[7; 12]),
        idx_file(0x0b, &[2, 2, 2], &[1; 16]),
        idx_file(0x0e, &[2], &[64; 16]),
    ];
    fuzz("idx", &files, |bytes| {
        Ok(bytes_of([&idx::decode("file", bytes)?]))
    });
    let packed = files.map(|file| gzip(&file));
    fuzz("idx.gz", &packed, |bytes| {
        Ok(bytes_of([&idx::decode("file", bytes)?]))
    });
}

#[test]
fn packed_files_with_damaged_content() {
    let file = idx_file(8, &[30, 40], &[7; 1200]);
    fuzz("idx in gz", &[file], |bytes| {
        Ok(bytes_of([&idx::decode("file", &gzip(bytes))?]))
    });
}

#[test]
fn cifar_files() {
    let record = |label: u8| [vec![label], vec![99; 3072]].concat();
    let files = [record(3), [record(0), record(9)].concat()];
    fuzz("cifar", &files, |bytes| {
        let data = cifar::decode("file", bytes, cifar::Labels::Ten)?;
        Ok(bytes_of([data.images()]))
    });
}

#[test]
fn archives_of_images() {
    fuzz("archive", &[archive(), binary_archive()], |bytes| {
        let cifar = cifar::decode_archive("file", bytes)?;
        Ok(bytes_of([cifar.training.images(), cifar.test.images()]))
    });
}

#[test]
fn archives_with_damaged_content() {
    let mut content = Vec::new();
    let packed = archive();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut content)
        .unwrap();
    fuzz("tar in gz", &[content], |bytes| {
        let cifar = cifar::decode_archive("file", &gzip(bytes))?;
        Ok(bytes_of([cifar.training.images(), cifar.test.images()]))
    });
}

#[test]
fn png_images() {
    let files = [png(false), png(true)];
    fuzz("png", &files, |bytes| {
        Ok(bytes_of([&image::decode("file", bytes, Colour::Rgb)?]))
    });
}

#[test]
fn jpeg_images() {
    let files = [JPEG, PROGRESSIVE, GREY].map(<[u8]>::to_vec);
    fuzz("jpeg", &files, |bytes| {
        Ok(bytes_of([&image::decode("file", bytes, Colour::Grey)?]))
    });
}

#[test]
fn csv_files() {
    let files = [
        b"a,b,c\n1,2,x\n3,4.5,\"y,z\"\n".to_vec(),
        b"1,2e3,0\n-3,4,1\n5,6,2\n".to_vec(),
    ];
    fuzz("csv", &files, |bytes| {
        let labelled = Csv::new().header(false).label(-1).decode("file", bytes);
        let table = match labelled {
            Ok(table) => table,
            Err(_) => Csv::new().label("c").decode("file", bytes)?,
        };
        Ok(bytes_of([&table.inputs]) + bytes_of(&table.labels))
    });
}

#[test]
fn npy_files() {
    let files = [
        npy_file(1, "<f4", false, "(2, 3)", &[1; 24]),
        npy_file(2, ">i8", true, "(2, 1, 2)", &[1; 32]),
        npy_file(3, "|b1", false, "()", &[1]),
        npy_file(1, "<u8", false, "(0, 7)", &[]),
    ];
    fuzz("npy", &files, |bytes| {
        Ok(bytes_of([&npy::decode("file", bytes)?]))
    });
}

#[test]
fn npz_files() {
    let files = [npz_file(false), npz_file(true), NUMPY.to_vec()];
    fuzz("npz", &files, |bytes| {
        Ok(bytes_of(npz::decode("file", bytes)?.values()))
    });
}

#[test]
fn texts() {
    let files = ["Ein Männlein steht im Walde, ganz still und stumm."
        .as_bytes()
        .to_vec()];
    fuzz("text", &files, |bytes| {
        Ok(text::decode("file", bytes)?.len())
    });
}
