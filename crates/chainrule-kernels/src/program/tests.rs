//! Programs against each of their leaves alone, bit for bit: random programs, every dtype, strides, levels and shapes.

use super::builder::{Definition, Node};
use super::code::Code;
use super::*;
use crate::leaf::Leaf;
use crate::math;
use crate::simd::Level;
use ::half::{bf16, f16};

/// A small generator of numbers for choices (Knuth's MMIX constants).
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % bound
    }
}

fn levels() -> Vec<Level> {
    Level::ALL
        .into_iter()
        .filter(|level| level.is_supported())
        .collect()
}

/// `count` elements of `dtype`: special values among ordinary ones.
fn elements(choices: &mut Choices, dtype: DType, count: usize) -> Buffer {
    let mut buffer = Buffer::for_elements(dtype, count).unwrap();
    let special = [
        0.0,
        -0.0,
        1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e-310,
        -1e-41,
        3e38,
        65519.0,
        6e-8,
    ];
    let mut float = || match choices.below(4) {
        0 => special[choices.below(special.len())],
        _ => (choices.below(20001) as f64 - 10000.0) / 1234.5,
    };
    match dtype {
        DType::F32 => buffer.as_mut_slice::<f32>().fill_with(|| float() as f32),
        DType::F64 => buffer.as_mut_slice::<f64>().fill_with(float),
        DType::BF16 => buffer
            .as_mut_slice::<bf16>()
            .fill_with(|| bf16::from_f64(float())),
        DType::F16 => buffer
            .as_mut_slice::<f16>()
            .fill_with(|| f16::from_f64(float())),
        DType::I64 => buffer
            .as_mut_slice::<i64>()
            .fill_with(|| choices.below(17) as i64 - 8),
        DType::I32 => buffer
            .as_mut_slice::<i32>()
            .fill_with(|| choices.below(17) as i32 - 8),
        DType::U8 => buffer
            .as_mut_slice::<u8>()
            .fill_with(|| choices.below(256) as u8),
        DType::Bool => buffer
            .as_mut_slice::<u8>()
            .fill_with(|| choices.below(2) as u8),
    }
    buffer
}

/// The elements' bits; every NaN as the same one.
fn bits(dtype: DType, buffer: &Buffer, count: usize) -> Vec<u64> {
    let plain = |bits: u64, nan: bool| if nan { u64::MAX } else { bits };
    (0..count)
        .map(|i| match dtype {
            DType::F32 => {
                let x = buffer.as_slice::<f32>()[i];
                plain(x.to_bits() as u64, x.is_nan())
            }
            DType::F64 => {
                let x = buffer.as_slice::<f64>()[i];
                plain(x.to_bits(), x.is_nan())
            }
            DType::BF16 => {
                let x = buffer.as_slice::<bf16>()[i];
                plain(x.to_bits() as u64, x.is_nan())
            }
            DType::F16 => {
                let x = buffer.as_slice::<f16>()[i];
                plain(x.to_bits() as u64, x.is_nan())
            }
            DType::I64 => buffer.as_slice::<i64>()[i] as u64,
            DType::I32 => buffer.as_slice::<i32>()[i] as u64,
            _ => buffer.bytes()[i] as u64,
        })
        .collect()
}

/// An operand's memory and layout.
struct Source {
    data: Buffer,
    offset: usize,
    strides: Vec<isize>,
}

impl Source {
    /// A view of `shape` with permuted, repeated, reversed or spread axes.
    fn random(choices: &mut Choices, dtype: DType, shape: &[usize]) -> Source {
        let mut axes: Vec<usize> = (0..shape.len()).collect();
        if choices.below(3) == 0 {
            axes.reverse();
        }
        let plain = choices.below(2) == 0;
        let mut strides = vec![0isize; shape.len()];
        let (mut step, mut offset) = (1, choices.below(4));
        for &axis in axes.iter().rev() {
            let kind = if plain { 3 } else { choices.below(5) };
            match kind {
                0 => continue,
                1 => {
                    strides[axis] = -(step as isize);
                    offset += step * shape[axis].saturating_sub(1);
                }
                2 => {
                    step *= 2;
                    strides[axis] = step as isize;
                }
                _ => strides[axis] = step as isize,
            }
            step *= shape[axis].max(1);
        }
        let data = elements(choices, dtype, step + offset + 1);
        Source {
            data,
            offset,
            strides,
        }
    }

    fn operand(&self) -> Operand<'_> {
        Operand::strided(&self.data, self.offset, &self.strides)
    }

    /// The view copied to contiguous memory, index by index.
    fn contiguous(&self, dtype: DType, shape: &[usize]) -> Buffer {
        let count = shape.iter().product();
        let mut out = Buffer::for_elements(dtype, count).unwrap();
        let size = dtype.size();
        for position in 0..count {
            let (mut rest, mut index) = (position, self.offset as isize);
            for (&extent, &stride) in shape.iter().zip(&self.strides).rev() {
                index += (rest % extent) as isize * stride;
                rest /= extent;
            }
            let from = &self.data.bytes()[index as usize * size..][..size];
            out.bytes_mut()[position * size..][..size].copy_from_slice(from);
        }
        out
    }
}

fn random_builder(choices: &mut Choices, length: usize) -> Builder {
    let floats = [DType::F32, DType::F64, DType::BF16, DType::F16];
    let main = if choices.below(4) == 0 {
        DType::ALL[choices.below(8)]
    } else {
        floats[choices.below(4)]
    };
    let mut builder = Program::builder();
    for _ in 0..1 + choices.below(3) {
        builder.input(main);
    }
    builder.input(DType::Bool);
    builder.constant(main, 1.5);
    for _ in 0..length {
        let count = builder.nodes.len();
        let register = |choices: &mut Choices| Register(choices.below(count) as u32);
        if choices.below(8) == 0 {
            let from = register(choices);
            let to = if choices.below(2) == 0 {
                main
            } else {
                DType::ALL[choices.below(8)]
            };
            builder.cast(from, to);
            continue;
        }
        // Plain arithmetic often, so that instructions are joined.
        let leaf = match choices.below(3) {
            0 => [&math::ADD, &math::SUB, &math::MUL][choices.below(3)],
            _ => math::ALL[choices.below(math::ALL.len())],
        };
        let dtype = builder.dtype(register(choices));
        if !leaf.supports(dtype) {
            continue;
        }
        let operands: Option<Vec<Register>> = (0..leaf.arity())
            .map(|index| {
                let wanted = leaf.operand(dtype, index);
                let mut fitting = (0..40).map(|_| register(choices));
                fitting.find(|&candidate| builder.dtype(candidate) == wanted)
            })
            .collect();
        if let Some(operands) = operands {
            builder.apply(leaf, dtype, &operands);
        }
    }
    let count = builder.nodes.len();
    for _ in 0..1 + choices.below(3) {
        builder.output(Register((count - 1 - choices.below(count.min(4))) as u32));
    }
    builder
}

/// The program's outputs, each node computed by a program of its own.
fn one_by_one(builder: &Builder, level: Level, sources: &[Source], shape: &[usize]) -> Vec<Buffer> {
    let count = shape.iter().product::<usize>();
    let mut values: Vec<Buffer> = Vec::new();
    for node in &builder.nodes {
        let mut single = Program::builder();
        let value = match node.definition {
            Definition::Input(index) => sources[index].contiguous(node.dtype, shape),
            Definition::Constant(value) => {
                let constant = single.constant(node.dtype, value);
                single.output(constant);
                alone(single, level, node, &[], count)
            }
            Definition::Apply {
                leaf,
                dtype,
                operands,
            } => {
                let arguments: Vec<Register> = (0..leaf.arity())
                    .map(|index| single.input(leaf.operand(dtype, index)))
                    .collect();
                let result = single.apply(leaf, dtype, &arguments);
                single.output(result);
                let operands: Vec<&Buffer> = operands[..leaf.arity()]
                    .iter()
                    .map(|operand| &values[operand.index()])
                    .collect();
                alone(single, level, node, &operands, count)
            }
            Definition::Cast(from) => {
                let argument = single.input(builder.dtype(from));
                let result = single.cast(argument, node.dtype);
                single.output(result);
                alone(single, level, node, &[&values[from.index()]], count)
            }
        };
        values.push(value);
    }
    builder
        .outputs
        .iter()
        .map(|output| {
            let value = &values[output.register.index()];
            let mut copy = Buffer::scratch(value.len()).unwrap();
            copy.bytes_mut().copy_from_slice(value.bytes());
            copy
        })
        .collect()
}

fn alone(single: Builder, level: Level, node: &Node, operands: &[&Buffer], count: usize) -> Buffer {
    let program = Program {
        code: Code::at(&single, level),
    };
    let mut out = Buffer::for_elements(node.dtype, count).unwrap();
    let operands: Vec<Operand> = operands
        .iter()
        .map(|data| Operand::strided(data, 0, &[1]))
        .collect();
    program.run(&[count], 0, &operands, &mut [&mut out]);
    out
}

fn random_shape(choices: &mut Choices) -> Vec<usize> {
    let shapes: [&[usize]; 12] = [
        &[],
        &[0],
        &[1],
        &[7],
        &[300],
        &[3, 5],
        &[2, 0, 3],
        &[17, 300],
        &[300, 3],
        &[4, 1, 6, 5],
        &[2, 40000],
        &[1000, 40],
    ];
    shapes[choices.below(shapes.len())].to_vec()
}

#[test]
fn random_programs_equal_their_leaves_alone() {
    let mut choices = Choices(7);
    for round in 0..400 {
        let length = 1 + choices.below(25);
        let builder = random_builder(&mut choices, length);
        let shape = random_shape(&mut choices);
        let count: usize = shape.iter().product();
        let sources: Vec<Source> = builder
            .inputs
            .iter()
            .map(|&dtype| Source::random(&mut choices, dtype, &shape))
            .collect();
        for level in levels() {
            let program = Program {
                code: Code::at(&builder, level),
            };
            let operands: Vec<Operand> = sources.iter().map(Source::operand).collect();
            let mut outputs: Vec<Buffer> = program
                .outputs()
                .map(|dtype| Buffer::for_elements(dtype, count).unwrap())
                .collect();
            program.run(
                &shape,
                0,
                &operands,
                &mut outputs.iter_mut().collect::<Vec<_>>(),
            );
            let expected = one_by_one(&builder, level, &sources, &shape);
            for (index, dtype) in program.outputs().enumerate() {
                let (ours, theirs) = (
                    bits(dtype, &outputs[index], count),
                    bits(dtype, &expected[index], count),
                );
                let wrong = ours.iter().zip(&theirs).position(|(a, b)| a != b);
                assert_eq!(
                    wrong, None,
                    "round {round}, {level:?}, output {index} {dtype}, {shape:?}: {builder:#?}"
                );
            }
        }
    }
}

#[test]
fn reductions_equal_those_of_plain_rows() {
    let mut choices = Choices(11);
    let all = [
        Reduction::Sum,
        Reduction::Product,
        Reduction::Maximum,
        Reduction::Minimum,
    ];
    let shapes: [(&[usize], usize); 11] = [
        (&[], 0),
        (&[10], 1),
        (&[70001], 1),
        (&[3, 256], 1),
        (&[5, 4, 33], 2),
        (&[1000, 7], 1),
        (&[3, 20000], 1),
        (&[6, 5], 0),
        (&[4, 0], 1),
        // Shared among threads: whole rows, and groups of rows.
        (&[40, 5000], 1),
        (&[30000, 7], 1),
    ];
    for dtype in DType::ALL {
        for (shape, trailing) in shapes {
            let mut builder = Program::builder();
            let x = builder.input(dtype);
            let y = if dtype == DType::Bool {
                x
            } else {
                builder.apply(&math::SQUARE, dtype, &[x])
            };
            let value = builder.output(y);
            for reduction in all {
                builder.reduce(y, reduction);
            }
            let row: usize = shape[shape.len() - trailing..].iter().product();
            let rows: usize = shape[..shape.len() - trailing].iter().product();
            let source = Source::random(&mut choices, dtype, shape);
            for level in levels() {
                let program = Program {
                    code: Code::at(&builder, level),
                };
                let mut outputs: Vec<Buffer> = (0..5)
                    .map(|index| {
                        Buffer::for_elements(dtype, if index == value { rows * row } else { rows })
                            .unwrap()
                    })
                    .collect();
                program.run(
                    shape,
                    trailing,
                    &[source.operand()],
                    &mut outputs.iter_mut().collect::<Vec<_>>(),
                );
                for (index, reduction) in all.into_iter().enumerate() {
                    let mut plain = Buffer::for_elements(dtype, rows).unwrap();
                    for position in 0..rows {
                        reduce_into(dtype, reduction, &outputs[0], position, row, &mut plain);
                    }
                    assert_eq!(
                        bits(dtype, &outputs[index + 1], rows),
                        bits(dtype, &plain, rows),
                        "{reduction:?} {dtype} {shape:?} {level:?}"
                    );
                }
            }
        }
    }
}

fn reduce_into(
    dtype: DType,
    reduction: Reduction,
    data: &Buffer,
    position: usize,
    row: usize,
    out: &mut Buffer,
) {
    macro_rules! typed {
        ($type:ty) => {{
            let elements = &data.as_slice::<$type>()[position * row..][..row];
            out.as_mut_slice::<$type>()[position] = reduction::reduce_row(reduction, elements);
        }};
    }
    match dtype {
        DType::F32 => typed!(f32),
        DType::F64 => typed!(f64),
        DType::BF16 => typed!(bf16),
        DType::F16 => typed!(f16),
        DType::I64 => typed!(i64),
        DType::I32 => typed!(i32),
        DType::U8 => typed!(u8),
        _ => {
            let elements = &data.bytes()[position * row..][..row];
            let (any, all) = (elements.contains(&1), !elements.contains(&0));
            let any_wanted = matches!(reduction, Reduction::Sum | Reduction::Maximum);
            out.bytes_mut()[position] = if any_wanted { any } else { all } as u8;
        }
    }
}

#[test]
fn an_input_in_place_equals_one_beside() {
    let mut choices = Choices(13);
    for round in 0..300 {
        let length = 1 + choices.below(15);
        let builder = random_builder(&mut choices, length);
        let count = [1, 5, 300, 5000][choices.below(4)];
        let sources: Vec<Source> = builder
            .inputs
            .iter()
            .map(|&dtype| Source::random(&mut choices, dtype, &[count]))
            .collect();
        let target = choices.below(builder.outputs.len());
        let fitting: Vec<usize> = (0..builder.inputs.len())
            .filter(|&input| builder.inputs[input].size() == builder.outputs[target].dtype.size())
            .collect();
        if fitting.is_empty() {
            continue;
        }
        let input = fitting[choices.below(fitting.len())];
        let level = levels()[choices.below(levels().len())];
        let program = Program {
            code: Code::at(&builder, level),
        };
        let mut operands: Vec<Operand> = sources.iter().map(Source::operand).collect();
        let buffers = || -> Vec<Buffer> {
            program
                .outputs()
                .map(|dtype| Buffer::for_elements(dtype, count).unwrap())
                .collect()
        };
        let (mut beside, mut inside) = (buffers(), buffers());
        program.run(
            &[count],
            0,
            &operands,
            &mut beside.iter_mut().collect::<Vec<_>>(),
        );
        inside[target] = sources[input].contiguous(builder.inputs[input], &[count]);
        operands[input] = Operand::InPlace(target);
        program.run(
            &[count],
            0,
            &operands,
            &mut inside.iter_mut().collect::<Vec<_>>(),
        );
        for (index, dtype) in program.outputs().enumerate() {
            let (ours, theirs) = (
                bits(dtype, &inside[index], count),
                bits(dtype, &beside[index], count),
            );
            assert_eq!(
                ours, theirs,
                "round {round}, output {index}, input {input} in place of {target}: {builder:#?}"
            );
        }
    }
}

#[test]
fn instructions_are_joined_and_dead_ones_dropped() {
    let mut builder = Program::builder();
    let [x, y, z] = [0; 3].map(|_| builder.input(DType::F32));
    let product = builder.apply(&math::MUL, DType::F32, &[x, y]);
    let sum = builder.apply(&math::SUB, DType::F32, &[z, product]);
    builder.apply(&math::EXP, DType::F32, &[sum]);
    builder.output(sum);
    let program = builder.finish();
    assert_eq!(program.instruction_count(), 1);
    let data = [2f32, 3.0, 10.0].map(|value| Buffer::from_slice(&[value]).unwrap());
    let operands = data.each_ref().map(|data| Operand::strided(data, 0, &[]));
    let mut out = Buffer::scratch(4).unwrap();
    program.run(&[], 0, &operands, &mut [&mut out]);
    assert_eq!(out.as_slice::<f32>(), [4.0]);
}

fn doubler() -> Program {
    let mut builder = Program::builder();
    let x = builder.input(DType::F32);
    let y = builder.apply(&math::ADD, DType::F32, &[x, x]);
    builder.output(y);
    builder.finish()
}

#[test]
#[should_panic(expected = "input 0 reaches from element 1 to 4 of a buffer of 4 (f32)")]
fn an_operand_beyond_its_buffer_is_refused() {
    let data = Buffer::zeroed(16).unwrap();
    let mut out = Buffer::zeroed(16).unwrap();
    doubler().run(
        &[4],
        0,
        &[Operand::strided(&data, 1, &[1])],
        &mut [&mut out],
    );
}

#[test]
#[should_panic(expected = "output 0 has 4 elements (f32), its buffer room for 3")]
fn a_small_output_is_refused() {
    let data = Buffer::zeroed(16).unwrap();
    let mut out = Buffer::zeroed(12).unwrap();
    doubler().run(
        &[4],
        0,
        &[Operand::strided(&data, 0, &[1])],
        &mut [&mut out],
    );
}

#[test]
#[should_panic(expected = "sin is not defined on i64")]
fn a_leaf_at_another_dtype_is_refused() {
    let mut builder = Program::builder();
    let x = builder.input(DType::I64);
    builder.apply(&math::SIN, DType::I64, &[x]);
}

#[test]
fn a_users_function_runs_in_a_program() {
    static CUBE: Leaf = Leaf::scalar1("cube", |x| x * x * x, |x| x * x * x);
    static STEP: Leaf = Leaf::scalar2("step", |x, y| x - 2.0 * y, |x, y| x - 2.0 * y);
    let mut builder = Program::builder();
    let x = builder.input(DType::F16);
    let cube = builder.apply(&CUBE, DType::F16, &[x]);
    let step = builder.apply(&STEP, DType::F16, &[cube, x]);
    builder.output(step);
    let program = builder.finish();
    let values: Vec<f16> = (0..500).map(|i| f16::from_f32(i as f32 / 37.0)).collect();
    let data = Buffer::from_slice(&values).unwrap();
    let mut out = Buffer::scratch(1000).unwrap();
    program.run(
        &[500],
        0,
        &[Operand::strided(&data, 0, &[1])],
        &mut [&mut out],
    );
    for (x, y) in values.iter().zip(out.as_slice::<f16>()) {
        let cube = f16::from_f32(x.to_f32() * x.to_f32() * x.to_f32());
        assert_eq!(*y, f16::from_f32(cube.to_f32() - 2.0 * x.to_f32()));
    }
}
