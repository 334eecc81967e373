//! How much there is to do, for metrics: asked of the store at most every two seconds, however often somebody looks.

use std::time::Duration;

use super::{Service, StoreError};
use crate::clock::Stopwatch;
pub use crate::store::Pulse;

/// How long an answer is good enough.
const FRESH: Duration = Duration::from_secs(2);

impl Service {
    /// What there is now, or was a moment ago.
    ///
    /// # Errors
    /// When the store cannot be reached.
    pub async fn pulse(&self) -> Result<Pulse, StoreError> {
        // Held while the store is asked: many who look at once ask once.
        let mut known = self.inner.pulse.lock().await;
        if let Some((since, pulse)) = *known
            && since.elapsed() < FRESH
        {
            return Ok(pulse);
        }
        let pulse = self.inner.store.pulse().await?;
        *known = Some((Stopwatch::start(), pulse));
        Ok(pulse)
    }
}
