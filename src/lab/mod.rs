//! Lab: the document with its messages, undo, run history, sessions and worker threads.
//!
//! The window and the command line read [`Lab`] and push [`Message`]s; [`Lab::update`] is the only writer. Imports no widgets.
//! Inside: `view` and `storage` at the bottom, then `history`, `engine`, `document`.

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
pub use view::trojan_choice::{TrojanChoice, TrojanSection};
pub use view::view_state::{View, Workspace};
