//! Responsive layout: hides inspector, layers and samples in small windows.
//!
//! The inspector hides first, then layers and samples. The user can show a hidden panel anyway.

use egui::Vec2;

/// A panel that can be hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SidePanel {
    Layers,
    Samples,
    Inspector,
    /// The list of lessons.
    Lessons,
}

/// Minimum window sizes, in points: width for inspector and lessons, width for layers, height for samples.
const INSPECTOR_FROM: f32 = 1000.0;
const LAYERS_FROM: f32 = 940.0;
const SAMPLES_FROM: f32 = 540.0;

/// The room of the previous frame, and the panels that the user shows despite too little room.
#[derive(Debug)]
pub struct ResponsiveLayout {
    room: Vec2,
    insisted: Vec<SidePanel>,
}

impl Default for ResponsiveLayout {
    /// Before the first frame, every panel fits.
    fn default() -> Self {
        Self { room: Vec2::INFINITY, insisted: Vec::new() }
    }
}

impl ResponsiveLayout {
    /// Records the room below the bars at the top.
    pub fn measure(&mut self, room: Vec2) {
        self.room = room;
        self.insisted.retain(|side| !fits(*side, room));
    }

    /// Whether `side` is visible, if `wanted` is its switch.
    pub fn shows(&self, side: SidePanel, wanted: bool) -> bool {
        wanted && (fits(side, self.room) || self.insisted.contains(&side))
    }

    /// Hides or shows `side`.
    pub fn toggle(&mut self, side: SidePanel, wanted: &mut bool) {
        let seen = self.shows(side, *wanted);
        self.insisted.retain(|other| *other != side);
        if seen {
            // A panel that hides by itself reappears when there is room.
            *wanted = !fits(side, self.room);
        } else {
            *wanted = true;
            self.insisted.push(side);
        }
    }
}

fn fits(side: SidePanel, room: Vec2) -> bool {
    match side {
        SidePanel::Inspector | SidePanel::Lessons => room.x >= INSPECTOR_FROM,
        SidePanel::Layers => room.x >= LAYERS_FROM,
        SidePanel::Samples => room.y >= SAMPLES_FROM,
    }
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::*;

    #[test]
    fn what_folds_away_comes_when_it_is_asked_for() {
        let (mut folding, mut wanted) = (ResponsiveLayout::default(), true);
        folding.measure(vec2(914.0, 490.0));
        assert!(!folding.shows(SidePanel::Inspector, wanted));
        folding.toggle(SidePanel::Inspector, &mut wanted);
        assert!(folding.shows(SidePanel::Inspector, wanted) && !folding.shows(SidePanel::Layers, true));
        folding.toggle(SidePanel::Inspector, &mut wanted);
        assert!(!folding.shows(SidePanel::Inspector, wanted));
        folding.measure(vec2(1280.0, 720.0));
        assert!(folding.shows(SidePanel::Inspector, wanted), "in a larger window it is there again");
        folding.toggle(SidePanel::Inspector, &mut wanted);
        assert!(!wanted);
    }
}
