//! Trees of tensors in files: safetensors, by field path, written whole or not at all.

use crate::state::{named_state, rebuilt};
use chainrule_core::tree::Tree;
use chainrule_core::{DType, Tensor, evaluate};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Why weights could not be saved or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not whole, or not a safetensors file.
    #[error("{}: not a whole safetensors file: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Leaves of the tree have the same path, so that one would replace the other (a map's key may contain a dot).
    #[error("{}: several tensors would be saved under one name: {}", path.display(), names.join(", "))]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The names that occur more than once.
        names: Vec<String>,
    },
    /// The file's tensors are not those of the model.
    #[error("{}", names_message(path, missing, unexpected, mismatched))]
    Names {
        /// The file.
        path: PathBuf,
        /// Tensors of the model that the file has not.
        missing: Vec<String>,
        /// Tensors of the file that the model has not.
        unexpected: Vec<String>,
        /// Tensors of other shape or dtype, with both.
        mismatched: Vec<String>,
    },
}

fn names_message(
    path: &Path,
    missing: &[String],
    unexpected: &[String],
    mismatched: &[String],
) -> String {
    let mut message = format!(
        "{}: the weights are not those of this model",
        path.display()
    );
    for (what, names) in [
        ("missing", missing),
        ("unexpected", unexpected),
        ("mismatched", mismatched),
    ] {
        for name in names {
            message.push_str(&format!("\n    {what:11} {name}"));
        }
    }
    message
}

/// Writes the leaves of a tree by their paths; of a model the frozen parameters and the buffers too.
///
/// The file is written under a temporary name beside it and then renamed, so a failed save leaves an old file whole.
///
/// ```
/// use chainrule_nn::{load, save, Linear};
/// let path = std::env::temp_dir().join(format!("chainrule-doc-{}.safetensors", std::process::id()));
/// let layer = Linear::new(3, 2);
/// save(&layer, &path)?;
/// let again = load(&Linear::new(3, 2), &path)?;
/// assert_eq!(again.weight.to_vec::<f32>(), layer.weight.to_vec::<f32>());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), chainrule_nn::WeightsError>(())
/// ```
///
/// # Errors
/// When the file cannot be written, or two leaves have the same path.
pub fn save<T: Tree>(tree: &T, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let leaves = named_state(tree);
    check_names(path, &leaves)?;
    evaluate(&leaves.iter().map(|(_, tensor)| tensor).collect::<Vec<_>>());
    let bytes: Vec<Vec<u8>> = leaves.iter().map(|(_, tensor)| to_bytes(tensor)).collect();
    let damaged = |error: safetensors::SafeTensorError| WeightsError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let views: Result<Vec<(String, TensorView<'_>)>, safetensors::SafeTensorError> = leaves
        .iter()
        .zip(&bytes)
        .map(|((name, tensor), bytes)| {
            Ok((
                name.clone(),
                TensorView::new(file_dtype(tensor.dtype()), tensor.shape().to_vec(), bytes)?,
            ))
        })
        .collect();
    let content = safetensors::serialize(views.map_err(damaged)?, None).map_err(damaged)?;
    write_atomically(path, &content).map_err(|source| WeightsError::File {
        path: path.to_owned(),
        source,
    })
}

/// The structure of `like` with the leaves, frozen parameters and buffers that a file holds under their paths. Tracked
/// leaves stay tracked.
///
/// # Errors
/// When the file is missing or damaged, or when names, shapes or dtypes differ: all differences are listed together.
pub fn load<T: Tree>(like: &T, path: impl AsRef<Path>) -> Result<T, WeightsError> {
    let path = path.as_ref();
    let content = fs::read(path).map_err(|source| WeightsError::File {
        path: path.to_owned(),
        source,
    })?;
    let file = SafeTensors::deserialize(&content).map_err(|error| WeightsError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let leaves = named_state(like);
    let (mut missing, mut mismatched) = (Vec::new(), Vec::new());
    for (name, leaf) in &leaves {
        match file.tensor(name) {
            Err(_) => missing.push(name.clone()),
            Ok(view)
                if view.shape() != &leaf.shape()[..]
                    || view.dtype() != file_dtype(leaf.dtype()) =>
            {
                mismatched.push(format!(
                    "{name}: {:?} {} in the file, {} {} in the model",
                    view.shape(),
                    format!("{:?}", view.dtype()).to_lowercase(),
                    leaf.shape(),
                    leaf.dtype()
                ));
            }
            Ok(_) => {}
        }
    }
    let mut unexpected: Vec<String> = file.names().into_iter().map(ToString::to_string).collect();
    unexpected.retain(|name| !leaves.iter().any(|(known, _)| known == name));
    unexpected.sort();
    if !(missing.is_empty() && unexpected.is_empty() && mismatched.is_empty()) {
        return Err(WeightsError::Names {
            path: path.to_owned(),
            missing,
            unexpected,
            mismatched,
        });
    }
    Ok(rebuilt(like, &mut |name, leaf| {
        let view = file.tensor(name).expect("all names were checked");
        from_bytes(view.data(), leaf.shape(), leaf.dtype()).to_device(leaf.device())
    }))
}

/// All tensors of a file by their names, as constants: for what has no structure beforehand, such as the state of an
/// optimiser.
///
/// ```
/// use chainrule_core::Tensor;
/// use chainrule_nn::{load_tensors, save, Adam, Optimiser, Update};
/// let path = std::env::temp_dir().join(format!("chainrule-state-{}.safetensors", std::process::id()));
/// let (mut w, mut adam) = (Tensor::from(3.0), Adam::new(0.1));
/// adam.update(&mut w, &Tensor::from(1.0))?;
/// save(&adam.state(), &path)?;
/// Adam::new(0.1).restore(&w, &load_tensors(&path)?)?;
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the file is missing or damaged, or holds numbers of a type that tensors do not have.
pub fn load_tensors(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>, WeightsError> {
    let path = path.as_ref();
    let content = fs::read(path).map_err(|source| WeightsError::File {
        path: path.to_owned(),
        source,
    })?;
    let damaged = |reason: String| WeightsError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let file = SafeTensors::deserialize(&content).map_err(|error| damaged(error.to_string()))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let dtype = tensor_dtype(view.dtype()).ok_or_else(|| {
            damaged(format!(
                "{name}: there are no tensors of {}",
                format!("{:?}", view.dtype()).to_lowercase()
            ))
        })?;
        let tensor = from_bytes(view.data(), view.shape(), dtype);
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

fn check_names(path: &Path, leaves: &[(String, Tensor)]) -> Result<(), WeightsError> {
    let mut names: Vec<&String> = leaves.iter().map(|(name, _)| name).collect();
    names.sort();
    let mut repeated: Vec<String> = names
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].clone())
        .collect();
    repeated.dedup();
    if repeated.is_empty() {
        return Ok(());
    }
    Err(WeightsError::Ambiguous {
        path: path.to_owned(),
        names: repeated,
    })
}

/// Writes a file under a temporary name beside `path` and renames it, so that there is never half a file there and a failure
/// leaves an old one whole.
///
/// ```
/// let path = std::env::temp_dir().join(format!("chainrule-whole-{}", std::process::id()));
/// chainrule_nn::write_atomically(&path, b"all of it")?;
/// assert_eq!(std::fs::read(&path)?, b"all of it");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// When the file cannot be written or renamed.
pub fn write_atomically(path: impl AsRef<Path>, content: &[u8]) -> std::io::Result<()> {
    let path = path.as_ref();
    static SAVES: AtomicU64 = AtomicU64::new(0);
    // A name of its own for each save: two at a time must not write into one another's file.
    let number = SAVES.fetch_add(1, Ordering::Relaxed);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{number}.part", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = File::create(&temporary).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        // The error that matters is the first one; a part that cannot be removed either stays behind.
        let _ = fs::remove_file(&temporary);
        return renamed;
    }
    // The new name is on the disk once its folder is. Not every system lets a folder be opened; the file itself is safe.
    if let Some(folder) = temporary
        .parent()
        .and_then(|folder| File::open(folder).ok())
    {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn file_dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::BF16 => Dtype::BF16,
        DType::F16 => Dtype::F16,
        DType::I64 => Dtype::I64,
        DType::I32 => Dtype::I32,
        DType::U8 => Dtype::U8,
        _ => Dtype::BOOL,
    }
}

fn tensor_dtype(dtype: Dtype) -> Option<DType> {
    Some(match dtype {
        Dtype::F32 => DType::F32,
        Dtype::F64 => DType::F64,
        Dtype::BF16 => DType::BF16,
        Dtype::F16 => DType::F16,
        Dtype::I64 => DType::I64,
        Dtype::I32 => DType::I32,
        Dtype::U8 => DType::U8,
        Dtype::BOOL => DType::Bool,
        _ => return None,
    })
}

fn to_bytes(tensor: &Tensor) -> Vec<u8> {
    match tensor.dtype() {
        DType::F32 => tensor
            .to_vec::<f32>()
            .into_iter()
            .flat_map(f32::to_le_bytes)
            .collect(),
        DType::F64 => tensor
            .to_vec::<f64>()
            .into_iter()
            .flat_map(f64::to_le_bytes)
            .collect(),
        DType::BF16 => tensor
            .to_vec::<bf16>()
            .into_iter()
            .flat_map(bf16::to_le_bytes)
            .collect(),
        DType::F16 => tensor
            .to_vec::<f16>()
            .into_iter()
            .flat_map(f16::to_le_bytes)
            .collect(),
        DType::I64 => tensor
            .to_vec::<i64>()
            .into_iter()
            .flat_map(i64::to_le_bytes)
            .collect(),
        DType::I32 => tensor
            .to_vec::<i32>()
            .into_iter()
            .flat_map(i32::to_le_bytes)
            .collect(),
        DType::U8 => tensor.to_vec::<u8>(),
        _ => tensor.to_vec::<bool>().into_iter().map(u8::from).collect(),
    }
}

fn from_bytes(bytes: &[u8], shape: &[usize], dtype: DType) -> Tensor {
    fn numbers<T, const N: usize>(bytes: &[u8], number: fn([u8; N]) -> T) -> Vec<T> {
        bytes
            .chunks_exact(N)
            .map(|chunk| number(chunk.try_into().expect("chunks have N bytes")))
            .collect()
    }
    match dtype {
        DType::F32 => Tensor::from_vec(numbers(bytes, f32::from_le_bytes), shape),
        DType::F64 => Tensor::from_vec(numbers(bytes, f64::from_le_bytes), shape),
        DType::BF16 => Tensor::from_vec(numbers(bytes, bf16::from_le_bytes), shape),
        DType::F16 => Tensor::from_vec(numbers(bytes, f16::from_le_bytes), shape),
        DType::I64 => Tensor::from_vec(numbers(bytes, i64::from_le_bytes), shape),
        DType::I32 => Tensor::from_vec(numbers(bytes, i32::from_le_bytes), shape),
        DType::U8 => Tensor::from_vec(bytes.to_vec(), shape),
        _ => Tensor::from_vec(bytes.to_vec(), shape).cast(DType::Bool),
    }
}
