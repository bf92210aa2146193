//! Accessibility tests: every control has a name, every plot a description, and the keyboard reaches all.
//!
//! Also the smallest window and low panes.

use crate::desk::{Desk, click, desk, desk_of};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::NodeT;
use spikescope::lab::{Message, Workspace};
use spikescope::ui::types::pane::Pane;

/// Roles of interactive widgets.
const CONTROLS: [Role; 12] = [
    Role::Button,
    Role::CheckBox,
    Role::RadioButton,
    Role::Slider,
    Role::SpinButton,
    Role::ComboBox,
    Role::TextInput,
    Role::MultilineTextInput,
    Role::Link,
    Role::ListBoxOption,
    Role::Tab,
    Role::MenuItem,
];

/// Controls without a name, by role and position.
fn nameless(harness: &Harness<'static, Desk>) -> Vec<String> {
    let nodes = harness.root().children_recursive().filter(|node| {
        let node = node.accesskit_node();
        let works = CONTROLS.contains(&node.role());
        works && !node.is_hidden() && node.label().is_none_or(|label| label.trim().is_empty())
    });
    nodes.map(|node| format!("{:?} at {:?}", node.accesskit_node().role(), node.rect())).collect()
}

/// Shows only `pane` in the workspace, so that it is visible.
fn alone(harness: &mut Harness<'static, Desk>, pane: Pane) {
    let desk = harness.state_mut();
    for other in Pane::ALL {
        desk.window.layout.docks.remove(Workspace::Explore, other);
    }
    desk.window.layout.docks.add(Workspace::Explore, pane);
    // Data that only this pane needs are computed after the first frame that shows it.
    (0..3).for_each(|_| _ = harness.run_ok());
}

#[test]
fn every_control_has_a_name_and_every_pane_a_description() {
    let mut harness = desk();
    harness.state_mut().lab.update([Message::SetSteps(8), Message::EndGesture]);
    harness.run_ok();
    assert_eq!(nameless(&harness), Vec::<String>::new(), "the window as it opens");
    click(&mut harness, "Recipe");
    assert_eq!(nameless(&harness), Vec::<String>::new(), "the recipe");
    harness.key_press(Key::Escape);
    harness.run_ok();
    for pane in Pane::ALL {
        alone(&mut harness, pane);
        assert_eq!(nameless(&harness), Vec::<String>::new(), "{}", pane.title());
        if matches!(pane, Pane::Boxes | Pane::Scenes | Pane::Recording) {
            // This network has no boxes, and the pane says so in a text.
            let says = |node: &egui_kittest::Node<'_>| {
                node.accesskit_node()
                    .value()
                    .is_some_and(|text| ["No boxes", "No masks", "No events"].iter().any(|word| text.contains(word)))
            };
            assert!(harness.root().children_recursive().any(|node| says(&node)), "why there are no boxes");
            continue;
        }
        let described = harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            node.role() == Role::Image && node.label().is_some_and(|label| label.len() > 20)
        });
        assert!(described, "{} says what it shows", pane.title());
    }
}

#[test]
fn smallest_window_truncates_no_bar() {
    let mut harness = desk_of(egui::vec2(960.0, 600.0));
    let corrections = ["none", "SRP", "COS"];
    let methods = spikescope::convert::Recipe::published_methods(&harness.state().lab.settings.recipe, 4);
    for (name, method) in corrections.iter().zip(["plain", "SRP", "COS x3"]) {
        let recipe = methods.iter().find(|m| m.name == method).unwrap().recipe.clone();
        harness.state_mut().lab.update([Message::SetRecipe(Box::new(recipe))]);
        harness.run_ok();
        let place = |wanted: &str| {
            let mut nodes = harness.root().children_recursive();
            let found = nodes.find(|node| node.accesskit_node().label().is_some_and(|label| label == wanted));
            found.unwrap_or_else(|| panic!("{wanted} is on the screen with {name}")).rect()
        };
        let (recipe, rerun) = (place("Recipe"), place("Rerun"));
        assert!(!recipe.intersects(rerun), "{name}: {recipe:?} runs into {rerun:?}");
        assert!(rerun.right() <= 960.0 && recipe.right() <= 960.0, "{name}: {recipe:?} {rerun:?}");
    }
}

#[test]
fn keyboard_reaches_every_control_of_the_bars() {
    let mut harness = desk();
    let wanted =
        ["File", "Network: digits-resnet", "T", "Threshold rule", "v(0)", "Correction", "Recipe", "Rerun", "Play"];
    let mut seen = Vec::new();
    for _ in 0..400 {
        harness.key_press(Key::Tab);
        harness.run_ok();
        let focused = harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
        let Some(label) = focused.and_then(|node| node.accesskit_node().label()) else { continue };
        if seen.first() == Some(&label) && seen.len() > 40 {
            break;
        }
        seen.push(label);
    }
    for name in wanted {
        assert!(seen.iter().any(|label| label == name), "{name} is not among {seen:?}");
    }
}

#[test]
fn every_plot_has_a_name_and_says_what_it_shows() {
    let mut harness = desk();
    let lanes =
        spikescope::convert::Recipe::published_methods(&harness.state().lab.settings.recipe, 4).into_iter().take(2);
    let messages = [
        Message::SetVInit(0.25),
        Message::EndGesture,
        Message::SetLanes(lanes.collect()),
        Message::CompareWith(Some(1)),
    ];
    harness.state_mut().lab.update(messages);
    harness.run_ok();
    let wanted: [(Pane, &[&str]); 15] = [
        (Pane::TCurve, &["Accuracy over time-steps"]),
        (Pane::Mismatch, &["ANN activation against SNN", "Map of the ANN", "Map of the SNN", "Map of the difference"]),
        (Pane::OffsetSpikes, &["Histogram of offset spikes", "Map of offset spikes"]),
        (Pane::Membrane, &["Potential of ", "Input current of "]),
        (Pane::Raster, &["Raster of spikes", "Rate of each "]),
        (
            Pane::Threshold,
            &["Histogram of activations with the threshold", "Predicted squared error over the threshold"],
        ),
        (Pane::Transfer, &["Output over input"]),
        (Pane::Race, &["Curves of the race", "Offset spikes of current"]),
        (Pane::Bench, &["Input of the neuron on the bench", "Potential of the neuron on the bench"]),
        (Pane::Energy, &["Energy over time-steps"]),
        (Pane::ReadoutWindow, &["Accuracy by start and end", "Samples by exit step"]),
        (Pane::InitialPotential, &["Mean error over v(0)", "Mean squared error over v(0)"]),
        (Pane::Runs, &["Curves of the two runs", "Mismatch of each layer in the two runs"]),
        (Pane::Ledger, &["layer1.0.act1: total error"]),
        (Pane::Unevenness, &["Unevenness of layer1.0.act1"]),
    ];
    for (pane, names) in wanted {
        alone(&mut harness, pane);
        for name in names {
            let nodes = harness.root().children_recursive();
            let descriptions = nodes.filter_map(|node| {
                let node = node.accesskit_node();
                let own = node.label().is_some_and(|label| label.starts_with(name));
                own.then(|| node.description()).flatten()
            });
            let descriptions: Vec<String> = descriptions.collect();
            let figures = |text: &String| text.len() > 30 && text.contains(|c: char| c.is_ascii_digit());
            assert!(descriptions.iter().any(figures), "{}: {name} says {descriptions:?}", pane.title());
        }
    }
}

/// Rectangle of the widget named `name`, if it is visible.
fn place(harness: &Harness<'static, Desk>, name: &str) -> Option<egui::Rect> {
    let mut nodes = harness.root().children_recursive();
    let found = nodes.find(|node| {
        let node = node.accesskit_node();
        node.label().or(node.value()).is_some_and(|words| words.starts_with(name))
    });
    found.map(|node| node.rect())
}

/// 1280 × 800 at projector zoom, and the smallest window.
#[test]
fn low_panes_keep_their_plots() {
    for size in [egui::vec2(914.0, 571.0), egui::vec2(960.0, 600.0)] {
        let mut harness = desk_of(size);
        let plots: [(Workspace, &[&str]); 3] = [
            (Workspace::Explore, &["Accuracy over time-steps", "Potential of"]),
            (Workspace::Teach, &["Input of the neuron", "Potential of the neuron", "Output over input"]),
            (Workspace::Tune, &["Accuracy over time-steps", "Histogram of activations"]),
        ];
        for (workspace, names) in plots {
            harness.state_mut().lab.update([Message::SetWorkspace(workspace)]);
            (0..3).for_each(|_| _ = harness.run_ok());
            for name in names {
                let rect = place(&harness, name).unwrap_or_else(|| panic!("{name} in {workspace:?}"));
                let least = if name.starts_with("Input") { 36.0 } else { 55.0 };
                assert!(
                    rect.height() >= least && rect.bottom() <= size.y,
                    "{name} in {workspace:?} of {size}: {rect:?}"
                );
            }
            assert!(place(&harness, "ANN 1").is_some(), "how well they do");
        }
    }
}

#[test]
fn hidden_panels_appear_on_request() {
    let mut harness = desk_of(egui::vec2(914.0, 571.0));
    assert!(place(&harness, "Spikes n").is_none(), "the inspector makes room");
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::I);
    harness.run_ok();
    assert!(place(&harness, "Pin").is_some(), "the inspector");
    harness.key_press_modifiers(egui::Modifiers::COMMAND, Key::I);
    harness.run_ok();
    assert!(harness.state().window.layout.inspector, "it comes back in a larger window");
    assert!(place(&harness, "relative").is_none(), "the ledger's controls make room");
    click(&mut harness, "Show all of Error ledger");
    assert!(place(&harness, "relative").is_some());
    click(&mut harness, "Explain: Error ledger");
    assert!(place(&harness, "Explain: Error ledger").is_some());
}
