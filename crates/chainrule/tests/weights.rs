//! Weights in files: every dtype, all differences together, and never half a file.

use chainrule::nn::{WeightsError, load, save};
use chainrule::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("chainrule-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Module)]
struct Network {
    layers: Vec<Linear>,
}

fn network(seed: u64) -> Network {
    let generator = Generator::new(seed);
    Network {
        layers: vec![
            Linear::from_generator(3, 4, &generator),
            Linear::from_generator(4, 2, &generator).without_bias(),
        ],
    }
}

#[test]
fn a_model_comes_back_tracked() {
    let folder = Folder::new("model");
    let path = folder.0.join("model.safetensors");
    let model = network(1);
    save(&model, &path).unwrap();
    assert_eq!(folder.files(), ["model.safetensors"]);
    let again = load(&network(2), &path).unwrap();
    for ((name, ours), (_, theirs)) in again
        .named_parameters()
        .iter()
        .zip(model.named_parameters())
    {
        assert!(ours.is_tracked(), "{name}");
        assert_eq!(ours.to_vec::<f32>(), theirs.to_vec::<f32>(), "{name}");
    }
    let loss = again.layers[0].forward(Tensor::ones([3])).sum(..);
    assert!(!loss.backward().of(&again.layers[0].weight).is_absent());
}

#[test]
fn every_dtype_comes_back_bit_for_bit() {
    let folder = Folder::new("dtypes");
    let path = folder.0.join("all.safetensors");
    let numbers = tensor![[1.5, -0.0, 2.7], [f64::NAN, f64::INFINITY, 1e-3]];
    let floats: Vec<Tensor> = [DType::F32, DType::F64, DType::BF16, DType::F16]
        .map(|dtype| numbers.cast(dtype))
        .into();
    let integers: Vec<Tensor> = [DType::I64, DType::I32, DType::U8, DType::Bool]
        .map(|dtype| tensor![0, 1, 200].cast(dtype))
        .into();
    let tree = (
        floats,
        integers,
        Tensor::scalar(2.5),
        Tensor::zeros([0, 3]),
        numbers.t(),
    );
    save(&tree, &path).unwrap();
    let again = load(&tree, &path).unwrap();
    for (ours, theirs) in again.0.iter().zip(&tree.0) {
        assert_eq!(ours.dtype(), theirs.dtype());
        let bits = |tensor: &Tensor| -> Vec<u64> {
            let wide = tensor.cast(DType::F64).to_vec::<f64>();
            wide.into_iter().map(f64::to_bits).collect()
        };
        assert_eq!(bits(ours), bits(theirs), "{}", ours.dtype());
    }
    for (ours, theirs) in again.1.iter().zip(&tree.1) {
        assert_eq!(ours.dtype(), theirs.dtype());
        assert_eq!(
            ours.cast(DType::I64).to_vec::<i64>(),
            theirs.cast(DType::I64).to_vec::<i64>()
        );
    }
    assert_eq!(again.2.item::<f32>(), 2.5);
    assert_eq!(again.3.shape().to_vec(), [0, 3]);
    assert_eq!(again.4.to_vec::<f32>()[0], 1.5);
    assert_eq!(again.4.shape().to_vec(), [3, 2]);
}

#[test]
fn all_differences_are_listed_together() {
    let folder = Folder::new("differences");
    let path = folder.0.join("model.safetensors");
    save(&network(1), &path).unwrap();
    let other = BTreeMap::from([
        ("layers".to_owned(), vec![Linear::new(5, 4)]),
        ("more".to_owned(), vec![]),
        ("head".to_owned(), vec![Linear::new(2, 2).without_bias()]),
    ]);
    let Err(WeightsError::Names {
        missing,
        unexpected,
        mismatched,
        ..
    }) = load(&other, &path)
    else {
        panic!("other names must be an error of names");
    };
    assert_eq!(missing, ["head.0.weight"]);
    assert_eq!(unexpected, ["layers.1.weight"]);
    assert_eq!(
        mismatched,
        ["layers.0.weight: [4, 3] f32 in the file, [4, 5] f32 in the model"]
    );
}

#[test]
fn missing_and_damaged_files_are_named() {
    let folder = Folder::new("damaged");
    let path = folder.0.join("model.safetensors");
    let model = network(1);
    assert!(
        matches!(load(&model, &path), Err(WeightsError::File { path: named, .. }) if named == path)
    );
    save(&model, &path).unwrap();
    let whole = fs::read(&path).unwrap();
    for length in [0, 7, 40, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let outcome = load(&model, &path);
        assert!(
            matches!(&outcome, Err(WeightsError::Damaged { path: named, .. }) if *named == path),
            "{length} bytes"
        );
    }
}

#[test]
fn names_that_collide_are_refused() {
    let folder = Folder::new("collide");
    let path = folder.0.join("map.safetensors");
    let inner = |key: &str| BTreeMap::from([(key.to_owned(), tensor![1.0])]);
    let colliding = BTreeMap::from([
        ("a".to_owned(), inner("b.c")),
        ("a.b".to_owned(), inner("c")),
    ]);
    let error = save(&colliding, &path).unwrap_err();
    assert!(
        matches!(&error, WeightsError::Ambiguous { names, .. } if *names == ["a.b.c"]),
        "{error}"
    );
    assert_eq!(folder.files(), [""; 0]);
}

#[test]
fn several_threads_may_save_to_one_path() {
    let folder = Folder::new("threads");
    let path = folder.0.join("model.safetensors");
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..20 {
                    save(&network(seed), path).unwrap();
                    load(&network(9), path).unwrap(); // whole, whoever wrote it
                }
            });
        }
    });
    assert_eq!(folder.files(), ["model.safetensors"]);
}

/// What the next test runs in a process that may not write large files.
#[test]
#[ignore = "run by another test"]
fn save_a_large_tree() {
    let path = PathBuf::from(std::env::var_os("CHAINRULE_TEST_PATH").expect("the path"));
    let error = save(&Tensor::ones([100_000]), &path).unwrap_err();
    assert!(matches!(&error, WeightsError::File { .. }), "{error}");
    assert!(error.to_string().starts_with(&path.display().to_string()));
}

#[cfg(unix)]
fn run_with_a_limit(prelude: &str, path: &Path) -> bool {
    let script = format!("{prelude} ulimit -f 64; exec \"$0\" --exact save_a_large_tree --ignored");
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(script)
        .arg(std::env::current_exe().unwrap());
    command.env("CHAINRULE_TEST_PATH", path);
    command.output().unwrap().status.success()
}

#[cfg(unix)]
#[test]
fn a_failed_save_leaves_the_old_file_whole() {
    let folder = Folder::new("failed");
    let path = folder.0.join("model.safetensors");
    let old = tensor![1.0, 2.0, 3.0];
    save(&old, &path).unwrap();
    // The write fails: an error, and nothing is left behind.
    assert!(run_with_a_limit("trap '' XFSZ;", &path));
    assert_eq!(folder.files(), ["model.safetensors"]);
    assert_eq!(load(&old, &path).unwrap().to_vec::<f32>(), [1.0, 2.0, 3.0]);
    // The process is killed while it writes.
    assert!(!run_with_a_limit("", &path));
    assert_eq!(load(&old, &path).unwrap().to_vec::<f32>(), [1.0, 2.0, 3.0]);
}
