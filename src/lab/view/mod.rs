//! View: state of the display, lockable control groups, and notifications.

pub mod control_group;
pub mod notification;
pub mod trojan_choice;
pub mod view_state;
