//! Sliding windows of convolutions and pools: padding, output sizes, and positions along each axis.

use super::operator::Site;

/// Maximum of an attribute that counts pixels.
const MAX_PIXELS: i64 = 1 << 30;

/// The windows along one axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Length of the input.
    pub input: usize,
    pub kernel: usize,
    pub stride: usize,
    pub dilation: usize,
    /// Padding before and after the input.
    pub begin: i64,
    pub end: i64,
    /// Number of windows.
    pub output: usize,
}

impl Window {
    /// Input position of the first position of window `at`; negative in the padding.
    fn start(&self, at: usize) -> i64 {
        at as i64 * self.stride as i64 - self.begin
    }

    /// The positions of window `at` that lie inside the input: `(position in the kernel, position in the input)`.
    pub fn taps(&self, at: usize) -> Vec<(usize, usize)> {
        let (start, dilation) = (self.start(at), self.dilation as i64);
        let first = if start < 0 { (-start).div_euclid(dilation) + i64::from(-start % dilation != 0) } else { 0 };
        let last = (self.input as i64 - start + dilation - 1).div_euclid(dilation).min(self.kernel as i64);
        (first..last).map(|k| (k as usize, (start + k * dilation) as usize)).collect()
    }

    /// The number of positions of window `at` that lie inside the input and its padding.
    pub fn padded_count(&self, at: usize) -> usize {
        let limit = self.input as i64 + self.end - self.start(at);
        let inside = (limit + self.dilation as i64 - 1).div_euclid(self.dilation as i64);
        inside.clamp(0, self.kernel as i64) as usize
    }
}

/// The list `name` of `rank` numbers from `least`; `default` for each if it is absent or empty.
pub fn pixels(site: &Site, name: &'static str, rank: usize, least: i64, default: i64) -> Result<Vec<i64>, String> {
    match site.ints(name).filter(|list| !list.is_empty()) {
        None => Ok(vec![default; rank]),
        Some(list) if list.len() == rank && list.iter().all(|v| (least..=MAX_PIXELS).contains(v)) => Ok(list.to_vec()),
        Some(list) => Err(format!("{name} {list:?} should be {rank} numbers of at least {least}")),
    }
}

/// How attribute `auto_pad` pads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AutoPad {
    NotSet,
    Valid,
    SameUpper,
    SameLower,
}

impl AutoPad {
    pub fn of(site: &Site) -> Result<Self, String> {
        Ok(match site.choice("auto_pad", &["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"])? {
            "VALID" => Self::Valid,
            "SAME_UPPER" => Self::SameUpper,
            "SAME_LOWER" => Self::SameLower,
            _ => Self::NotSet,
        })
    }
}

/// The windows of a convolution or pool along the axes `spatial`.
pub fn windows(site: &Site, spatial: &[usize], kernel: &[usize], ceil_mode: bool) -> Result<Vec<Window>, String> {
    let rank = spatial.len();
    let strides = pixels(site, "strides", rank, 1, 1)?;
    let dilations = pixels(site, "dilations", rank, 1, 1)?;
    let pads = pixels(site, "pads", 2 * rank, 0, 0)?;
    let auto = AutoPad::of(site)?;
    let is_pool = site.node.op_type.ends_with("Pool");
    let mut windows = Vec::with_capacity(rank);
    for axis in 0..rank {
        let (input, stride) = (spatial[axis] as i64, strides[axis]);
        let extent = (kernel[axis] as i64 - 1) * dilations[axis] + 1;
        let (mut begin, mut end) = (pads[axis], pads[rank + axis]);
        let output = match auto {
            AutoPad::SameUpper | AutoPad::SameLower => {
                let output = input / stride + i64::from(input % stride != 0);
                let total = (output - 1) * stride + extent - input;
                // The standard and onnxruntime differ.
                if is_pool && (dilations[axis] > 1 || total < -1) {
                    return Err("this SAME padding is not defined".into());
                }
                let total = total.max(0);
                let (small, large) = (total / 2, total - total / 2);
                (begin, end) = if auto == AutoPad::SameUpper { (small, large) } else { (large, small) };
                output
            }
            AutoPad::Valid | AutoPad::NotSet => {
                if auto == AutoPad::Valid {
                    (begin, end) = (0, 0);
                }
                let room = input + begin + end - extent;
                if room < 0 && !(ceil_mode && room > -stride) {
                    return Err(format!("a window of {extent} does not fit into {} values", input + begin + end));
                }
                let output = if ceil_mode { (room + stride - 1).div_euclid(stride) } else { room / stride } + 1;
                // A window that would start behind the input, in the padding at the end, is dropped.
                if ceil_mode && (output - 1) * stride >= input + begin { output - 1 } else { output }
            }
        };
        windows.push(Window {
            input: spatial[axis],
            kernel: kernel[axis],
            stride: stride as usize,
            dilation: dilations[axis] as usize,
            begin,
            end,
            output: usize::try_from(output).unwrap_or(0),
        });
    }
    Ok(windows)
}

/// The positions inside the input of the window at `at`, over all axes: `(index in the kernel, index in the input)`.
pub fn taps(windows: &[Window], at: &[usize]) -> Vec<(usize, usize)> {
    let mut all = vec![(0, 0)];
    for (window, &at) in windows.iter().zip(at) {
        let along = window.taps(at);
        let combine = |&(k, i): &(usize, usize)| {
            let (k, i) = (k * window.kernel, i * window.input);
            along.iter().map(move |&(tap, position)| (k + tap, i + position)).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(combine).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_stay_inside_the_input() {
        let window = Window { input: 5, kernel: 3, stride: 2, dilation: 2, begin: 3, end: 4, output: 5 };
        let positions = |at| window.taps(at).iter().map(|&(_, i)| i).collect::<Vec<_>>();
        assert_eq!((0..5).map(positions).collect::<Vec<_>>(), [vec![1], vec![1, 3], vec![1, 3], vec![3], vec![]]);
        assert_eq!(window.taps(0), [(2, 1)]);
        assert_eq!((0..5).map(|at| window.padded_count(at)).collect::<Vec<_>>(), [3, 3, 3, 3, 2]);
    }
}
