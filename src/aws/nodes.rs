//! Nodes: whether Systems Manager manages the instances of the graph, and whether their agent answers.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::InstanceInformationStringFilter;
use tantei_engine::model::gap::GapReason;
use tantei_engine::model::resource::Resource;

use super::apis::DESCRIBE_INSTANCE_INFORMATION;
use super::errors;
use super::reading::{Next, Pages, Reading};
use crate::ports::PortError;

/// Instances of one request, and of one page.
const INSTANCES_MAX: usize = 50;

/// Pages of one request.
const NODE_PAGES_MAX: usize = 10;

/// Notes on every instance of the graph what Systems Manager knows of it.
pub(super) async fn describe(r: &mut Reading<'_, '_>, resources: &mut [Resource]) {
    let ids: Vec<String> =
        resources.iter().map(|x| x.id.as_str()).filter(|id| is_instance(id)).map(ToOwned::to_owned).collect();
    for ids in ids.chunks(INSTANCES_MAX) {
        let known = match look_up(r, ids).await {
            Ok(known) => known,
            Err(e) => return r.failed(r.request.window, "instances", &e),
        };
        let asked: BTreeSet<&String> = ids.iter().collect();
        for resource in resources.iter_mut().filter(|x| asked.contains(&x.id.as_str().to_owned())) {
            resource.kind.get_or_insert_with(|| "AWS::EC2::Instance".to_owned());
            match known.get(resource.id.as_str()) {
                Some(found) => resource.attributes.extend(found.clone()),
                None => drop(resource.attributes.insert("PingStatus".to_owned(), "Unmanaged".to_owned())),
            }
        }
    }
}

/// `i-` and eight or seventeen hexadecimal digits; `mi-` for machines outside EC2.
fn is_instance(id: &str) -> bool {
    let digits = id.strip_prefix("i-").or_else(|| id.strip_prefix("mi-")).unwrap_or_default();
    matches!(digits.len(), 8 | 17) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

type Attributes = BTreeMap<String, String>;

async fn look_up(r: &mut Reading<'_, '_>, ids: &[String]) -> Result<BTreeMap<String, Attributes>, PortError> {
    let filter = InstanceInformationStringFilter::builder()
        .key("InstanceIds")
        .set_values(Some(ids.to_vec()))
        .build()
        .map_err(|e| {
            errors::unusable(&DESCRIBE_INSTANCE_INFORMATION, "the request could not be made", &e.to_string())
        })?;
    let mut known = BTreeMap::new();
    let mut pages = Pages::default();
    loop {
        let request = r
            .aws
            .ssm
            .describe_instance_information()
            .filters(filter.clone())
            .max_results(50)
            .set_next_token(pages.token());
        let page = r.call(&DESCRIBE_INSTANCE_INFORMATION, 1, request.send()).await?;
        for node in page.instance_information_list() {
            let Some(id) = node.instance_id() else { continue };
            let told = [
                ("PingStatus", node.ping_status().map(|s| s.as_str())),
                ("AgentVersion", node.agent_version()),
                ("PlatformType", node.platform_type().map(|p| p.as_str())),
            ];
            let told = told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned())));
            known.insert(id.to_owned(), told.collect());
        }
        match pages.after(page.next_token(), NODE_PAGES_MAX) {
            Next::More => {}
            Next::End => return Ok(known),
            Next::Stuck => {
                let detail =
                    format!("the listing did not end; the first {} instances were read", known.len());
                let api = &DESCRIBE_INSTANCE_INFORMATION;
                r.lacks(GapReason::Truncated, api, r.request.window, "instances", &detail, 0);
                return Ok(known);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_instances_are_asked_about() {
        assert!(
            is_instance("i-0abc1234def567890")
                && is_instance("mi-0abc1234def567890")
                && is_instance("i-0abc1234")
        );
        assert!(!is_instance("i-orders") && !is_instance("orders") && !is_instance("i-0abc"));
    }
}
