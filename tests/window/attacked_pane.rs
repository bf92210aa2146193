//! What the *Robustness* pane shows: the attack on images and on event recordings, by one gradient and by all.

use crate::recordings;
use spikescope::attack::AttackKind;
use spikescope::experiment::Settings;
use spikescope::experiment::attacked::{AttackView, RobustnessView};
use spikescope::lab::{Lab, Message};

fn view(lab: &Lab) -> RobustnessView {
    lab.snapshot.as_ref().unwrap().robustness.as_ref().unwrap().as_ref().clone().unwrap()
}

fn after(lab: &mut Lab, attack: AttackView) -> RobustnessView {
    lab.update([Message::SetAttack(attack)]);
    lab.wait_until_idle();
    view(lab)
}

#[test]
fn the_pane_follows_epsilon_and_measures_the_curve_only_when_asked() {
    let mut lab = Lab::open(Settings::demo()).unwrap();
    let first = view(&lab);
    assert!(
        first.curve.is_none()
            && first.ann.linf > 0.0
            && first.changed.len() == lab.run.as_ref().unwrap().spiking.layers.len()
    );
    for (kind, limit) in [(AttackKind::Fgsm, 150), (AttackKind::Pgd, 1000)] {
        let attack = AttackView { kind, eps: 0.2, ..first.of };
        let begun = std::time::Instant::now();
        lab.update([Message::SetAttack(attack)]);
        lab.wait_until_idle();
        eprintln!("{kind:?}: {} ms (goal {limit} ms)", begun.elapsed().as_millis());
        let now = view(&lab);
        assert!(now.of == attack && (now.ann.linf - 0.2).abs() < 1e-3 && now.curve.is_none(), "{kind:?}");
        assert_eq!(now.ann.image, first.ann.image);
    }
    lab.update([Message::FocusSample(3)]);
    lab.wait_until_idle();
    assert_ne!(view(&lab).ann.image, first.ann.image);
}

#[test]
fn frames_of_recordings_are_attacked_and_counts_are_whole_where_steps_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::open(recordings::settings(folder.path(), 2)).unwrap();
    let whole = after(&mut lab, AttackView { eps: 1.0, ..AttackView::default() });
    assert!(whole.has_counts() && (whole.ann.frames, whole.snn.frames) == (1, 8));
    assert_eq!(whole.snn.image.len(), 8 * whole.ann.image.len());
    assert_eq!(whole.snn.whole_counts, Some(true));
    assert!(whole.snn.adversarial.iter().all(|count| *count >= 0.0));
    // The ANN reads the mean over time.
    let mean = whole.snn.image.iter().sum::<f32>() / 8.0;
    assert!((whole.ann.image.iter().sum::<f32>() - mean).abs() < 1e-3 * mean);
    let part = after(&mut lab, AttackView { eps: 0.3, ..AttackView::default() });
    assert_eq!(part.snn.whole_counts, Some(false));
    lab.update([Message::SetCursor(Some(3))]);
    lab.wait_until_idle();
    assert_eq!(view(&lab), part, "the time cursor chooses a picture alone");
}

#[test]
fn worst_is_the_attack_by_every_gradient_and_finds_what_any_finds() {
    let mut settings = Settings { model: "builtin:digits-mlp".into(), samples: 256..260, ..Settings::demo() };
    settings.recipe.steps = 4;
    let mut lab = Lab::open(settings).unwrap();
    let worst = after(&mut lab, AttackView { eps: 0.2, worst: true, curve: true, ..AttackView::default() });
    assert_eq!((worst.snn.rules.len(), worst.ann.rules.len()), (6, 0));
    assert_eq!(worst.snn.answers[1] != worst.label, worst.snn.rules.iter().any(|(_, fools)| *fools));
    let one = after(&mut lab, AttackView { eps: 0.2, curve: true, ..AttackView::default() });
    assert_eq!(one.snn.rules.len(), 1);
    let (worst, one) = (worst.curve.unwrap(), one.curve.unwrap());
    assert_eq!((&worst.attack[1], &worst.worst), (&one.worst, &one.worst));
    let none_above = |lower: &[f64], upper: &[f64]| lower.iter().zip(upper).all(|(lower, upper)| lower <= upper);
    assert!(none_above(&worst.worst, &worst.single) && none_above(&worst.single, &one.single));
    assert_eq!(one.single, one.attack[1]);
    assert_eq!(worst.after.last().unwrap().1, worst.worst);
}

#[test]
fn an_attack_of_an_older_session_is_by_one_gradient() {
    let older = r#"{"kind": "pgd", "eps": 0.1, "steps": 7, "rule": {"through-time": "triangle"}, "curve": true}"#;
    let attack: AttackView = serde_json::from_str(older).unwrap();
    assert!(!attack.worst && attack.kind == AttackKind::Pgd && attack.steps == 7);
    assert!(!serde_json::to_string(&attack).unwrap().contains("worst"));
}
