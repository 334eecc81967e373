//! What a metric measures: latency, failures, traffic, something that runs out.
//!
//! CloudWatch's naming conventions are hints and never needed: a metric without a telling name is judged by its
//! shape, and every analysis has a path that uses no role at all.

/// What a metric measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// How long something takes.
    Latency,
    /// How much fails.
    Errors,
    /// How much succeeds.
    Availability,
    /// How much is asked.
    Traffic,
    /// How much of something limited is used.
    Saturation,
    /// Anything else.
    Other,
}

/// Parts of names and the role that they tell, in order of precedence.
const HINTS: [(Role, &[&str]); 5] = [
    (Role::Availability, &["availab", "successrate", "success_rate"]),
    (
        Role::Errors,
        &["error", "fault", "5xx", "4xx", "fail", "exception", "throttl", "reject", "deadlock", "drop"],
    ),
    (
        Role::Latency,
        &[
            "latency",
            "duration",
            "responsetime",
            "response_time",
            "waittime",
            "wait_time",
            "delay",
            "ageof",
            "lag",
        ],
    ),
    (
        Role::Saturation,
        &[
            "cpu",
            "memory",
            "util",
            "disk",
            "connection",
            "storage",
            "dbload",
            "credit",
            "iops",
            "depth",
            "messagesvisible",
            "concurren",
        ],
    ),
    (
        Role::Traffic,
        &["request", "invocation", "count", "calls", "workload", "throughput", "messages", "bytes", "ops"],
    ),
];

/// The role that a metric's name suggests.
#[must_use]
pub fn by_name(name: &str) -> Role {
    let name: String = name.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    HINTS
        .iter()
        .find(|(_, parts)| parts.iter().any(|p| name.contains(p)))
        .map_or(Role::Other, |(role, _)| *role)
}

/// Whether a metric measures what is left of something: then less is worse.
#[must_use]
pub fn runs_out(name: &str) -> bool {
    let name = name.to_lowercase();
    ["free", "creditbalance", "burstbalance", "balance", "remaining", "headroom"]
        .iter()
        .any(|p| name.contains(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloudwatch_names_tell_their_role() {
        for (name, role) in [
            ("TargetResponseTime", Role::Latency),
            ("HTTPCode_Target_5XX_Count", Role::Errors),
            ("RequestCount", Role::Traffic),
            ("Invocations", Role::Traffic),
            ("CPUUtilization", Role::Saturation),
            ("DatabaseConnections", Role::Saturation),
            ("ApproximateAgeOfOldestMessage", Role::Latency),
            ("availability", Role::Availability),
            ("q7", Role::Other),
        ] {
            assert_eq!(by_name(name), role, "{name}");
        }
    }
}
