//! What a later conclusion says that the one before did not.
//!
//! Facts only: which resource leads, how far to trust it, what of the evidence moved.

use serde::{Deserialize, Serialize};

use super::cause::{Band, Mechanism};
use super::resource::ResourceId;

/// One difference between a conclusion and the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "revision", rename_all = "snake_case")]
pub enum Revision {
    /// Another resource leads, or a cause is named where none was, or none is named any more.
    Lead {
        /// The resource that led.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<ResourceId>,
        /// The resource that leads now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<ResourceId>,
    },
    /// The same resource leads, in another way.
    Mechanism {
        /// The resource.
        resource: ResourceId,
        /// In which way it was at fault.
        from: Mechanism,
        /// In which way it is now.
        to: Mechanism,
    },
    /// The same resource leads, and is to be trusted more or less.
    Strength {
        /// The resource.
        resource: ResourceId,
        /// How far before.
        from: Band,
        /// How far now.
        to: Band,
    },
    /// The answer is the same.
    Same {
        /// The resource that leads, when one does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resource: Option<ResourceId>,
    },
    /// What of the evidence moved since.
    Evidence {
        /// Observations that were not there.
        new: u32,
        /// Observations that were measured again.
        again: u32,
        /// Observations that no longer hold.
        gone: u32,
    },
}
