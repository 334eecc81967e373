//! What triage knows of who uses whom: asked by whoever learns more, so that nothing is told twice.

use super::Triage;
use super::incoming::Link;

impl Triage {
    /// Whether the link is known, or there is nothing to know of it.
    #[must_use]
    pub fn knows(&self, link: &Link) -> bool {
        let number = |node| self.state.names.get(node);
        let callees = number(&link.caller).and_then(|n| self.state.nodes.get(n)).map(|n| &n.callees);
        let known = number(&link.callee).is_some_and(|callee| callees.is_some_and(|c| c.contains(callee)));
        known || link.caller == link.callee
    }
}
