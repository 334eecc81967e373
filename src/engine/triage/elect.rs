//! The directed rule: every node that fires goes with the deepest node that fires below it.
//!
//! Where several are below it, those that it uses directly vote, each with the root it goes with itself; a vote counts less
//! the further apart in time the two began. The general properties it rests on: failures travel from callee to caller, and
//! soon. Only the nodes above a changed one are judged again. Not here: what becomes of investigations.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::state::{NodeIx, State};
use super::{ACCEPT_S, DEPTH_MAX, LAG_S, PATH_MAX, SILENT_MAX, VOTE_HALF_S};
use crate::model::time::Timestamp;

/// For every node judged, the way from it to its root, both included.
pub(super) type Paths = BTreeMap<NodeIx, Vec<NodeIx>>;

/// Judges `node`, which has an alarm that changed at `at`, and every node that fires above it.
pub(super) fn elect(state: &State, node: NodeIx, at: Timestamp) -> Paths {
    let mut election = Election { state, node, at, affected: BTreeSet::new(), done: BTreeMap::new() };
    election.affected = election.above();
    let mut order: Vec<NodeIx> = election.affected.iter().copied().collect();
    // In a cycle the one that is judged last is the root: the earliest.
    order.sort_by_key(|ix| (std::cmp::Reverse(election.onset(*ix)), *ix));
    for ix in order {
        election.judge(ix, &mut BTreeSet::new());
    }
    election.done
}

struct Election<'a> {
    state: &'a State,
    node: NodeIx,
    at: Timestamp,
    affected: BTreeSet<NodeIx>,
    done: Paths,
}

struct Vote {
    weight: i64,
    best: i64,
    path: Vec<NodeIx>,
}

impl Election<'_> {
    fn fires(&self, ix: NodeIx) -> bool {
        ix == self.node || self.state.group_at(ix, self.at).is_some()
    }

    fn onset(&self, ix: NodeIx) -> Timestamp {
        if self.state.group_at(ix, self.at).is_none() {
            return self.at;
        }
        self.state.nodes.get(&ix).map_or(self.at, |n| n.onset)
    }

    /// The nodes that fire above the changed one, itself included, as far as rules may move them.
    fn above(&self) -> BTreeSet<NodeIx> {
        let mut found = BTreeSet::from([self.node]);
        let mut queue = VecDeque::from([self.node]);
        while let Some(ix) = queue.pop_front() {
            for (caller, _) in self.next_that_fire(ix, false) {
                let frozen = self.state.group_at(caller, self.at).is_some_and(|g| self.state.is_frozen(g));
                if !frozen && found.insert(caller) {
                    queue.push_back(caller);
                }
            }
        }
        found
    }

    /// The nearest nodes that fire in one direction, with the way to them (`ix` left out). A node without an alarm in
    /// between is usual; see [`SILENT_MAX`].
    fn next_that_fire(&self, ix: NodeIx, down: bool) -> Vec<(NodeIx, Vec<NodeIx>)> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([ix]);
        let mut queue = VecDeque::from([(ix, Vec::new())]);
        while let Some((here, way)) = queue.pop_front() {
            let Some(entry) = self.state.nodes.get(&here) else { continue };
            for next in if down { &entry.callees } else { &entry.callers } {
                if !seen.insert(*next) {
                    continue;
                }
                let mut way = way.clone();
                way.push(*next);
                if self.fires(*next) {
                    found.push((*next, way));
                } else if way.len() <= SILENT_MAX {
                    queue.push_back((*next, way));
                }
            }
        }
        found
    }

    /// The way from the node to its root.
    fn judge(&mut self, ix: NodeIx, above: &mut BTreeSet<NodeIx>) -> Vec<NodeIx> {
        if let Some(done) = self.done.get(&ix) {
            return done.clone();
        }
        if !self.affected.contains(&ix) {
            let known = self.state.nodes.get(&ix).map(|n| n.path.clone()).unwrap_or_default();
            return if known.is_empty() { vec![ix] } else { known };
        }
        above.insert(ix);
        let mut votes: BTreeMap<NodeIx, Vote> = BTreeMap::new();
        let callees = if above.len() > DEPTH_MAX { Vec::new() } else { self.next_that_fire(ix, true) };
        for (callee, way) in callees {
            if above.contains(&callee) {
                continue;
            }
            // What began long after its caller is not what the caller suffers from; what began long before it only when
            // nothing in between stayed quiet.
            let after = self.onset(ix).secs_since(self.onset(callee));
            let silent = i64::try_from(way.len()).unwrap_or(i64::MAX);
            if after < -LAG_S || after > ACCEPT_S / silent.saturating_mul(silent) {
                continue;
            }
            let rest = self.judge(callee, above);
            let Some(root) = rest.last().copied().filter(|r| *r != ix) else { continue };
            let apart = self.onset(ix).secs_since(self.onset(callee)).saturating_abs();
            let weight = VOTE_HALF_S * 1_000 / VOTE_HALF_S.saturating_add(apart);
            let path = join(ix, &way, &rest);
            let vote = votes.entry(root).or_insert(Vote { weight: 0, best: 0, path: Vec::new() });
            vote.weight += weight;
            if vote.path.is_empty() || (path.len(), -weight) < (vote.path.len(), -vote.best) {
                vote.best = weight;
                vote.path = path;
            }
        }
        above.remove(&ix);
        let path = self.winner(votes).unwrap_or_else(|| vec![ix]);
        self.done.insert(ix, path.clone());
        path
    }

    /// Whether no alarm says that the node fires: it is only suspected.
    fn is_suspected(&self, ix: NodeIx) -> bool {
        self.state.nodes.get(&ix).is_some_and(|n| n.alarms.is_empty() && n.group.is_some())
    }

    /// Most votes, those for a suspicion counting half; then the nearest, the earliest, the lesser name.
    fn winner(&self, votes: BTreeMap<NodeIx, Vote>) -> Option<Vec<NodeIx>> {
        let rank = |root: NodeIx, vote: &Vote| {
            let name = self.state.nodes.get(&root).map(|n| &n.name);
            let weight = if self.is_suspected(root) { vote.weight / 2 } else { vote.weight };
            (-weight, vote.path.len(), self.onset(root), name)
        };
        votes.into_iter().min_by(|a, b| rank(a.0, &a.1).cmp(&rank(b.0, &b.1))).map(|(_, v)| v.path)
    }
}

/// `ix`, the way to the next that fires, and that one's own way; the middle is left out when it gets too long.
fn join(ix: NodeIx, way: &[NodeIx], rest: &[NodeIx]) -> Vec<NodeIx> {
    let mut path = vec![ix];
    path.extend(way);
    path.extend(rest.iter().skip(1));
    if path.len() > PATH_MAX {
        let root = path.last().copied();
        path.truncate(PATH_MAX - 1);
        path.extend(root);
    }
    path
}
