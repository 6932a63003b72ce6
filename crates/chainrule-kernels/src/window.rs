//! Windows that slide over up to three spatial axes: what convolution and pooling have in common.

use std::ops::Range;

/// Up to three spatial axes and a window over them. Fewer axes are filled up in front: extent and kernel 1, stride and
/// dilation 1, padding 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Extents of the input.
    pub input: [usize; 3],
    /// Extents of the window.
    pub kernel: [usize; 3],
    /// Steps between windows.
    pub stride: [usize; 3],
    /// Elements that are thought to stand in front of the input along each axis.
    pub padding: [usize; 3],
    /// Steps between the elements of a window.
    pub dilation: [usize; 3],
    /// Extents of the result: windows along each axis. More than fit reach into padding behind the input.
    pub output: [usize; 3],
}

impl Window {
    /// A window over one, two or three axes with the same padding in front and behind, and as many results as fit.
    ///
    /// # Panics
    /// When the slices differ in length or have not one to three elements, when a kernel, stride or dilation is 0, or
    /// when the window is longer than the padded input.
    ///
    /// ```
    /// use chainrule_kernels::window::Window;
    /// let window = Window::new(&[28, 28], &[3, 3], &[2, 2], &[1, 1], &[1, 1]);
    /// assert_eq!(window.output, [1, 14, 14]);
    /// ```
    pub fn new(
        input: &[usize],
        kernel: &[usize],
        stride: &[usize],
        padding: &[usize],
        dilation: &[usize],
    ) -> Window {
        let rank = input.len();
        assert!(
            (1..=3).contains(&rank)
                && [kernel, stride, padding, dilation]
                    .iter()
                    .all(|values| values.len() == rank),
            "window: input {input:?}, kernel {kernel:?}, stride {stride:?}, padding {padding:?} and dilation {dilation:?} \
             need the same one to three axes"
        );
        let filled = |values: &[usize], fill: usize| {
            let mut all = [fill; 3];
            all[3 - rank..].copy_from_slice(values);
            all
        };
        let mut window = Window {
            input: filled(input, 1),
            kernel: filled(kernel, 1),
            stride: filled(stride, 1),
            padding: filled(padding, 0),
            dilation: filled(dilation, 1),
            output: [0; 3],
        };
        window.check("window");
        for axis in 0..3 {
            let reach = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
            let padded = window.input[axis] + 2 * window.padding[axis];
            assert!(
                reach <= padded,
                "window: kernel {kernel:?} with dilation {dilation:?} is longer than the input {input:?} with padding \
                 {padding:?}"
            );
            window.output[axis] = (padded - reach) / window.stride[axis] + 1;
        }
        window
    }

    /// Elements of the input.
    pub fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of the result.
    pub fn output_size(&self) -> usize {
        self.output.iter().product()
    }

    /// Elements of the window.
    pub fn kernel_size(&self) -> usize {
        self.kernel.iter().product()
    }

    pub(crate) fn check(&self, what: &str) {
        for (name, values) in [
            ("kernel", self.kernel),
            ("stride", self.stride),
            ("dilation", self.dilation),
        ] {
            assert!(!values.contains(&0), "{what}: {name} {values:?} has a zero");
        }
    }

    /// Where the window of output `position` along `axis` starts, in the input's coordinates.
    #[inline(always)]
    pub(crate) fn start(&self, axis: usize, position: usize) -> isize {
        (position * self.stride[axis]) as isize - self.padding[axis] as isize
    }

    /// The elements of the window at output `position` along `axis` that lie inside the input.
    #[inline(always)]
    pub(crate) fn taps(&self, axis: usize, position: usize) -> Range<usize> {
        let start = self.start(axis, position);
        let step = self.dilation[axis] as isize;
        let below = |bound: isize| (bound - start + step - 1).div_euclid(step).max(0) as usize;
        let end = below(self.input[axis] as isize).min(self.kernel[axis]);
        below(0).min(end)..end
    }

    /// The output positions along `axis` at which element `tap` of the window lies inside the input.
    #[inline(always)]
    pub(crate) fn positions(&self, axis: usize, tap: usize) -> Range<usize> {
        let shift = (tap * self.dilation[axis]) as isize - self.padding[axis] as isize;
        let step = self.stride[axis] as isize;
        let below = |bound: isize| (bound - shift + step - 1).div_euclid(step).max(0) as usize;
        let end = below(self.input[axis] as isize).min(self.output[axis]);
        below(0).min(end)..end
    }
}
