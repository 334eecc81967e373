//! Finds the log groups of the alarmed resource and its neighbours.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::resource::{Resource, ResourceId};
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::planning::log_groups::{Wanted, belongs, wanted};
use tantei_engine::planning::metrics;

use super::apis::DESCRIBE_LOG_GROUPS;
use super::collector::Memo;
use super::reading::{Next, Pages, Reading};
use super::topology;
use crate::ports::{PortError, PortErrorKind};

/// Log groups read in one investigation: nearest resources first.
pub(super) const GROUPS_MAX: usize = 30;

/// Pages of one listing: 50 groups each.
const GROUP_PAGES_MAX: usize = 10;

/// Groups that hold at most so many bytes are read event by event: that costs nothing and takes no query.
const SMALL_BYTES_MAX: i64 = 5_000_000;

/// A group to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) resource: ResourceId,
    /// Bytes it holds; 0 when not known.
    pub(super) stored: u64,
    pub(super) since: Option<Timestamp>,
    /// Whether Logs Insights counts its patterns: not in the Infrequent Access class.
    pub(super) patterns: bool,
    /// Whether reading event by event is the better way.
    pub(super) small: bool,
}

impl Group {
    /// Bytes that a query over this span will scan, if the group grew evenly.
    pub(super) fn expected_bytes(&self, span: TimeSpan, now: Timestamp) -> u64 {
        let age = self.since.map_or(86_400, |since| now.secs_since(since)).max(1);
        let share = u128::from(self.stored) * u128::from(u64::try_from(span.secs()).unwrap_or(0));
        u64::try_from(share / u128::from(u64::try_from(age).unwrap_or(1)))
            .unwrap_or(u64::MAX)
            .min(self.stored)
    }
}

/// The groups to read, nearest resources first, each once.
pub(super) async fn find(r: &mut Reading<'_, '_>, memo: &Memo) -> Vec<Group> {
    let map = match topology::known(r, memo).await {
        Ok(map) => map,
        Err(e) => {
            r.failed(r.request.window, "the alarmed resource's neighbours", &e);
            Arc::default()
        }
    };
    let resources = metrics::wanted(&r.request.alarm.resource, &r.request.focus, &map.0, &map.1);
    let mut groups: Vec<Group> = Vec::new();
    let mut seen = BTreeSet::new();
    for resource in &resources {
        let found = match of_resource(r, resource).await {
            Ok(found) => found,
            Err(e) => {
                let ends = matches!(e.kind, PortErrorKind::Denied | PortErrorKind::Timeout);
                r.failed(r.request.window, "log groups of the resources", &e);
                if ends {
                    break;
                }
                continue;
            }
        };
        groups.extend(found.into_iter().filter(|g| seen.insert(g.name.clone())));
    }
    if groups.len() > GROUPS_MAX {
        let lost = u64::try_from(groups.len() - GROUPS_MAX).unwrap_or(u64::MAX);
        let detail = format!("more than {GROUPS_MAX} log groups; those of distant resources were left out");
        r.lacks(GapReason::Truncated, &DESCRIBE_LOG_GROUPS, r.request.window, "log groups", &detail, lost);
        groups.truncate(GROUPS_MAX);
    }
    if groups.is_empty() && r.out.gaps.is_empty() {
        let names: Vec<&str> = resources.iter().take(5).map(|x| x.id.as_str()).collect();
        let detail = format!("no log group belongs to {}: name them in the configuration", names.join(", "));
        r.lacks(GapReason::Absent, &DESCRIBE_LOG_GROUPS, r.request.window, "log groups", &detail, 0);
    }
    groups
}

/// The group of that very name, if there is one.
pub(super) async fn exactly(r: &mut Reading<'_, '_>, name: &str) -> Result<Option<Group>, PortError> {
    let listed = list(r, &Wanted::Prefix(name.to_owned())).await?;
    let own = listed.iter().find(|g| g.log_group_name() == Some(name));
    Ok(own.and_then(|g| group(g, &ResourceId::new(name))))
}

async fn of_resource(r: &mut Reading<'_, '_>, resource: &Resource) -> Result<Vec<Group>, PortError> {
    let mut found = Vec::new();
    let configured = r.settings.log_groups.get(&resource.id).cloned().unwrap_or_default();
    for name in &configured {
        let listed = list(r, &Wanted::Prefix(name.clone())).await?;
        found.extend(
            listed.iter().filter(|g| g.log_group_name() == Some(name)).filter_map(|g| group(g, &resource.id)),
        );
    }
    if configured.is_empty() {
        for wanted in wanted(resource) {
            let listed = list(r, &wanted).await?;
            let own = listed.iter().filter_map(|g| group(g, &resource.id));
            found.extend(own.filter(|g| belongs(&g.name, &resource.id, &wanted)));
        }
    }
    Ok(found)
}

async fn list(r: &mut Reading<'_, '_>, wanted: &Wanted) -> Result<Vec<LogGroup>, PortError> {
    let mut found = Vec::new();
    let mut pages = Pages::default();
    loop {
        let request = r.aws.logs.describe_log_groups().limit(50).set_next_token(pages.token());
        let request = match wanted {
            Wanted::Prefix(prefix) => request.log_group_name_prefix(prefix),
            Wanted::Pattern(pattern) => request.log_group_name_pattern(pattern),
        };
        let page = r.call(&DESCRIBE_LOG_GROUPS, 1, request.send()).await?;
        found.extend(page.log_groups().iter().cloned());
        match pages.after(page.next_token(), GROUP_PAGES_MAX) {
            Next::More => {}
            Next::End => return Ok(found),
            Next::Stuck => {
                let detail =
                    format!("the listing did not end; the first {} log groups were looked at", found.len());
                r.lacks(
                    GapReason::Truncated,
                    &DESCRIBE_LOG_GROUPS,
                    r.request.window,
                    "log groups",
                    &detail,
                    0,
                );
                return Ok(found);
            }
        }
    }
}

fn group(group: &LogGroup, resource: &ResourceId) -> Option<Group> {
    let class = group.log_group_class().map_or("STANDARD", |c| c.as_str());
    let stored = group.stored_bytes();
    Some(Group {
        name: group.log_group_name()?.to_owned(),
        resource: resource.clone(),
        stored: stored.and_then(|b| u64::try_from(b).ok()).unwrap_or(0),
        since: group.creation_time().map(Timestamp::from_millis),
        patterns: class == "STANDARD",
        // The Infrequent Access class answers queries only.
        small: class == "STANDARD" && stored.is_some_and(|b| b <= SMALL_BYTES_MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_is_the_share_of_the_time() {
        let at = Timestamp::from_secs;
        let group = Group {
            name: "g".to_owned(),
            resource: ResourceId::new("r"),
            stored: 1_000_000,
            since: Some(at(0)),
            patterns: true,
            small: false,
        };
        assert_eq!(group.expected_bytes(TimeSpan::new(at(900), at(1_000)), at(1_000)), 100_000);
        assert_eq!(group.expected_bytes(TimeSpan::new(at(0), at(5_000)), at(1_000)), 1_000_000);
    }
}
