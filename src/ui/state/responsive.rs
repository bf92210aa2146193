//! What makes room for the panes in a small window: the inspector first, then the samples and the strip of layers. A person
//! who wants one of them all the same gets it.

use egui::Vec2;

/// What can be folded away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SidePanel {
    Layers,
    Samples,
    Inspector,
    /// The list of lessons.
    Lessons,
}

/// In a window narrower than these, in points, inspector, lessons and layers fold away; in a lower one, the samples.
const INSPECTOR_FROM: f32 = 1000.0;
const LAYERS_FROM: f32 = 940.0;
const SAMPLES_FROM: f32 = 540.0;

/// The room that there was in the frame before, and what a person wants in spite of it.
#[derive(Debug)]
pub struct ResponsiveLayout {
    room: Vec2,
    insisted: Vec<SidePanel>,
}

impl Default for ResponsiveLayout {
    /// Before the first frame nothing is known to be in the way.
    fn default() -> Self {
        Self { room: Vec2::INFINITY, insisted: Vec::new() }
    }
}

impl ResponsiveLayout {
    /// Takes note of the room below the bars at the top.
    pub fn measure(&mut self, room: Vec2) {
        self.room = room;
        self.insisted.retain(|side| !fits(*side, room));
    }

    /// Whether `side` is in sight, for one whose wish for it is `wanted`.
    pub fn shows(&self, side: SidePanel, wanted: bool) -> bool {
        wanted && (fits(side, self.room) || self.insisted.contains(&side))
    }

    /// Puts `side` out of sight or into it.
    pub fn toggle(&mut self, side: SidePanel, wanted: &mut bool) {
        let seen = self.shows(side, *wanted);
        self.insisted.retain(|other| *other != side);
        if seen {
            // What folds away by itself is wanted again where there is room.
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
