//! Every bound of the engine, named, with its reason. Nothing here is a tuning knob of one dataset.

/// Bounds that an operator may lower or raise; everything else is a constant below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Hypotheses shown per round: people read three, and a fourth or fifth sometimes saves the night.
    pub hypotheses_max: usize,
    /// Suggestions shown per investigation.
    pub suggestions_max: usize,
    /// Metric observations kept per investigation, strongest first.
    pub metric_observations_max: usize,
    /// Log observations kept per investigation, strongest first.
    pub log_observations_max: usize,
    /// Link observations kept per investigation, strongest first.
    pub link_observations_max: usize,
    /// Change events kept per investigation, nearest to the onset first.
    pub change_observations_max: usize,
    /// Alarm transitions kept per investigation, nearest to the onset first.
    pub alarm_transitions_max: usize,
    /// Spans held in memory at once: 64 bytes each, so this is 128 MB.
    pub spans_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hypotheses_max: 5,
            suggestions_max: 5,
            metric_observations_max: 400,
            log_observations_max: 120,
            link_observations_max: 200,
            change_observations_max: 50,
            alarm_transitions_max: 100,
            spans_max: 2_000_000,
        }
    }
}

/// Longest text kept of a log line, alarm name, change summary: enough to recognise it, too little to flood.
pub const UNTRUSTED_TEXT_BYTES_MAX: usize = 2_048;

/// Points kept to draw a series: a chart has no more pixels worth looking at.
pub const CHART_POINTS_MAX: usize = 120;

/// Samples kept of a log pattern.
pub const LOG_SAMPLES_MAX: usize = 3;

/// Log patterns held by one miner; rarer shapes are folded together beyond it.
pub const LOG_PATTERNS_MAX: usize = 5_000;

/// Tokens of a log line that take part in its pattern; the rest is folded into one variable.
pub const LOG_TOKENS_MAX: usize = 96;

/// Bytes of a log line that are looked at: stack traces and dumps beyond it add nothing to its shape.
pub const LOG_LINE_BYTES_MAX: usize = 4_096;

/// Changes up to this many seconds before the onset are evidence: deployments bake for an hour at most.
pub const CHANGE_LEAD_S_MAX: i64 = 3_600;

/// CloudWatch's standard period in seconds: assumed of an alarm whose metric was not seen yet.
pub const PERIOD_S: i64 = 60;

/// Seconds after its period until a data point can be read: CloudWatch publishes a minute late.
pub const METRIC_DELAY_S: i64 = 60;

/// A playbook file. Larger ones are refused: YAML parsers can be made to work very hard.
pub const PLAYBOOK_BYTES_MAX: usize = 65_536;

/// Seconds for which an approval holds.
pub const APPROVAL_EXPIRES_S: u32 = 900;

/// A delivery. SNS and EventBridge carry 256 KiB, which JSON in JSON can double twice; SQS carries 1 MiB.
pub const INTAKE_BODY_BYTES_MAX: usize = 1_048_576;

/// `Message` of an SNS envelope, unescaped: what SNS accepts.
pub const SNS_MESSAGE_BYTES_MAX: usize = 262_144;

/// Brackets within brackets of a delivery. Alarms need 8, API calls rarely 15; parsers recurse for each.
pub const JSON_DEPTH_MAX: usize = 64;

/// Identifier of a delivery: UUIDs have 36 bytes, and everybody who sends longer ones is not AWS.
pub const DELIVERY_ID_BYTES_MAX: usize = 256;

/// Name of an alarm: 255 characters of four bytes at most.
pub const ALARM_NAME_BYTES_MAX: usize = 1_024;

/// An ARN: IAM's limit, which no service exceeds.
pub const ARN_BYTES_MAX: usize = 2_048;

/// Name or value of a dimension, name of a metric or a statistic: 1,024 characters of four bytes at most.
pub const DIMENSION_BYTES_MAX: usize = 4_096;

/// Metrics and expressions of an alarm: ten times what CloudWatch takes today.
pub const ALARM_METRICS_MAX: usize = 100;

/// Dimensions of a metric: CloudWatch's own limit.
pub const ALARM_DIMENSIONS_MAX: usize = 30;

/// Children that a composite alarm names: five times what CloudWatch takes in a rule today.
pub const ALARM_CHILDREN_MAX: usize = 500;

/// Actions of an alarm for one state: four times what CloudWatch takes today.
pub const ALARM_ACTIONS_MAX: usize = 20;

/// Resources kept of a service's event.
pub const EVENT_RESOURCES_MAX: usize = 100;

/// Scalars kept of a service's event: enough for an API call with its parameters.
pub const EVENT_FACTS_MAX: usize = 128;

/// Age of an SNS message over HTTPS in seconds: the longest retry policy (3,600 s) and five minutes of clock skew.
pub const SNS_AGE_S_MAX: i64 = 3_900;

/// Seconds that an SNS message may lie in the future: clock skew.
pub const SNS_AHEAD_S_MAX: i64 = 300;

/// Length of a URL in an envelope that is looked at: the real ones have under 120 and, with a token, under 500 bytes.
pub const SNS_URL_BYTES_MAX: usize = 2_048;

/// Subject or signature of an SNS message: 100 characters, and 684 bytes for the longest RSA key in use.
pub const SNS_FIELD_BYTES_MAX: usize = 4_096;

/// Token of a subscription: the real ones have under 300 characters.
pub const SNS_TOKEN_BYTES_MAX: usize = 1_024;

/// Periods of the alarm's metric that are investigated before it: alarms evaluate one to five periods, and what
/// caused them began earlier still. The analysis dates the onset by itself, so more only costs reading.
pub const WINDOW_LEAD_PERIODS: i64 = 30;

/// Shortest time before an alarm that is investigated, in seconds.
pub const WINDOW_LEAD_S_MIN: i64 = 1_800;

/// Longest time before an alarm that is investigated, in seconds: beyond it every source costs too much.
pub const WINDOW_LEAD_S_MAX: i64 = 21_600;

/// Longest time after an alarm that is investigated at first, in seconds: for alarms that were found late.
pub const WINDOW_TAIL_S_MAX: i64 = 3_600;

/// Seconds just before the window that serve as a baseline besides the day and the week before.
pub const BASELINE_BEFORE_S: i64 = 10_800;

/// Composite alarms below composite alarms that are followed to find what fired first.
pub const COMPOSITE_DEPTH_MAX: usize = 8;
