//! Records what another collector reads, while it is read. Changes nothing of it.

use std::sync::Arc;

use tantei_engine::model::query::Query;
use tantei_engine::model::telemetry::Batch;

use super::write::BundleWriter;
use crate::ports::{BoxFuture, CollectRequest, Collection, Collector, PortError, Sink};

/// A collector whose telemetry is written into a bundle as well.
#[derive(Debug)]
pub struct Recording {
    inner: Arc<dyn Collector>,
    writer: Arc<BundleWriter>,
}

impl Recording {
    /// Records what `inner` reads.
    #[must_use]
    pub fn new(inner: Arc<dyn Collector>, writer: Arc<BundleWriter>) -> Self {
        Self { inner, writer }
    }
}

impl Collector for Recording {
    fn collect<'a>(
        &'a self,
        request: &'a CollectRequest,
        sink: &'a mut Sink<'_>,
    ) -> BoxFuture<'a, Result<Collection, PortError>> {
        Box::pin(async move {
            self.writer.begin(request);
            let outcome = {
                let mut tee = |batch: Batch| {
                    self.writer.write(request.source, &batch);
                    sink(batch);
                };
                self.inner.collect(request, &mut tee).await
            };
            self.writer.end(request, &outcome);
            outcome
        })
    }

    fn asked(&self, query: Query) -> Query {
        self.inner.asked(query)
    }
}
