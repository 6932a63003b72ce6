//! Random numbers by counter: Philox4x32-10.
//!
//! Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block of four 32-bit words is a
//! function of a 64-bit key and a counter, so element `i` of a fill depends on the key, the counter and `i` alone: any
//! number of threads, any order and any part of the output give the same bits.
//!
//! Every fill takes whole blocks from `counter` on; the function named `*_blocks` tells how many, and a draw that follows
//! starts there.

use crate::threads::divide_rows;
use crate::vectorised::vectorised;

/// Blocks generated together, one in each lane of a vector.
const LANES: usize = 16;
/// Words generated together.
const WORDS: usize = 4 * LANES;
/// Elements below which a fill stays on one thread.
const GRAIN: usize = 1 << 14;

/// The four words of [`LANES`] blocks: `words[w][lane]`.
type Blocks = [[u32; LANES]; 4];

#[inline(always)]
fn rounds<const N: usize>(key: u64, mut words: [[u32; N]; 4]) -> [[u32; N]; 4] {
    let mut key0 = key as u32;
    let mut key1 = (key >> 32) as u32;
    for _ in 0..10 {
        for lane in 0..N {
            let product0 = u64::from(words[0][lane]) * 0xD251_1F53;
            let product1 = u64::from(words[2][lane]) * 0xCD9E_8D57;
            words[0][lane] = (product1 >> 32) as u32 ^ words[1][lane] ^ key0;
            words[1][lane] = product1 as u32;
            words[2][lane] = (product0 >> 32) as u32 ^ words[3][lane] ^ key1;
            words[3][lane] = product0 as u32;
        }
        key0 = key0.wrapping_add(0x9E37_79B9);
        key1 = key1.wrapping_add(0xBB67_AE85);
    }
    words
}

/// The block of four words that belongs to `key` and the 128-bit `counter`, low words first.
pub fn philox(key: u64, counter: u128) -> [u32; 4] {
    let words = [0, 32, 64, 96].map(|shift| [(counter >> shift) as u32]);
    rounds::<1>(key, words).map(|[word]| word)
}

/// Blocks `counter..counter + LANES`; the upper half of the 128-bit counter is zero.
#[inline(always)]
fn blocks(key: u64, counter: u64) -> Blocks {
    let mut words = [[0; LANES]; 4];
    for lane in 0..LANES {
        let counter = counter.wrapping_add(lane as u64);
        words[0][lane] = counter as u32;
        words[1][lane] = (counter >> 32) as u32;
    }
    rounds(key, words)
}

/// How the words of blocks become elements.
trait Draw: Sync {
    type Out: Copy + Default + Send;
    /// Elements made from the 64 words of [`LANES`] blocks, at most [`WORDS`].
    const ELEMENTS: usize;
    /// Writes the first `ELEMENTS` of `out`, in the order of the blocks.
    fn draw(&self, blocks: &Blocks, out: &mut [Self::Out; WORDS]);
}

#[inline(always)]
fn fill_body<const FUSED: bool, D: Draw>(
    draw: &D,
    key: u64,
    counter: u64,
    out: &mut [<D as Draw>::Out],
) {
    let mut drawn = [D::Out::default(); WORDS];
    for (index, part) in out.chunks_mut(D::ELEMENTS).enumerate() {
        draw.draw(
            &blocks(key, counter.wrapping_add((index * LANES) as u64)),
            &mut drawn,
        );
        part.copy_from_slice(&drawn[..part.len()]);
    }
}

vectorised! {
    fn fill_part[D: Draw](draw: &D, key: u64, counter: u64, out: &mut [<D as Draw>::Out]) = fill_body;
}

fn fill<D: Draw>(draw: &D, key: u64, counter: u64, out: &mut [D::Out]) {
    divide_rows(out, D::ELEMENTS, GRAIN, &|first, part| {
        fill_part(
            draw,
            key,
            counter.wrapping_add((first * LANES) as u64),
            part,
        );
    });
}

/// Blocks that a fill of `elements` takes which are made from one word each: bits, `f32` uniforms and normals.
pub const fn word_blocks(elements: usize) -> u64 {
    elements.div_ceil(4) as u64
}

/// Blocks that a fill of `elements` takes which are made from two words each: `f64` uniforms and normals, integers.
pub const fn double_word_blocks(elements: usize) -> u64 {
    elements.div_ceil(2) as u64
}

/// Puts word `w` of lane `l` at `4 * l + w`.
#[inline(always)]
fn interleave<T: Copy>(words: &[[T; LANES]; 4], out: &mut [T; WORDS]) {
    for lane in 0..LANES {
        for word in 0..4 {
            out[4 * lane + word] = words[word][lane];
        }
    }
}

/// Words `2 * p` and `2 * p + 1` of each lane as one number, low word first.
#[inline(always)]
fn double_words(blocks: &Blocks, pair: usize) -> [u64; LANES] {
    std::array::from_fn(|lane| {
        u64::from(blocks[2 * pair][lane]) | u64::from(blocks[2 * pair + 1][lane]) << 32
    })
}

struct Bits;

impl Draw for Bits {
    type Out = u32;
    const ELEMENTS: usize = WORDS;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [u32; WORDS]) {
        interleave(blocks, out);
    }
}

/// Fills `out` with uniform 32-bit words: element `i` is word `i % 4` of block `counter + i / 4`.
pub fn fill_bits(key: u64, counter: u64, out: &mut [u32]) {
    fill(&Bits, key, counter, out);
}

struct UniformF32;

impl Draw for UniformF32 {
    type Out = f32;
    const ELEMENTS: usize = WORDS;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [f32; WORDS]) {
        const SCALE: f32 = 1.0 / (1 << 24) as f32;
        interleave(
            &blocks.map(|words| words.map(|word| (word >> 8) as f32 * SCALE)),
            out,
        );
    }
}

/// Fills `out` with numbers uniform on [0, 1): the upper 24 bits of word `i % 4` of block `counter + i / 4`.
pub fn fill_uniform_f32(key: u64, counter: u64, out: &mut [f32]) {
    fill(&UniformF32, key, counter, out);
}

struct UniformF64;

impl Draw for UniformF64 {
    type Out = f64;
    const ELEMENTS: usize = WORDS / 2;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [f64; WORDS]) {
        const SCALE: f64 = 1.0 / (1u64 << 53) as f64;
        for pair in 0..2 {
            let words = double_words(blocks, pair);
            for lane in 0..LANES {
                out[2 * lane + pair] = (words[lane] >> 11) as f64 * SCALE;
            }
        }
    }
}

/// Fills `out` with numbers uniform on [0, 1): the upper 53 bits of the `i % 2`-th pair of words of block
/// `counter + i / 2`.
pub fn fill_uniform_f64(key: u64, counter: u64, out: &mut [f64]) {
    fill(&UniformF64, key, counter, out);
}

struct NormalF32;

impl Draw for NormalF32 {
    type Out = f32;
    const ELEMENTS: usize = WORDS;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [f32; WORDS]) {
        let mut normals = [[0.0; LANES]; 4];
        for pair in 0..2 {
            for lane in 0..LANES {
                let radius = radius_f32(blocks[2 * pair][lane]);
                let (sine, cosine) = turn_f32(blocks[2 * pair + 1][lane]);
                normals[2 * pair][lane] = radius * cosine;
                normals[2 * pair + 1][lane] = radius * sine;
            }
        }
        interleave(&normals, out);
    }
}

/// `sqrt(-2 ln u)`, `u = word / 2^32` in (0, 1]. No fused operation, so every vector level gives the same bits.
#[inline(always)]
fn radius_f32(word: u32) -> f32 {
    // The polynomial of the Cephes library's `logf`, on mantissas between sqrt(1/2) and sqrt(2).
    let uniform = (word as f32 * (1.0 / 4_294_967_296.0)).max(1.0 / 8_589_934_592.0);
    let bits = uniform.to_bits().wrapping_sub(0x3F35_04F3);
    let exponent = (bits as i32 >> 23) as f32;
    let x = f32::from_bits((bits & 0x007F_FFFF) + 0x3F35_04F3) - 1.0;
    let square = x * x;
    let mut tail = 7.037_683_6e-2;
    for coefficient in [
        -1.151_461e-1,
        1.167_699_9e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ] {
        tail = tail * x + coefficient;
    }
    let logarithm =
        (x * square * tail - 2.121_944_4e-4 * exponent - 0.5 * square) + x + 0.693_359_4 * exponent;
    (-2.0 * logarithm).max(0.0).sqrt()
}

/// Sine and cosine of `word / 2^32` of a full turn. The quarter is found in integers, so no reduction loses bits.
#[inline(always)]
fn turn_f32(word: u32) -> (f32, f32) {
    let quarter = word.wrapping_add(1 << 29) >> 30;
    let rest = word.wrapping_sub(quarter << 30) as i32;
    let angle = rest as f32 * (std::f32::consts::TAU / 4_294_967_296.0);
    let square = angle * angle;
    // The polynomials of the Cephes library's `sinf` and `cosf` for |angle| <= pi/4.
    let sine =
        ((-1.951_529_6e-4 * square + 8.332_161e-3) * square - 1.666_665_5e-1) * square * angle
            + angle;
    let cosine =
        ((2.443_315_7e-5 * square - 1.388_731_6e-3) * square + 4.166_664_6e-2) * square * square
            - 0.5 * square
            + 1.0;
    let (sine, cosine) = if quarter & 1 == 0 {
        (sine, cosine)
    } else {
        (cosine, sine)
    };
    let sine_sign = (quarter & 2) << 30;
    let cosine_sign = (quarter.wrapping_add(1) & 2) << 30;
    (
        f32::from_bits(sine.to_bits() ^ sine_sign),
        f32::from_bits(cosine.to_bits() ^ cosine_sign),
    )
}

/// Fills `out` with standard normal numbers by the method of Box and Muller.
///
/// Elements `i` and `i + 1`, `i` even, are the two numbers made from words `i % 4` (radius, 32 bits, so values reach
/// 6.7) and `i % 4 + 1` (angle) of block `counter + i / 4`.
pub fn fill_normal_f32(key: u64, counter: u64, out: &mut [f32]) {
    fill(&NormalF32, key, counter, out);
}

struct NormalF64;

impl Draw for NormalF64 {
    type Out = f64;
    const ELEMENTS: usize = WORDS / 2;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [f64; WORDS]) {
        let radii = double_words(blocks, 0);
        let turns = double_words(blocks, 1);
        for lane in 0..LANES {
            // 53 bits, the smallest value 2^-53: normals reach 8.5.
            let uniform = ((radii[lane] >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64);
            let radius = (-2.0 * uniform.ln()).max(0.0).sqrt();
            let angle = (turns[lane] >> 11) as f64 * (std::f64::consts::TAU / (1u64 << 53) as f64);
            let (sine, cosine) = angle.sin_cos();
            out[2 * lane] = radius * cosine;
            out[2 * lane + 1] = radius * sine;
        }
    }
}

/// Fills `out` with standard normal numbers by the method of Box and Muller.
///
/// Elements `i` and `i + 1`, `i` even, are made from block `counter + i / 2`: its first pair of words gives the radius,
/// its second the angle. Logarithm, sine and cosine are the platform's, so the last bit may differ between platforms.
pub fn fill_normal_f64(key: u64, counter: u64, out: &mut [f64]) {
    fill(&NormalF64, key, counter, out);
}

struct Integers {
    low: i64,
    count: u64,
}

impl Draw for Integers {
    type Out = i64;
    const ELEMENTS: usize = WORDS / 2;
    #[inline(always)]
    fn draw(&self, blocks: &Blocks, out: &mut [i64; WORDS]) {
        for pair in 0..2 {
            let words = double_words(blocks, pair);
            for lane in 0..LANES {
                out[2 * lane + pair] = self
                    .low
                    .wrapping_add(scaled(words[lane], self.count) as i64);
            }
        }
    }
}

/// A number below `count` from 64 uniform bits, by multiplication (`floor(bits * count / 2^64)`).
#[inline(always)]
fn scaled(bits: u64, count: u64) -> u64 {
    ((u128::from(bits) * u128::from(count)) >> 64) as u64
}

/// Fills `out` with integers uniform on `low..high`.
///
/// Element `i` is made by multiplication from the 64 bits of the `i % 2`-th pair of words of block `counter + i / 2`.
/// The probabilities of two values differ by at most 2^-64, relatively by at most `(high - low) / 2^64`.
///
/// # Panics
/// When `low >= high` and `out` is not empty.
pub fn fill_integers(key: u64, counter: u64, low: i64, high: i64, out: &mut [i64]) {
    assert!(
        low < high || out.is_empty(),
        "random integers: low {low} must be less than high {high}"
    );
    let count = high.wrapping_sub(low) as u64;
    fill(&Integers { low, count }, key, counter, out);
}

/// Fills `out` with a random permutation of `0..out.len()`, every one equally likely up to 64-bit rounding.
///
/// Fisher and Yates' shuffle: going down from the last element, element `i` is exchanged with one of `0..=i` drawn from
/// the `i % 2`-th pair of words of block `counter + i / 2`.
pub fn fill_permutation(key: u64, counter: u64, out: &mut [i64]) {
    for (index, value) in out.iter_mut().enumerate() {
        *value = index as i64;
    }
    let mut current = (u64::MAX, [0; 4]);
    for index in (1..out.len()).rev() {
        let block = (index / 2) as u64;
        if current.0 != block {
            current = (block, philox(key, u128::from(counter.wrapping_add(block))));
        }
        let pair = index % 2 * 2;
        let bits = u64::from(current.1[pair]) | u64::from(current.1[pair + 1]) << 32;
        out.swap(index, scaled(bits, index as u64 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::threads::with_threads;

    #[test]
    fn published_known_answers() {
        // kat_vectors of the Random123 distribution, philox4x32 with 10 rounds.
        let cases: [(u64, u128, [u32; 4]); 3] = [
            (0, 0, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            (
                u64::MAX,
                u128::MAX,
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                0x299f_31d0_a409_3822,
                0x0370_7344_1319_8a2e_85a3_08d3_243f_6a88,
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (key, counter, expected) in cases {
            assert_eq!(philox(key, counter), expected);
        }
    }

    #[test]
    fn bits_are_the_blocks_in_order() {
        let mut out = vec![0; 1003];
        let counter = u32::MAX as u64 - 7;
        fill_bits(99, counter, &mut out);
        for (index, &word) in out.iter().enumerate() {
            let block = philox(99, u128::from(counter + index as u64 / 4));
            assert_eq!(word, block[index % 4]);
        }
    }

    #[test]
    fn thread_count_does_not_matter() {
        let draw = || {
            let mut normal = vec![0f32; 100_003];
            fill_normal_f32(7, 11, &mut normal);
            let mut double = vec![0f64; 100_001];
            fill_normal_f64(7, 11, &mut double);
            (
                normal.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
                double.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            )
        };
        let one = with_threads(1, draw);
        let three = with_threads(3, draw);
        assert!(one == three);
    }

    #[test]
    fn a_draw_continues_where_its_counter_says() {
        let mut whole = vec![0f64; 200];
        fill_normal_f64(3, 5, &mut whole);
        let mut rest = vec![0f64; 200 - 40];
        fill_normal_f64(3, 5 + double_word_blocks(40), &mut rest);
        assert_eq!(whole[40..], rest);
        let mut whole = vec![0f32; 200];
        fill_uniform_f32(3, 5, &mut whole);
        let mut rest = vec![0f32; 200 - 40];
        fill_uniform_f32(3, 5 + word_blocks(40), &mut rest);
        assert_eq!(whole[40..], rest);
    }

    fn moments(values: impl Iterator<Item = f64>) -> [f64; 4] {
        let mut sums = [0.0; 5];
        for value in values {
            for (power, sum) in sums.iter_mut().enumerate() {
                *sum += value.powi(power as i32);
            }
        }
        std::array::from_fn(|power| sums[power + 1] / sums[0])
    }

    #[test]
    fn uniform_moments_and_range() {
        let mut single = vec![0f32; 1 << 18];
        fill_uniform_f32(1, 0, &mut single);
        let mut double = vec![0f64; 1 << 18];
        fill_uniform_f64(2, 0, &mut double);
        assert!(single.iter().all(|&x| (0.0..1.0).contains(&x)));
        assert!(double.iter().all(|&x| (0.0..1.0).contains(&x)));
        for moments in [
            moments(single.iter().map(|&x| f64::from(x))),
            moments(double.iter().copied()),
        ] {
            for (power, moment) in moments.iter().enumerate() {
                assert!((moment - 1.0 / (power as f64 + 2.0)).abs() < 3e-3);
            }
        }
    }

    #[test]
    fn normal_moments() {
        let mut single = vec![0f32; 1 << 18];
        fill_normal_f32(1, 0, &mut single);
        let mut double = vec![0f64; 1 << 18];
        fill_normal_f64(2, 0, &mut double);
        for moments in [
            moments(single.iter().map(|&x| f64::from(x))),
            moments(double.iter().copied()),
        ] {
            for (moment, expected) in moments.iter().zip([0.0, 1.0, 0.0, 3.0]) {
                assert!((moment - expected).abs() < 0.05, "{moments:?}");
            }
        }
    }

    #[test]
    fn normal_f32_agrees_with_f64_formula() {
        for block in 0..20_000u64 {
            let words = philox(42, u128::from(block));
            let mut out = [0f32; 4];
            fill_normal_f32(42, block, &mut out);
            for pair in 0..2 {
                let uniform =
                    (f64::from(words[2 * pair] as f32) / 2f64.powi(32)).max(2f64.powi(-33));
                let radius = (-2.0 * uniform.ln()).max(0.0).sqrt();
                let angle = std::f64::consts::TAU * f64::from(words[2 * pair + 1]) / 2f64.powi(32);
                assert!((f64::from(out[2 * pair]) - radius * angle.cos()).abs() < 2e-6);
                assert!((f64::from(out[2 * pair + 1]) - radius * angle.sin()).abs() < 2e-6);
            }
        }
        assert_eq!(radius_f32(u32::MAX), 0.0);
        assert!((radius_f32(0) - 6.7637).abs() < 1e-3);
    }

    #[test]
    fn integers_cover_their_range_evenly() {
        let mut out = vec![0; 60_000];
        fill_integers(5, 0, -2, 4, &mut out);
        let mut counts = [0; 6];
        for value in out {
            counts[(value + 2) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| (9_500..10_500).contains(&count)));
        let mut out = vec![0; 100];
        fill_integers(5, 0, i64::MIN, i64::MAX, &mut out);
        assert!(out.iter().any(|&x| x < 0) && out.iter().any(|&x| x > 0));
        fill_integers(5, 0, 3, 3, &mut []);
    }

    #[test]
    #[should_panic(expected = "low 4 must be less than high 4")]
    fn an_empty_integer_range_is_refused() {
        fill_integers(5, 0, 4, 4, &mut [0]);
    }

    #[test]
    fn permutations_are_permutations_and_uniform() {
        let mut counts = std::collections::HashMap::new();
        for counter in 0..6000 {
            let mut out = [0; 3];
            fill_permutation(17, counter * 2, &mut out);
            let mut sorted = out;
            sorted.sort();
            assert_eq!(sorted, [0, 1, 2]);
            *counts.entry(out).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 6);
        assert!(counts.values().all(|&count| (850..1150).contains(&count)));
        fill_permutation(1, 0, &mut []);
    }
}
