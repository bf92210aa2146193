//! What is looked at: view state, lockable controls, notifications.

pub mod control_group;
pub mod notification;
pub mod view_state;
