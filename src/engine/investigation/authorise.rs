//! The last check before a run: nothing executes without an approval of exactly this plan, in time, once.

use crate::model::execution::Refusal;
use crate::model::id::ItemId;
use crate::model::suggestion::Plan;
use crate::model::time::Timestamp;

use super::state::State;

/// The plan of the suggestion, if it may run now.
///
/// # Errors
/// The reason why it may not.
pub fn authorise(state: &State, suggestion: ItemId, now: Timestamp) -> Result<&Plan, Refusal> {
    let plan = state.plan(suggestion).ok_or(Refusal::NoPlan)?;
    let hypothesis = state.suggestions.get(&suggestion).and_then(|s| state.hypotheses.get(&s.hypothesis));
    let ruled_out = hypothesis.is_some_and(|h| state.ruled_out(&h.facts().cause, h.facts().mechanism));
    if state.discarded.contains(&suggestion) || ruled_out {
        return Err(Refusal::Discarded);
    }
    if state.outdated.contains(&suggestion) {
        return Err(Refusal::Outdated);
    }
    if state.was_intended(suggestion) {
        return Err(Refusal::Started);
    }
    let word = state.last_word(suggestion).filter(|w| w.approved).ok_or(Refusal::NotApproved)?;
    if word.digest != plan.digest() {
        return Err(Refusal::OtherDigest);
    }
    // Sealed again from its content: a plan that was altered in memory has another digest.
    if Plan::seal(plan.facts().clone()).digest() != word.digest {
        return Err(Refusal::OtherDigest);
    }
    if now >= word.expires_at {
        return Err(Refusal::Expired);
    }
    Ok(plan)
}
