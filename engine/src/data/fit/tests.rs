//! Tests of fitting samples to a network's input: nothing turns without a note.

use proptest::prelude::*;

use super::*;
use crate::data::OtherChoice;

/// One sample of `shape` with the values 0, 1, 2, …
fn counted(shape: &[usize]) -> Samples {
    let values = (0..shape.iter().product::<usize>()).map(|v| v as f32).collect();
    Samples { source: "npz:a.npz".into(), shape: shape.to_vec(), values: Arc::new(values), ..Samples::default() }
}

fn input(shape: &[usize], layout: Option<Layout>) -> InputForm {
    InputForm { shape: shape.to_vec(), layout }
}

fn fitted(has: &[usize], wants: &InputForm, stated: Option<Layout>) -> Option<Samples> {
    fit(counted(has), wants, stated).unwrap()
}

const FIRST: Option<Layout> = Some(Layout::ChannelsFirst);
const LAST: Option<Layout> = Some(Layout::ChannelsLast);

#[test]
fn the_networks_shape_decides() {
    // Equal shapes stay, whatever their last dimension is.
    for shape in [&[2, 20, 3][..], &[12, 12, 3], &[5, 7, 9], &[28, 28], &[1, 28, 28]] {
        let same = fitted(shape, &input(shape, None), None).unwrap();
        assert_eq!((same.values[1], same.notes.len()), (1.0, 0), "{shape:?}");
    }
    let turned = fitted(&[12, 12, 2], &input(&[2, 12, 12], FIRST), None).unwrap();
    assert_eq!((turned.shape.as_slice(), &turned.values[..2]), (&[2, 12, 12][..], &[0.0, 2.0][..]));
    assert!(turned.notes[0].text.contains("12x12x2 (channels-last) are turned"), "{:?}", turned.notes);
    let back = fitted(&[3, 12, 12], &input(&[12, 12, 3], None), None).unwrap();
    assert_eq!((back.values[1], back.layout), (144.0, LAST));
    assert!(back.notes[0].text.contains("channels-first"));
    // Ones make no difference.
    for (has, wants) in [(&[28, 28][..], &[1, 28, 28][..]), (&[28, 28], &[28, 28, 1]), (&[1, 28, 28], &[28, 28, 1])] {
        let same = fitted(has, &input(wants, None), None).unwrap();
        assert_eq!((same.shape.as_slice(), same.values[1], same.notes.len()), (wants, 1.0, 0));
    }
    // Signals with channels last.
    assert_eq!(fitted(&[100, 6], &input(&[6, 1, 100], FIRST), None).unwrap().values[1], 6.0);
    for (has, wants) in [(&[20, 30][..], &[1, 30, 20][..]), (&[3, 12, 14], &[12, 3, 14]), (&[9, 16, 3], &[3, 12, 12])] {
        assert!(fitted(has, &input(wants, None), None).is_none(), "{has:?} {wants:?}");
    }
    assert!(fitted(&[3, 12, 12], &input(&[12, 12, 3], FIRST), None).is_none(), "the network reads 12 channels");
}

#[test]
fn what_shapes_leave_open_is_told_and_can_be_stated() {
    let other = |samples: &Samples| match &samples.notes[0].other {
        Some(OtherChoice::Option { key: "layout", value }) => value.clone(),
        other => panic!("{other:?}"),
    };
    for (has, wants) in [(&[3, 3, 3][..], &[3, 3, 3][..]), (&[27], &[3, 3, 3]), (&[16, 16], &[16, 1, 16])] {
        let wants = input(wants, FIRST);
        let guessed = fitted(has, &wants, None).unwrap();
        assert_eq!((guessed.values[1], other(&guessed)), (1.0, "nhwc".into()));
        let stated = fitted(has, &wants, LAST).unwrap();
        assert_eq!(stated.values[1], wants.shape[0] as f32, "{has:?}");
    }
    let flat = input(&[75], None);
    let (own, turned) = (fitted(&[5, 5, 3], &flat, None).unwrap(), fitted(&[5, 5, 3], &flat, FIRST).unwrap());
    assert_eq!((own.values[1], other(&own), turned.values[1]), (1.0, "nchw".into(), 3.0));
    assert_eq!((turned.shape.as_slice(), turned.notes.len()), (&[3, 5, 5][..], 0));
    assert!(fit(counted(&[2, 20, 3]), &input(&[2, 20, 3], FIRST), LAST).is_err());
}

#[test]
fn frames_turn_with_their_mean() {
    let mut samples = counted(&[2, 1, 2]);
    let frames = [samples.values.to_vec(), samples.values.to_vec()].concat();
    samples.frames = Some(crate::data::FrameSequence { count: 2, values: Arc::new(frames), events: None });
    samples.layout = FIRST;
    let turned = fit(samples, &input(&[1, 2, 2], LAST), None).unwrap().unwrap();
    assert_eq!(turned.values[..], [0.0, 2.0, 1.0, 3.0]);
    assert_eq!(turned.frames.unwrap().values[4..], [0.0, 2.0, 1.0, 3.0]);
}

proptest! {
    #[test]
    fn nothing_turns_silently(a in 1usize..6, b in 1usize..6, c in 1usize..6, order in 0usize..5, known in 0usize..3, stated in 0usize..3) {
        let layouts = [None, FIRST, LAST];
        let has = [vec![a, b, c], vec![b, c, a], vec![c, a, b], vec![a * b * c], vec![a * b, c]][order].clone();
        let Ok(Some(fitted)) = fit(counted(&has), &input(&[a, b, c], layouts[known]), layouts[stated]) else {
            prop_assert!(order > 0 || stated > 0, "equal shapes are taken");
            return Ok(());
        };
        let moved = fitted.values.iter().enumerate().any(|(k, v)| *v != k as f32);
        prop_assert!(!moved || !fitted.notes.is_empty() || stated > 0);
        prop_assert!(!moved || order > 0 || stated > 0, "equal shapes stay");
        let mut sorted = fitted.values.to_vec();
        sorted.sort_by(f32::total_cmp);
        prop_assert!(sorted.iter().enumerate().all(|(k, v)| *v == k as f32), "no value is lost");
        prop_assert_eq!(fitted.sample_len(), a * b * c);
    }
}
