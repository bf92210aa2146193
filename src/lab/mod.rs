//! The document: what is open, what was computed of it and what is being computed. The faces read [`Lab`] and push
//! [`Message`]s; [`Lab::update`] is the only place that changes it. Knows no widget.

pub mod document;
pub mod engine;
pub mod history;
pub mod storage;
pub mod view;

pub use document::job::Job;
pub use document::lab::Lab;
pub use document::lane::Lane;
pub use document::message::Message;
pub use storage::session::Session;
pub use view::control_group::ControlGroup;
pub use view::notification::{Notification, NotificationLevel};
pub use view::view_state::{View, Workspace};
