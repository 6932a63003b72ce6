//! Random numbers for the order and the augmentation of examples: cheap to start anywhere, the same on every machine.

/// A stream of random numbers: xoshiro256++ (Blackman and Vigna 2019), started by SplitMix64.
///
/// Data is augmented example by example on several threads, so every example has a stream of its own, found from numbers
/// that say which it is ([`Random::at`]): what it draws does not depend on who else draws.
///
/// ```
/// use chainrule_train::data::Random;
/// let (seed, epoch, example) = (7, 3, 1024);
/// let mut random = Random::at(&[seed, epoch, example]);
/// let angle = random.uniform(-15.0, 15.0);
/// assert_eq!(Random::at(&[seed, epoch, example]).uniform(-15.0, 15.0), angle);
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

/// One step of SplitMix64: a bijection of 64 bits that leaves no visible trace of its argument.
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// The stream that `seed` names.
    pub fn new(seed: u64) -> Random {
        Random::at(&[seed])
    }

    /// The stream that several numbers name together, such as a seed, an epoch and an example.
    pub fn at(numbers: &[u64]) -> Random {
        let key = numbers.iter().fold(numbers.len() as u64, |key, &number| {
            mixed(key ^ mixed(number))
        });
        let mut next = key;
        let state = std::array::from_fn(|_| {
            next = next.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed(next)
        });
        Random { state }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        let (b, a) = (b ^ c, a ^ d);
        self.state = [a, b, c ^ (self.state[1] << 17), d.rotate_left(45)];
        result
    }

    /// A whole number below `bound`, each equally likely (Lemire 2019).
    ///
    /// # Panics
    /// When `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "Random::below: there is no number below 0");
        let bound = bound as u64;
        loop {
            let product = u128::from(self.bits()) * u128::from(bound);
            // Products in the short last interval would make small results likelier: draw again.
            if (product as u64) >= bound.wrapping_neg() % bound {
                return (product >> 64) as usize;
            }
        }
    }

    /// A number from 0 (included) to 1 (excluded).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number between `low` and `high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from the normal distribution with mean 0 and deviation 1 (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        self.two_normals()[0]
    }

    /// Two independent numbers from the normal distribution for little more than the price of one.
    pub fn two_normals(&mut self) -> [f64; 2] {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sine, cosine) = (2.0 * std::f64::consts::PI * self.unit()).sin_cos();
        [radius * cosine, radius * sine]
    }

    /// A number from the gamma distribution with this shape and scale 1 (Marsaglia and Tsang 2000).
    ///
    /// # Panics
    /// When `shape` is not positive.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        assert!(
            shape > 0.0,
            "Random::gamma: the shape is {shape}, not positive"
        );
        if shape < 1.0 {
            let boost = (1.0 - self.unit()).powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// A number from the beta distribution, both parameters positive.
    ///
    /// # Panics
    /// When a parameter is not positive.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        // With tiny parameters both can underflow; the distribution is then a coin's.
        if x + y > 0.0 {
            x / (x + y)
        } else {
            f64::from(u8::from(self.chance(a / (a + b))))
        }
    }

    /// Puts the items into random order, each order equally likely (Fisher and Yates 1938).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// The numbers below `count` in random order.
    pub fn permutation(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        self.shuffle(&mut order);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xoshiro_agrees_with_its_published_code() {
        // The first outputs of the authors' C program from the state 1, 2, 3, 4.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        let expected = [41943041, 58720359, 3588806011781223, 3591011842654386];
        assert_eq!(expected.map(|_| random.bits()), expected);
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut random = Random::new(1);
        let moments = |draw: &mut dyn FnMut() -> f64| {
            let sample: Vec<f64> = (0..200_000).map(|_| draw()).collect();
            let mean = sample.iter().sum::<f64>() / sample.len() as f64;
            let square = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
            (mean, square / sample.len() as f64)
        };
        let close = |(mean, variance): (f64, f64), expected: (f64, f64)| {
            assert!(
                (mean - expected.0).abs() < 0.02,
                "mean {mean}, {expected:?}"
            );
            assert!(
                (variance - expected.1).abs() < 0.03,
                "variance {variance}, {expected:?}"
            );
        };
        close(moments(&mut || random.unit()), (0.5, 1.0 / 12.0));
        close(moments(&mut || random.normal()), (0.0, 1.0));
        close(moments(&mut || random.gamma(2.5)), (2.5, 2.5));
        close(moments(&mut || random.gamma(0.4)), (0.4, 0.4));
        close(moments(&mut || random.beta(0.2, 0.2)), (0.5, 0.25 / 1.4));
        close(moments(&mut || random.below(5) as f64), (2.0, 2.0));
    }

    #[test]
    fn streams_differ_where_any_number_does() {
        let first = |numbers: &[u64]| Random::at(numbers).bits();
        let firsts = [
            first(&[1, 2]),
            first(&[2, 1]),
            first(&[1, 2, 0]),
            first(&[1]),
            first(&[0, 1]),
        ];
        for (at, one) in firsts.iter().enumerate() {
            assert!(!firsts[..at].contains(one));
        }
    }
}
