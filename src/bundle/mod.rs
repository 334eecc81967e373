//! Incident bundles, format `incident-bundle/1`: one folder is one incident.
//!
//! Read here: the manifest, the files line by line, and the ports that replay them. `label.json` is opened by
//! [`label`] alone, which only evaluation calls. Written here: what [`recording`] hears while another collector reads.

pub mod archive;
pub mod collectors;
pub mod csv;
pub mod label;
pub mod lines;
pub mod manifest;
pub mod recorded;
pub mod recording;
pub mod records;
pub mod simulate;
mod staging;
pub mod write;
mod written;
