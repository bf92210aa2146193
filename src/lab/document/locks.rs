//! Control locks: a lesson locks control groups, and messages of the user to them are discarded.
//!
//! The window shows locked controls as disabled. Messages of the lesson itself are not filtered.

use crate::lab::view::control_group::ControlGroup;
use crate::lab::{Lab, Message};

impl Lab {
    /// Whether `control` is locked.
    pub fn is_locked(&self, control: ControlGroup) -> bool {
        self.view.locked.contains(&control)
    }

    /// Removes the messages of locked controls.
    pub fn drop_locked(&self, messages: &mut Vec<Message>) {
        if !self.view.locked.is_empty() {
            messages.retain(|message| ControlGroup::of(message).is_none_or(|control| !self.is_locked(control)));
        }
    }
}

impl ControlGroup {
    /// The lockable control group that `message` belongs to, if any.
    pub fn of(message: &Message) -> Option<Self> {
        Some(match message {
            Message::SetSettings(_)
            | Message::OpenModel(_)
            | Message::SetOutput(_)
            | Message::SetTimeStep(_)
            | Message::OpenPath(_)
            | Message::OpenPaths(_)
            | Message::OpenSessionText(_)
            | Message::OpenRecent(_)
            | Message::OpenSession(_) => Self::Network,
            Message::OpenData(_)
            | Message::SetScaling(_)
            | Message::SetSamples { .. }
            | Message::SetCalibrationData(_)
            | Message::OpenCalibrationData(_)
            | Message::SetCalibration { .. } => Self::Data,
            Message::SetSteps(_) => Self::Steps,
            Message::SetThreshold(_) | Message::SetGranularity(_) | Message::SetLayerThreshold { .. } => {
                Self::Threshold
            }
            Message::SetVInit(_) | Message::SetInitial(_) | Message::SetSeed(_) => Self::VInit,
            Message::SetCorrection(_) => Self::Correction,
            Message::SetReset(_)
            | Message::SetTie(_)
            | Message::SetNeuron(_)
            | Message::SetBiasShift(_)
            | Message::SetBiasCorrection(_)
            | Message::SetPooling(_)
            | Message::SetReadout(_)
            | Message::SetRecipe(_)
            | Message::AdoptLane(_)
            | Message::ResetRecipe
            | Message::Undo
            | Message::Redo => Self::Recipe,
            Message::SetDrawing(_) | Message::DrawPicture(_) | Message::LeaveDrawing => Self::Drawing,
            Message::SetBench(_) | Message::FocusOnBench => Self::Bench,
            Message::SetCursor(_) | Message::StepCursor(_) | Message::Play => Self::Time,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_of_locked_controls_are_dropped() {
        let mut lab = Lab::default();
        lab.view.locked = vec![ControlGroup::Steps];
        let mut messages = vec![Message::SetSteps(4), Message::SetVInit(0.1), Message::Stop];
        lab.drop_locked(&mut messages);
        assert_eq!(messages, [Message::SetVInit(0.1), Message::Stop]);
    }
}
