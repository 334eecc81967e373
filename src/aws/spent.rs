//! What an investigation asked of AWS and what that costs: estimated before each call, settled after it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tantei_engine::model::feed::Charge;

use super::apis::{Api, Price};

/// What one operation came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Calls made; the SDK's own retries are not counted.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Chargeable units expected before the calls: metrics, requests, bytes, traces.
    pub expected_units: u64,
    /// Units that were charged, as far as the answers tell.
    pub units: u64,
    /// Millionths of a dollar expected.
    pub expected_micro_usd: u64,
    /// Millionths of a dollar charged, at list price.
    pub micro_usd: u64,
}

/// What was used, by permission (`cloudwatch:GetMetricData` …).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// Each operation that was called.
    pub by_api: BTreeMap<&'static str, Used>,
}

impl Spent {
    /// All calls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.by_api.values().map(|u| u.calls).sum()
    }

    /// Millionths of a dollar expected.
    #[must_use]
    pub fn expected_micro_usd(&self) -> u64 {
        self.by_api.values().map(|u| u.expected_micro_usd).sum()
    }

    /// Millionths of a dollar charged, at list price.
    #[must_use]
    pub fn micro_usd(&self) -> u64 {
        self.by_api.values().map(|u| u.micro_usd).sum()
    }

    /// What costs something and came after `before`.
    #[must_use]
    pub fn charges_since(&self, before: &Self) -> Vec<Charge> {
        let of = |(action, used): (&&'static str, &Used)| {
            let earlier = before.by_api.get(action).copied().unwrap_or_default();
            let charge = Charge {
                operation: (*action).to_owned(),
                calls: used.calls - earlier.calls,
                expected_micro_usd: used.expected_micro_usd - earlier.expected_micro_usd,
                micro_usd: used.micro_usd - earlier.micro_usd,
            };
            (charge.expected_micro_usd > 0 || charge.micro_usd > 0).then_some(charge)
        };
        self.by_api.iter().filter_map(of).collect()
    }
}

/// The account book of one investigation.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Spent>);

impl Ledger {
    /// A call is about to be made that will use about so many units.
    pub fn expect(&self, api: &Api, units: u64) {
        self.change(api, |used| {
            used.calls += 1;
            used.expected_units = used.expected_units.saturating_add(units);
            used.expected_micro_usd = used.expected_micro_usd.saturating_add(api.price.micro_usd(units));
        });
    }

    /// So many units were used.
    pub fn charge(&self, api: &Api, units: u64) {
        if api.price != Price::Free {
            let (service, operation) = (api.service, api.operation);
            metrics::counter!("tantei_aws_charged_units_total", "service" => service, "operation" => operation)
                .increment(units);
            metrics::counter!("tantei_aws_charged_micro_usd_total", "service" => service, "operation" => operation)
                .increment(api.price.micro_usd(units));
        }
        self.change(api, |used| {
            used.units = used.units.saturating_add(units);
            used.micro_usd = used.micro_usd.saturating_add(api.price.micro_usd(units));
        });
    }

    /// A call failed.
    pub fn failed(&self, api: &Api) {
        self.change(api, |used| used.failed += 1);
    }

    /// What was used so far.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, api: &Api, change: impl FnOnce(&mut Used)) {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(spent.by_api.entry(api.action).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::apis::{GET_METRIC_DATA, START_QUERY};

    #[test]
    fn the_estimate_comes_before_and_the_actual_after() {
        let ledger = Ledger::default();
        ledger.expect(&GET_METRIC_DATA, 500);
        ledger.expect(&START_QUERY, 2_000_000_000);
        assert_eq!(ledger.spent().expected_micro_usd(), 5_000 + 10_000);
        assert_eq!(ledger.spent().micro_usd(), 0);
        ledger.charge(&GET_METRIC_DATA, 500);
        ledger.charge(&START_QUERY, 1_000_000_000);
        ledger.failed(&START_QUERY);
        let before = ledger.spent();
        ledger.expect(&GET_METRIC_DATA, 1_000);
        ledger.charge(&GET_METRIC_DATA, 1_000);
        let [charge] = ledger.spent().charges_since(&before).try_into().unwrap();
        assert_eq!((charge.operation.as_str(), charge.calls), ("cloudwatch:GetMetricData", 1));
        assert_eq!((charge.expected_micro_usd, charge.micro_usd), (10_000, 10_000));
        let spent = before;
        assert_eq!((spent.calls(), spent.micro_usd()), (2, 10_000));
        assert_eq!(spent.by_api["logs:StartQuery"].failed, 1);
    }
}
