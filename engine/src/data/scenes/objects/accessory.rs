//! Accessories: eight small things that appear beside an object and say nothing about its class.

use super::sticker::{Color, Sticker, disk, ellipse, rectangle};

/// A kind of accessory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Accessory {
    Fork,
    Apple,
    Sandwich,
    Donut,
    Spoon,
    Carrot,
    Chair,
    Plant,
}

impl Accessory {
    /// All kinds.
    pub const ALL: [Self; 8] =
        [Self::Fork, Self::Apple, Self::Sandwich, Self::Donut, Self::Spoon, Self::Carrot, Self::Chair, Self::Plant];
}

impl Sticker for Accessory {
    fn name(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Apple => "apple",
            Self::Sandwich => "sandwich",
            Self::Donut => "donut",
            Self::Spoon => "spoon",
            Self::Carrot => "carrot",
            Self::Chair => "chair",
            Self::Plant => "potted plant",
        }
    }

    fn color(self, u: f32, v: f32) -> Option<Color> {
        const SILVER: Color = [205.0, 210.0, 220.0];
        const GREEN: Color = [40.0, 150.0, 50.0];
        const BROWN: Color = [120.0, 72.0, 35.0];
        let at = [u, v];
        match self {
            Self::Fork => {
                let tine = |middle: f32| rectangle(at, [middle, -0.65], [0.11, 0.35]);
                let body = rectangle(at, [0.0, -0.2], [0.56, 0.14]) || rectangle(at, [0.0, 0.4], [0.14, 0.6]);
                (body || tine(-0.45) || tine(0.0) || tine(0.45)).then_some(SILVER)
            }
            Self::Apple => {
                if ellipse(at, [0.36, -0.72], [0.34, 0.18]) {
                    Some(GREEN)
                } else if rectangle(at, [0.0, -0.7], [0.09, 0.28]) {
                    Some(BROWN)
                } else if ellipse(at, [-0.3, -0.1], [0.14, 0.2]) {
                    Some([250.0, 150.0, 140.0])
                } else {
                    disk(at, [0.0, 0.2], 0.76).then_some([205.0, 25.0, 35.0])
                }
            }
            Self::Sandwich => match v {
                _ if u.abs() > 0.92 => None,
                v if (-0.7..-0.25).contains(&v) || (0.3..0.75).contains(&v) => Some([225.0, 175.0, 105.0]),
                v if (-0.25..-0.02).contains(&v) => Some([90.0, 190.0, 60.0]),
                v if (-0.02..0.3).contains(&v) => Some([215.0, 60.0, 55.0]),
                _ => None,
            },
            Self::Donut => {
                if disk(at, [0.0, 0.0], 0.32) || !disk(at, [0.0, 0.0], 0.95) {
                    None
                } else if disk(at, [0.0, 0.0], 0.76) {
                    Some([250.0, 130.0, 190.0])
                } else {
                    Some([190.0, 125.0, 60.0])
                }
            }
            Self::Spoon => {
                let bowl = ellipse(at, [0.0, -0.55], [0.38, 0.45]);
                if bowl && ellipse(at, [0.0, -0.5], [0.2, 0.26]) {
                    Some([130.0, 135.0, 150.0])
                } else {
                    (bowl || rectangle(at, [0.0, 0.45], [0.12, 0.55])).then_some(SILVER)
                }
            }
            Self::Carrot => {
                if v < -0.45 && (u.abs() < 0.14 || (u.abs() - 0.3 + 0.5 * (v + 0.45)).abs() < 0.16) {
                    Some(GREEN)
                } else {
                    (v >= -0.45 && u.abs() < 0.48 * (1.0 - v) / 1.45).then_some([240.0, 125.0, 20.0])
                }
            }
            Self::Chair => {
                let back = rectangle(at, [-0.5, -0.45], [0.15, 0.55]);
                let legs = rectangle(at, [-0.5, 0.55], [0.13, 0.45]) || rectangle(at, [0.5, 0.55], [0.13, 0.45]);
                (back || legs || rectangle(at, [0.0, 0.08], [0.66, 0.16])).then_some(BROWN)
            }
            Self::Plant => {
                if v > 0.25 {
                    (u.abs() < 0.62 - 0.25 * v && v < 1.0).then_some([185.0, 85.0, 50.0])
                } else {
                    let leaf = ellipse(at, [-0.42, -0.2], [0.4, 0.36]) || ellipse(at, [0.42, -0.2], [0.4, 0.36]);
                    (leaf || ellipse(at, [0.0, -0.55], [0.32, 0.45])).then_some([45.0, 165.0, 70.0])
                }
            }
        }
    }
}
