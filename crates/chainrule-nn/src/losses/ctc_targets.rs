//! The targets of [`Ctc`](super::Ctc) as states of an automaton: blank, label, blank, label, .., blank.

use chainrule_core::error::raise;
use chainrule_core::{DType, Device, Error, ErrorKind, Shape, Tensor};

/// The sequences of a batch, padded to the longest.
pub(super) struct Sequences {
    blank: i64,
    targets: Vec<Vec<i64>>,
    frames: Vec<usize>,
    device: Device,
}

#[track_caller]
fn refuse(kind: ErrorKind, reason: String) -> ! {
    raise(Error::new(kind, format!("ctc: {reason}")))
}

/// The sequences, once shapes, lengths and labels fit each other.
#[track_caller]
pub(super) fn fit(
    frames: &Tensor,
    targets: &Tensor,
    frame_lengths: &[usize],
    target_lengths: &[usize],
    blank: usize,
) -> Sequences {
    let (batch, classes) = match frames.shape()[..] {
        [_, classes] => (1, classes),
        [_, batch, classes] => (batch, classes),
        _ => refuse(
            ErrorKind::Shape,
            format!(
                "the frames are log-probabilities [T, N, classes] or [T, classes], not {}",
                frames.shape()
            ),
        ),
    };
    if frame_lengths.len() != batch || target_lengths.len() != batch {
        let (given, labels) = (frame_lengths.len(), target_lengths.len());
        let reason = format!(
            "there are {batch} sequences, but {given} numbers of frames and {labels} lengths of targets"
        );
        refuse(ErrorKind::Shape, reason);
    }
    let most = frames.shape()[0];
    if let Some(at) = frame_lengths.iter().position(|&length| length > most) {
        let length = frame_lengths[at];
        refuse(
            ErrorKind::Index,
            format!("sequence {at} is said to have {length} frames, there are {most}"),
        );
    }
    if blank >= classes {
        refuse(
            ErrorKind::Index,
            format!("the blank {blank} is not one of the {classes} classes"),
        );
    }
    let targets = rows(targets, target_lengths, batch);
    check_labels(&targets, classes);
    Sequences {
        blank: blank as i64,
        targets,
        frames: frame_lengths.to_vec(),
        device: frames.device(),
    }
}

/// The labels of each sequence.
#[track_caller]
fn rows(targets: &Tensor, lengths: &[usize], batch: usize) -> Vec<Vec<i64>> {
    if targets.dtype().is_floating() || targets.dtype() == DType::Bool {
        let dtype = targets.dtype();
        refuse(
            ErrorKind::DType,
            format!("the targets are integers, not {dtype}"),
        );
    }
    let labels: Vec<i64> = targets.cast(DType::I64).to_vec();
    let (mut from, mut rows) = (0, Vec::with_capacity(batch));
    let padded = match targets.shape()[..] {
        [_] => None,
        [sequences, extent] if sequences == batch => Some(extent),
        _ => refuse(
            ErrorKind::Shape,
            format!(
                "the targets of {batch} sequences are [{batch}, S] or all in one axis, not {}",
                targets.shape()
            ),
        ),
    };
    for (at, &length) in lengths.iter().enumerate() {
        let available = padded.unwrap_or(labels.len() - from.min(labels.len()));
        if length > available {
            refuse(
                ErrorKind::Index,
                format!("target {at} is said to have {length} labels, there are {available}"),
            );
        }
        rows.push(labels[from..from + length].to_vec());
        from += padded.unwrap_or(length);
    }
    rows
}

#[track_caller]
fn check_labels(targets: &[Vec<i64>], classes: usize) {
    for (sequence, labels) in targets.iter().enumerate() {
        let wrong = labels
            .iter()
            .position(|label| !(0..classes as i64).contains(label));
        if let Some(at) = wrong {
            let label = labels[at];
            let reason = format!(
                "label {label} (element {at} of target {sequence}) is not one of the {classes} classes, 0 to {}",
                classes - 1
            );
            refuse(ErrorKind::Index, reason);
        }
    }
}

impl Sequences {
    pub(super) fn batch(&self) -> usize {
        self.targets.len()
    }

    /// The states of the longest target.
    pub(super) fn states(&self) -> usize {
        2 * self.targets.iter().map(Vec::len).max().unwrap_or(0) + 1
    }

    /// The class that state `state` of a target emits.
    fn label(&self, target: &[i64], state: usize) -> i64 {
        match state % 2 {
            1 => target.get(state / 2).copied().unwrap_or(self.blank),
            _ => self.blank,
        }
    }

    fn mask(&self, entries: Vec<bool>, shape: impl Into<Shape>) -> Tensor {
        let entries: Vec<u8> = entries.into_iter().map(u8::from).collect();
        let mask = Tensor::from_vec(entries, shape).cast(DType::Bool);
        mask.to_device(self.device)
    }

    /// A tensor `[N, states]` of what `of` says for each sequence and state.
    fn table(&self, of: impl Fn(usize, &[i64], usize) -> bool) -> Tensor {
        let states = self.states();
        let rows = self.targets.iter().enumerate();
        let entries: Vec<bool> = rows
            .flat_map(|(sequence, target)| {
                (0..states)
                    .map(|state| of(sequence, target, state))
                    .collect::<Vec<_>>()
            })
            .collect();
        self.mask(entries, [self.batch(), states])
    }

    /// The class that each state emits, `[N, states]`.
    pub(super) fn labels(&self) -> Tensor {
        let states = self.states();
        let rows = self.targets.iter();
        let labels: Vec<i64> = rows
            .flat_map(|target| (0..states).map(|state| self.label(target, state)))
            .collect();
        Tensor::from_vec(labels, [self.batch(), states]).to_device(self.device)
    }

    /// Where a state may be reached from the one before the last: a label that differs from the label before it.
    pub(super) fn skips(&self) -> Tensor {
        self.table(|_, target, state| {
            let label = self.label(target, state);
            state >= 2 && label != self.blank && label != self.label(target, state - 2)
        })
    }

    /// Where a sequence without frames is: nowhere but at the beginning.
    pub(super) fn start(&self) -> Tensor {
        self.table(|_, _, state| state == 0)
    }

    /// Where the first frame may be: the first blank or the first label.
    pub(super) fn first(&self) -> Tensor {
        self.table(|_, target, state| state <= usize::from(!target.is_empty()))
    }

    /// Where the last frame may be: the last label or the last blank.
    pub(super) fn last(&self) -> Tensor {
        self.table(|_, target, state| {
            let last = 2 * target.len();
            state == last || state + 1 == last
        })
    }

    /// Which sequences have a frame of this number, `[N, 1]`.
    pub(super) fn running(&self, frame: usize) -> Tensor {
        let running: Vec<bool> = self.frames.iter().map(|&length| frame < length).collect();
        self.mask(running, [self.batch(), 1])
    }

    /// Which of `length` frames each sequence has, `[length, N]`.
    pub(super) fn counted(&self, length: usize) -> Tensor {
        let counted: Vec<bool> = (0..length)
            .flat_map(|frame| self.frames.iter().map(move |&frames| frame < frames))
            .collect();
        self.mask(counted, [length, self.batch()])
    }

    /// What the mean divides each loss by, `[N]`.
    pub(super) fn divisors(&self, dtype: DType) -> Tensor {
        let lengths: Vec<i64> = self
            .targets
            .iter()
            .map(|target| target.len().max(1) as i64)
            .collect();
        Tensor::from_vec(lengths, [self.batch()])
            .cast(dtype)
            .to_device(self.device)
    }
}
