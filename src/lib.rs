//! Tantei (探偵): operational investigations for AWS. The shell around [`tantei_engine`]: everything that touches
//! the world stands here, behind [`ports`].

pub mod access;
pub mod aws;
pub mod bundle;
pub mod cli;
pub mod clock;
pub mod driver;
pub mod playbooks;
pub mod ports;
pub mod render;
pub mod replay;
pub mod store;
pub mod words;
