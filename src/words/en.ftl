# English. Numbers, times and names arrive written; nothing here counts, rounds or escapes.
# Same keys and variables as ja.ftl: a test compares them.

## Layout
list-separator = { "; " }
with-remarks = { $main } ({ $remarks })
because = { $statement }: { $reasons }
labelled = { $label }: { $text }
quoted = “{ $text }”
cites = [{ $items }]
none = none
status-open = open
status-ended = ended

## Bands, sources, kinds
band-weak = weak
band-moderate = moderate
band-strong = strong
source-alarms = alarms
source-topology = topology
source-metrics = metrics
source-logs = logs
source-traces = traces
source-changes = changes
source-other = a source
kind-impact = impact on the alarm’s metric
kind-own-time = own time in traces
kind-own-errors = failures that begin there
kind-call-delay = delay of calls to it
kind-saturation = a resource metric out of range
kind-logs = log patterns
kind-change = a change
change-deployment = deployment
change-configuration = configuration change
effect-read-only = only reads
effect-diagnostic-aux = diagnoses, may create helpers or cost money
effect-mutating-low = changes configuration, normally without an outage
effect-mutating-disruptive = can interrupt service or is hard to undo
risk-low = low risk
risk-medium = medium risk
risk-high = high risk
status-pending = not begun
status-in-progress = running
status-waiting = waiting for a person
status-success = succeeded
status-failed = failed
status-timed-out = timed out
status-cancelled = cancelled
mechanism-own-latency = slow itself
mechanism-own-errors = failing itself
mechanism-saturation = short of something it needs
mechanism-call-delay = reached by slow calls
mechanism-behaviour = behaving differently
mechanism-unobserved-dependency = waiting for something that is not observed
mechanism-surge = under more work than usual
mechanism-unclear = deviating in an unclear way

## Feed items
item-opened = investigation opened: { $title }
item-collected = { $source } read, { $records } records
item-concluded = analysis concluded
item-concluded-unknown = analysis concluded, no cause named
item-concluded-again = analysis concluded again
item-concluded-again-unknown = analysis concluded again, no cause named
item-matched = { $considered } playbooks considered, { $suggested } suggested
item-round = round { $number }: every source is read again, up to { $until }
round-due = the conclusion was provisional
round-asked = asked for
item-alarm = alarm { $name }: { $from } → { $to }
item-alarm-now = alarm { $name }: { $to }
item-topology = { $resources } resources, { $edges } dependencies
item-metric-up = { $metric } rose from { $before } to { $after }
item-metric-down = { $metric } fell from { $before } to { $after }
item-metric-missing = { $metric } stopped reporting
item-log-new-error = new error lines { $before } → { $after }: { $text }
item-log-new = new lines { $before } → { $after }: { $text }
item-log-gone = lines vanished { $before } → { $after }: { $text }
item-log-more-error = more error lines { $before } → { $after }: { $text }
item-log-more = more lines { $before } → { $after }: { $text }
item-log-less = fewer lines { $before } → { $after }: { $text }
item-log-broken = { $text } is no longer followed by its usual line
item-link = calls { $before } → { $after }
item-link-outside = calls from outside { $before } → { $after }
item-link-new = { $calls } calls that did not exist before, { $after } each
item-change-at = { $kind } by { $actor }, as the incident began: { $summary }
item-change-before = { $kind } by { $actor }, { $lead } before the onset: { $summary }
item-change-after = { $kind } by { $actor }, { $lead } after the onset: { $summary }
item-suggestion-run = can run: { $title }
item-suggestion-complete = needs parameters: { $title }
item-suggestion-read = to do by hand: { $title }
item-approved = { $suggestion } approved by { $person } on { $surface }, plan { $digest }, until { $until }
item-rejected = { $suggestion } rejected by { $person } on { $surface }, plan { $digest }
item-run-intended = { $suggestion } about to run, plan { $digest }
item-run-step = { $suggestion } step { $step } ({ $action }): { $status }
item-run-ended = { $suggestion } run { $status }
item-run-refused = { $suggestion } was not started: { $why }
item-run-failed = { $suggestion } could not be started: { $message }
item-run-lost = { $suggestion } may have been started: { $message }
refusal-no-plan = there is no plan that could run
refusal-discarded = a person discarded it
refusal-outdated = it no longer fits what is known
refusal-not-approved = nobody approved it
refusal-other-digest = the approval is for another plan
refusal-expired = the approval has expired
refusal-started = it was started before
refusal-automation = Automation refused it
item-note = { $person } wrote { $text }
item-accepted = { $item } accepted by { $person }
item-discarded = { $item } discarded by { $person }
item-restored = { $item } restored by { $person }
item-usage = { $source }: { $requests } requests, { $bytes }

## Remarks
remark-factor = { $factor }
remark-follower = it was { $text }
remark-failing = { $after } failed, usually { $before }
remark-own = own time { $before } → { $after }
remark-uncovered = before it answers { $before } → { $after }
remark-lost = { $lost } records lost
remark-place = at { $place }
remark-detail = { $text }
remark-provisional = provisional: less than one full period has passed since the onset
remark-back = { $back } of { $all } measures back in range
remark-alarm-ok = alarm OK at { $at }
remark-took = { $seconds } after the run
remark-back-since = back since { $at }
remark-explained = { $share } of it comes from what it calls

## Gaps
gap-absent = { $source }: nothing recorded
gap-malformed = { $source }: part of the data is unreadable, the rest was used
gap-truncated = { $source }: reading stopped at a budget, the rest is unknown
gap-denied = { $source }: access denied
gap-unavailable = { $source }: slow, throttled or down
gap-no-baseline = { $source }: no healthy time to compare with
gap-target-unseen = { $source }: the alarmed resource has no telemetry of its own
gap-clock-skew = { $source }: clocks disagree, times were aligned

## Causes
cause-own-latency = { $resource } became slow itself ({ $band })
cause-own-errors = { $resource } fails itself ({ $band })
cause-saturation = { $resource } ran short of a resource ({ $band })
cause-call-delay = calls to { $resource } are delayed before it answers ({ $band })
cause-behaviour = { $resource } behaves differently in its logs ({ $band })
cause-unobserved-dependency = { $resource }, or something it uses that is not observed, deviates ({ $band })
cause-surge = { $resource } has more work than usual ({ $band })
cause-unclear = { $resource } deviates, it is unclear how ({ $band })
cause-since = began { $at }
cause-path = path from the alarm: { $path }
cause-path-inferred = no known path leads here from the alarm; the dependency is inferred from deviating at the same time
cause-unknown = Cause unknown

unknown-target-quiet = the alarmed resource shows nothing unusual
unknown-nothing-stands-out = no resource stands out
unknown-no-telemetry = there is no telemetry to judge by
unknown-no-baseline = there is no healthy time to compare with
unknown-not-concluded = no hypothesis has been reached
unknown-threshold-usual = the alarm’s threshold lies inside the usual range of its metric: it fires without an incident
unknown-ruled-out = people ruled out every cause that was found

reason-explains-share = it explains { $share } of what { $target } suffers
reason-kinds-agree = { $kinds } independent kinds of evidence agree
reason-stands-out = it scores { $factor } the next candidate
reason-close-second = { $resource } is nearly as likely
reason-change-at = change { $item } came as the incident began
reason-change-before = change { $item } came { $lead } before the onset
reason-change-after = change { $item } came { $lead } after the onset
reason-single-kind = only one kind of evidence
reason-only-external = all support is text that somebody outside could have written
reason-provisional = provisional: less than one full period has passed since the onset
revised-lead = now { $resource } leads, before it was { $from }
revised-found = now { $resource } is named, before no cause was
revised-lost = { $resource } is no longer named
revised-same = the answer is the same
revised-mechanism = { $resource } was { $from }, now it is { $to }
revised-strength = the case against { $resource } was { $from }, now it is { $to }
revised-evidence = evidence: { $new } new, { $again } measured again, { $gone } gone
reason-source-missing = { $source } that could confirm it are missing ({ $item })

check-metric-returns = { $metric } of { $resource } returns to { $usual } once this cause is removed ({ $item })
check-undo-change = undoing change { $item } on { $resource } ends the deviation
check-other-earlier = another resource deviates earlier or more than { $resource }
check-hidden-callee = something that { $resource } calls, not observed now, turns out to deviate
check-lines-stop = the log lines { $item } of { $resource } return to their usual rate
check-calls-return = calls to { $resource } return to { $usual } ({ $item })
check-item-returns = { $item } of { $resource } returns to normal

part-impact = deviation of the alarm’s metric, weighted with traffic
part-own-time = { $seen } of extra own time in traces
part-own-errors = { $seen } failures began here
part-call-delay = { $seen } of extra delay before it answers
part-saturation = a resource metric out of its range
part-logs = log patterns that changed
part-change = a change { $seen } before the onset

lower-score = score { $score } against { $best }
lower-contradicted = { $item } began earlier, an effect does not precede its cause
lower-explained = { $share } of what it shows comes from what it calls
lower-unreached = no known dependency leads to it from the alarm
lower-single = only { $kind }

## Actions
action-run = run { $document } (version { $version }) on { $targets }: { $effect }, { $risk }; plan { $digest }, an approval holds for { $expires }
action-complete = run { $document } once the missing parameters are given: { $effect }
action-read = no safe automatic action: steps for people
origin-resource = the resource itself, seen in { $item }
origin-dimension = dimension { $name } of { $item }
origin-attribute = attribute { $name } in { $item }
origin-change = field { $name } of change { $item }
origin-incident-start = start of the incident
origin-incident-end = end of the time under investigation
origin-constant = constant of the playbook
origin-setting = operator setting { $name }
missing-resource = missing: the resource's identifier does not have the form that the runbook takes
missing-dimension = missing: no metric has the dimension { $name }
missing-attribute = missing: the topology has no attribute { $name }
missing-change = missing: no change event has the field { $name }
missing-setting = missing: operator setting { $name }
missing-person = missing: a person must give it
match-any-kind = fits any resource
match-kind = for { $kind }
match-mechanism = for a resource that is { $mechanism }
match-signal = condition met by { $item }
recovery-recovered = recovered
recovery-improved = better, not yet back to normal
recovery-not-recovered = no better
recovery-worse = worse than before
recovery-unknown = recovery cannot be judged
measure = { $resource } { $metric }: usual { $usual }, incident { $incident }, now { $after } ({ $item })
measure-blind = { $resource } { $metric }: usual { $usual }, incident { $incident }, no data since ({ $item })

## Overview, impact, follow-ups
overview-alarm = { $title }: alarm on { $metric } of { $resource } at { $at }
overview-alarm-ended = the alarm went back to OK at { $at }
overview-going-on = no recovery seen up to { $until }
overview-origin = telemetry from { $origin }
overview-seen = { $observations } observations, { $gaps } gaps
impact-start = began { $at }
impact-detected = alarm { $at }, { $delay } after the start
impact-end = ended { $at }, lasted { $lasted }
impact-no-end = end not seen yet
impact-affected = { $count } resources affected: { $names }
follow-trigger = review change { $item } on { $resource } and how it was tested
follow-unknown = close the gaps and investigate again
follow-provisional = look again after one full period: the conclusion is provisional
follow-recovery = verify recovery: alarm OK and held, metrics back in range
follow-gap = close gap { $item }: make { $source } available

## Headings of the report and the terminal
head-report = Incident report { $investigation }
head-answer = Cause
head-overview = Overview
head-impact = Impact
head-detection = Detection
head-timeline = Timeline
head-cause = Root cause
head-evidence = Evidence
head-account = How strong is each kind of evidence
head-contradicting = What speaks against it
head-alternatives = Other candidates
head-checks = What would settle it
head-actions = Actions
head-gaps = Not seen
head-follow-ups = Follow-ups
head-recovery = Recovery
label-why = why
label-trigger = trigger
label-confirm = would confirm
label-refute = would refute
label-precondition = first make sure
label-expect = expected
label-undo = undo
label-step = step
label-link = see
label-recommended = recommended
label-parameter = parameters
label-where = when, where
label-revised = since last time
column-parameter = Parameter
column-value = Value
column-origin = Origin
label-approval = decision
label-run = run
label-result = result
label-measure = measure
column-time = Time (UTC)
column-item = Item
column-resource = Resource
column-what = What
column-course = Course
timeline-omitted = { $count } weaker observations left out
gaps-none = no gap was recorded
actions-none = no playbook matches

## The demo.

demo-intro = A recorded incident: a deployment of `orders` in a small shop on ALB, ECS and RDS. Telemetry, alarm and recovery are real; Systems Manager Automation is simulated.
demo-ask = Approve this plan ({ $digest })? [y/N]
demo-nobody = nobody is at the terminal: run it with --yes to approve
demo-report = report written to { $file }

## Patterns of log lines.

logs-patterns = { $lines } lines, { $patterns } patterns
logs-example = e.g. { $line }
logs-more-patterns = … and { $count } more patterns: `--json` has them all
logs-more-differences = … and { $count } more differences: `--json` has them all
logs-no-lines = the file has no lines: it is not known whether anything differs from the baseline
logs-no-baseline = the baseline has no lines: there is nothing to compare with
logs-same = nothing differs clearly from the baseline
logs-differences = differences from the baseline: { $count }, errors and news first, then the clearest (lines before → now, level, strength 0 to 1)
logs-new = new
logs-gone = gone
logs-more-frequent = more often
logs-less-frequent = less often
logs-values = other values
logs-sequence = broken sequence
logs-companions = lines that normally come with it in one request are missing:
logs-companion = in { $with } of { $all } requests before, now in { $with_now } of { $all_now }
logs-field = value
logs-code = status
logs-quantiles = { $field }: median { $median } → { $median_now }, 95 % up to { $p95 } → { $p95_now }
logs-share = { $field } { $code }: { $before } → { $now } of the lines

## Recording
record-done = { $folder }: { $records } records, { $gaps } gaps. `tantei investigate --bundle` replays it.
record-same = What can be read now leads to the same first cause as the investigation.
record-differs = What can be read now leads to another first cause than the investigation: telemetry has expired or arrived since, or people have decided. The investigation's own feed is in feed.jsonl.
