//! Gives each investigation its collector: the clients of the account and Region that its alarm came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use tantei_engine::model::alarm::Alarm;
use tantei_engine::model::resource::Resource;

use super::client::{Aws, Place, Timing};
use super::collector::{AwsCollector, Settings};
use crate::ports::{Clock, Collector, Evidence};

/// The attribute of a resource that says in which account it lives.
pub const ACCOUNT: &str = "AccountId";

/// The attribute of a resource that says in which Region it lives.
pub const REGION: &str = "Region";

/// Clients of all accounts and Regions.
#[derive(Debug)]
pub struct AwsEvidence {
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// For what belongs to no configured place.
    here: Arc<Aws>,
    places: BTreeMap<(String, String), Arc<Aws>>,
}

impl AwsEvidence {
    /// Clients of the credentials' own account and of these others (account, Region). Calls nothing yet.
    pub async fn connect(
        here: &Place,
        others: &[(String, Place)],
        clock: Arc<dyn Clock>,
        settings: Settings,
    ) -> Self {
        let mut places = BTreeMap::new();
        for (account, place) in others {
            let aws = Aws::connect(place, Timing::default()).await;
            places.insert((account.clone(), aws.region().to_owned()), Arc::new(aws));
        }
        Self { clock, settings, here: Arc::new(Aws::connect(here, Timing::default()).await), places }
    }

    /// The clients of the credentials' own account and Region.
    #[must_use]
    pub fn here(&self) -> Arc<Aws> {
        Arc::clone(&self.here)
    }

    /// The clients of all accounts and Regions, each once.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Aws>> {
        std::iter::once(&self.here).chain(self.places.values()).map(Arc::clone).collect()
    }

    /// The clients for a resource: those of its account and Region where they are configured.
    fn aws(&self, resource: Option<&Resource>) -> Arc<Aws> {
        let attribute =
            |name: &str| resource.and_then(|r| r.attributes.get(name)).cloned().unwrap_or_default();
        let known = self.places.get(&(attribute(ACCOUNT), attribute(REGION)));
        Arc::clone(known.unwrap_or(&self.here))
    }
}

impl Evidence for AwsEvidence {
    fn of(&self, alarm: &Alarm, resource: Option<&Resource>) -> Arc<dyn Collector> {
        // An investigation that somebody began by hand has no alarm to ask for.
        let by_alarm = alarm.kind != "manual";
        let alarm_name = by_alarm.then(|| alarm.title.raw().to_owned());
        let settings = Settings { alarm_name, ..self.settings.clone() };
        Arc::new(AwsCollector::new(self.aws(resource), Arc::clone(&self.clock), settings))
    }
}
