//! What is drawn. Panes read the lab and push messages; nothing here computes what a run would.

pub mod panes;
