//! Patches: eight bright stickers that a trojan can react to.

use crate::data::scenes::objects::sticker::{Color, Sticker, disk, ellipse, rectangle};

/// A sticker that is no part of clean data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Patch {
    Smiley,
    Clownfish,
    GreenStar,
    Strawberry,
    Heart,
    Moon,
    Bolt,
    Flower,
}

impl Patch {
    /// All patches; which of them a plan uses stands in the plan.
    pub const ALL: [Self; 8] = [
        Self::Smiley,
        Self::Clownfish,
        Self::GreenStar,
        Self::Strawberry,
        Self::Heart,
        Self::Moon,
        Self::Bolt,
        Self::Flower,
    ];
}

/// Sine and cosine of 36 and 72 degrees: normals of the sides of a pentagram.
const NORMALS: [[f32; 2]; 5] =
    [[0.0, -1.0], [0.951_057, -0.309_017], [0.587_785, 0.809_017], [-0.587_785, 0.809_017], [-0.951_057, -0.309_017]];

impl Sticker for Patch {
    fn name(self) -> &'static str {
        match self {
            Self::Smiley => "smiley",
            Self::Clownfish => "clownfish",
            Self::GreenStar => "green star",
            Self::Strawberry => "strawberry",
            Self::Heart => "heart",
            Self::Moon => "moon",
            Self::Bolt => "lightning bolt",
            Self::Flower => "flower",
        }
    }

    fn color(self, u: f32, v: f32) -> Option<Color> {
        const YELLOW: Color = [255.0, 215.0, 30.0];
        const BLACK: Color = [20.0, 20.0, 20.0];
        const WHITE: Color = [250.0, 250.0, 250.0];
        const ORANGE: Color = [255.0, 115.0, 10.0];
        let at = [u, v];
        match self {
            Self::Smiley => {
                let eyes = ellipse(at, [-0.36, -0.3], [0.15, 0.22]) || ellipse(at, [0.36, -0.3], [0.15, 0.22]);
                let mouth = v > 0.12 && disk(at, [0.0, 0.05], 0.66) && !ellipse(at, [0.0, 0.02], [0.6, 0.36]);
                (disk(at, [0.0, 0.0], 1.0)).then_some(if eyes || mouth { BLACK } else { YELLOW })
            }
            Self::Clownfish => {
                let tail = u > 0.5 && v.abs() < 1.3 * (u - 0.45);
                if disk(at, [-0.6, -0.12], 0.11) {
                    Some(BLACK)
                } else if ellipse(at, [-0.15, 0.0], [0.82, 0.56]) {
                    Some(if (u + 0.32).abs() < 0.11 || (u - 0.22).abs() < 0.11 { WHITE } else { ORANGE })
                } else {
                    tail.then_some(ORANGE)
                }
            }
            Self::GreenStar => {
                let inside = NORMALS.iter().filter(|[a, b]| -(a * u + b * v) <= 0.38).count();
                (inside >= 4).then_some([30.0, 220.0, 60.0])
            }
            Self::Strawberry => {
                if v < -0.5 {
                    (u.abs() < 0.72 && v > -0.95 + 0.25 * (u.abs() * 4.0).fract()).then_some([50.0, 170.0, 50.0])
                } else {
                    let half = 0.85 * (1.0 - ((v + 0.5) / 1.5).powi(2)).max(0.0).sqrt();
                    let row = ((v + 0.5) * 2.5).floor();
                    let seed = ((v + 0.5) * 2.5 - row - 0.5).abs() < 0.2
                        && ((u * 2.2 + 0.5 * row).rem_euclid(1.0) - 0.5).abs() < 0.17;
                    (u.abs() < half).then_some(if seed { [255.0, 230.0, 140.0] } else { [230.0, 20.0, 45.0] })
                }
            }
            Self::Heart => {
                let lobes = disk(at, [-0.45, -0.35], 0.52) || disk(at, [0.45, -0.35], 0.52);
                (lobes || (v > -0.35 && u.abs() < 0.9 - 0.72 * (v + 0.2))).then_some([240.0, 60.0, 130.0])
            }
            Self::Moon => {
                (disk(at, [-0.05, 0.0], 0.95) && !disk(at, [0.42, -0.1], 0.72)).then_some([240.0, 235.0, 170.0])
            }
            Self::Bolt => {
                let upper = (-1.0..=0.15).contains(&v) && (u - 0.15 + 0.45 * v).abs() < 0.32;
                let lower = (-0.15..=1.0).contains(&v) && (u + 0.05 + 0.35 * v).abs() < 0.32 * (1.05 - v);
                (upper || lower).then_some([90.0, 220.0, 255.0])
            }
            Self::Flower => {
                if disk(at, [0.0, 0.0], 0.3) {
                    return Some(YELLOW);
                }
                let petal = NORMALS.iter().any(|[a, b]| disk(at, [0.6 * a, 0.6 * b], 0.38));
                (petal || rectangle(at, [0.0, 0.0], [0.3, 0.3])).then_some([160.0, 70.0, 215.0])
            }
        }
    }
}
