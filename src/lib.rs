//! Tantei (探偵): operational investigations for AWS. The shell around [`tantei_engine`]: everything that touches
//! the world stands here, behind [`ports`].

pub mod access;
pub mod app;
pub mod aws;
pub mod bundle;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod doctor;
pub mod driver;
pub mod http;
pub mod network;
pub mod playbooks;
pub mod ports;
pub mod record;
pub mod redacting;
pub mod render;
pub mod replay;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod words;
