//! Tests of checkpoints: a training that goes on from one, and files that are none.

use super::tests::{halves, network, never_stop, options, spiking};
use super::*;
use crate::network::safetensors;
use crate::network::zoo::ZooArchitecture;
use crate::train::{Adversarial, Augmentation, Classification, Optimizer, SparseGradient};

#[test]
fn a_resumed_training_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let samples = halves(60);
    let network = network(ZooArchitecture::Resnet, "relu");
    for (optimizer, robust) in [(Optimizer::Adam, true), (Optimizer::Sgd, false)] {
        let checkpoint = Some(folder.path().join("a.checkpoint"));
        let options = TrainOptions {
            epochs: 3,
            optimizer,
            augmentation: Augmentation { shift: 1, ..Augmentation::default() },
            sparse: robust.then(|| SparseGradient::new(0.01)),
            adversarial: robust.then_some(Adversarial { eps: 0.03, pgd_steps: Some(2) }),
            checkpoint: checkpoint.clone(),
            ..spiking(2)
        };
        let run = |options: &TrainOptions, until: usize| {
            let stop = |at: TrainProgress| match at.score {
                Some(_) if at.epoch >= until => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            };
            train(&network, &samples, &Scaling::Unit, options, &Classification, stop).unwrap()
        };
        let whole = run(&options, 9);
        run(&options, 1);
        let resumed = run(&TrainOptions { resume: checkpoint.clone(), ..options.clone() }, 9);
        let bytes = |result: &TrainResult| safetensors::to_bytes(&result.network).unwrap();
        assert!(bytes(&whole) == bytes(&resumed), "{optimizer:?}");
        assert_eq!((whole.epoch, whole.score), (resumed.epoch, resumed.score));
        // Another training is refused by name.
        let other = TrainOptions { resume: checkpoint, batch: 7, ..options };
        let error = train(&network, &samples, &Scaling::Unit, &other, &Classification, never_stop).unwrap_err();
        assert!(error.to_string().contains("batch was 20, and is 7 now"), "{error}");
    }
}

#[test]
fn files_that_are_no_checkpoint_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.checkpoint");
    let network = network(ZooArchitecture::Mlp, "relu");
    let resume = TrainOptions { resume: Some(path.clone()), ..options() };
    let refused = || {
        let error = train(&network, &halves(20), &Scaling::Unit, &resume, &Classification, never_stop).unwrap_err();
        assert!(error.to_string().contains("b.checkpoint"), "{error}");
        error.to_string()
    };
    refused();
    std::fs::write(&path, b"nothing").unwrap();
    refused();
    safetensors::save(&network, &path).unwrap();
    assert!(refused().contains("--init"));
}
