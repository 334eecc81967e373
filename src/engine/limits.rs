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
