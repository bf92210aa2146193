//! Responsive layout: hides inspector, layers and samples in small windows.
//!
//! The inspector hides first, then layers and samples. Beside lessons the layers hide earlier. The user can show a hidden panel
//! anyway.

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

/// Minimum window sizes, in points: width for the inspector, width for layers, for them beside the wider lessons, and for
/// lessons, height for samples.
const INSPECTOR_MIN_WIDTH: f32 = 1000.0;
const LAYERS_MIN_WIDTH: f32 = 940.0;
const LAYERS_BESIDE_LESSONS_MIN_WIDTH: f32 = 1140.0;
const LESSONS_MIN_WIDTH: f32 = 900.0;
const SAMPLES_MIN_HEIGHT: f32 = 540.0;

/// The room of the previous frame, and the panels that the user shows despite too little room.
#[derive(Debug)]
pub struct ResponsiveLayout {
    room: Vec2,
    /// Whether lessons are open, which take their room from the layers.
    lessons: bool,
    shown_anyway: Vec<SidePanel>,
}

impl Default for ResponsiveLayout {
    /// Before the first frame, every panel fits.
    fn default() -> Self {
        Self { room: Vec2::INFINITY, lessons: false, shown_anyway: Vec::new() }
    }
}

impl ResponsiveLayout {
    /// Records the room below the bars at the top, and whether lessons are open.
    pub fn measure(&mut self, room: Vec2, lessons: bool) {
        (self.room, self.lessons) = (room, lessons);
        self.shown_anyway.retain(|side| !fits(*side, room, lessons));
    }

    /// Whether `side` is visible, if `wanted` is its switch.
    pub fn shows(&self, side: SidePanel, wanted: bool) -> bool {
        wanted && (self.fits(side) || self.shown_anyway.contains(&side))
    }

    /// Hides or shows `side`.
    pub fn toggle(&mut self, side: SidePanel, wanted: &mut bool) {
        let visible = self.shows(side, *wanted);
        self.shown_anyway.retain(|other| *other != side);
        if visible {
            // A panel that hides by itself reappears when there is room.
            *wanted = !self.fits(side);
        } else {
            *wanted = true;
            self.shown_anyway.push(side);
        }
    }

    fn fits(&self, side: SidePanel) -> bool {
        fits(side, self.room, self.lessons)
    }
}

fn fits(side: SidePanel, room: Vec2, lessons: bool) -> bool {
    match side {
        SidePanel::Inspector => room.x >= INSPECTOR_MIN_WIDTH,
        SidePanel::Lessons => room.x >= LESSONS_MIN_WIDTH,
        SidePanel::Layers if lessons => room.x >= LAYERS_BESIDE_LESSONS_MIN_WIDTH,
        SidePanel::Layers => room.x >= LAYERS_MIN_WIDTH,
        SidePanel::Samples => room.y >= SAMPLES_MIN_HEIGHT,
    }
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::*;

    #[test]
    fn hidden_panel_appears_when_toggled() {
        let (mut layout, mut wanted) = (ResponsiveLayout::default(), true);
        layout.measure(vec2(914.0, 490.0), false);
        assert!(!layout.shows(SidePanel::Inspector, wanted));
        layout.toggle(SidePanel::Inspector, &mut wanted);
        assert!(layout.shows(SidePanel::Inspector, wanted) && !layout.shows(SidePanel::Layers, true));
        layout.toggle(SidePanel::Inspector, &mut wanted);
        assert!(!layout.shows(SidePanel::Inspector, wanted));
        layout.measure(vec2(1280.0, 720.0), false);
        assert!(layout.shows(SidePanel::Inspector, wanted), "in a larger window it is there again");
        layout.toggle(SidePanel::Inspector, &mut wanted);
        assert!(!wanted);
    }

    #[test]
    fn lessons_outrank_layers() {
        let mut layout = ResponsiveLayout::default();
        layout.measure(vec2(975.0, 480.0), true);
        assert!(layout.shows(SidePanel::Lessons, true) && !layout.shows(SidePanel::Layers, true));
        layout.measure(vec2(975.0, 480.0), false);
        assert!(layout.shows(SidePanel::Layers, true), "without lessons there is room");
        layout.measure(vec2(1366.0, 650.0), true);
        assert!(layout.shows(SidePanel::Lessons, true) && layout.shows(SidePanel::Layers, true));
    }
}
