//! Amazon Web Services: the only place that names its SDK or its endpoints.

pub mod sns;
