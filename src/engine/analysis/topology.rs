//! The graph of resources: who is downstream of the alarm, by which path, and who is called directly.

use std::collections::{BTreeMap, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::model::resource::{Edge, EdgeKind, Resource, ResourceId};

/// A directed graph from users to what they use. Iteration is always in the order of identifiers.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    graph: DiGraph<ResourceId, EdgeKind>,
    nodes: BTreeMap<ResourceId, NodeIndex>,
    kinds: BTreeMap<ResourceId, String>,
}

impl Graph {
    /// Builds the graph. Edges may name resources that are not listed; self-loops and repeats are dropped.
    #[must_use]
    pub fn new(resources: &[Resource], edges: &[Edge]) -> Self {
        let mut it = Self::default();
        for resource in resources {
            it.node(&resource.id);
            if let Some(kind) = &resource.kind {
                it.kinds.insert(resource.id.clone(), kind.clone());
            }
        }
        let unique: BTreeMap<(&ResourceId, &ResourceId), EdgeKind> =
            edges.iter().filter(|e| e.from != e.to).map(|e| ((&e.from, &e.to), e.kind)).collect();
        for ((from, to), kind) in unique {
            let (from, to) = (it.node(from), it.node(to));
            it.graph.add_edge(from, to, kind);
        }
        it
    }

    fn node(&mut self, id: &ResourceId) -> NodeIndex {
        if let Some(index) = self.nodes.get(id) {
            return *index;
        }
        let index = self.graph.add_node(id.clone());
        self.nodes.insert(id.clone(), index);
        index
    }

    /// Whether nothing is known of who uses whom.
    #[must_use]
    pub fn has_no_edges(&self) -> bool {
        self.graph.edge_count() == 0
    }

    /// Whether the resource is in the graph.
    #[must_use]
    pub fn contains(&self, id: &ResourceId) -> bool {
        self.nodes.contains_key(id)
    }

    /// CloudFormation type, when known.
    #[must_use]
    pub fn kind(&self, id: &ResourceId) -> Option<&str> {
        self.kinds.get(id).map(String::as_str)
    }

    /// Every resource.
    pub fn resources(&self) -> impl Iterator<Item = &ResourceId> {
        self.nodes.keys()
    }

    /// What the resource uses directly, in order of identifiers.
    #[must_use]
    pub fn callees(&self, id: &ResourceId) -> Vec<&ResourceId> {
        self.neighbours(id, Direction::Outgoing, |_| true)
    }

    /// What the resource uses directly and waits for: work that is handed over (queues, topics, streams) makes nobody slow
    /// and fails nobody's request.
    #[must_use]
    pub fn awaited(&self, id: &ResourceId) -> Vec<&ResourceId> {
        self.neighbours(id, Direction::Outgoing, |kind| kind != EdgeKind::Async)
    }

    /// Who uses the resource directly, in order of identifiers.
    #[must_use]
    pub fn callers(&self, id: &ResourceId) -> Vec<&ResourceId> {
        self.neighbours(id, Direction::Incoming, |_| true)
    }

    fn neighbours(
        &self,
        id: &ResourceId,
        direction: Direction,
        wanted: impl Fn(EdgeKind) -> bool,
    ) -> Vec<&ResourceId> {
        let Some(index) = self.nodes.get(id) else { return Vec::new() };
        let other = |e: petgraph::graph::EdgeReference<'_, EdgeKind>| match direction {
            Direction::Outgoing => e.target(),
            Direction::Incoming => e.source(),
        };
        let mut found: Vec<&ResourceId> = self
            .graph
            .edges_directed(*index, direction)
            .filter(|e| wanted(*e.weight()))
            .filter_map(|e| self.graph.node_weight(other(e)))
            .collect();
        found.sort();
        found
    }

    /// Who is reachable from `start`, and by which way.
    #[must_use]
    pub fn ways_from(&self, start: &ResourceId) -> Ways {
        let mut parents = BTreeMap::from([(start.clone(), None)]);
        let mut queue = VecDeque::from([start.clone()]);
        while let Some(at) = queue.pop_front() {
            for next in self.callees(&at) {
                if !parents.contains_key(next) {
                    parents.insert(next.clone(), Some(at.clone()));
                    queue.push_back(next.clone());
                }
            }
        }
        Ways { parents }
    }
}

/// The resources that are reachable from one, each with the one before it on a shortest way. Between equally short ways
/// the one with the lesser identifiers wins.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    parents: BTreeMap<ResourceId, Option<ResourceId>>,
}

impl Ways {
    /// Whether the resource is reachable.
    #[must_use]
    pub fn reach(&self, id: &ResourceId) -> bool {
        self.parents.contains_key(id)
    }

    /// The shortest way to the resource, both ends included; empty when there is none.
    #[must_use]
    pub fn path_to(&self, id: &ResourceId) -> Vec<ResourceId> {
        let mut path = Vec::new();
        let mut at = self.parents.get_key_value(id);
        while let Some((here, parent)) = at {
            path.push(here.clone());
            at = parent.as_ref().and_then(|p| self.parents.get_key_value(p));
        }
        path.reverse();
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::resource::EdgeOrigin;

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: ResourceId::new(from),
            to: ResourceId::new(to),
            kind: EdgeKind::Calls,
            origin: EdgeOrigin::Observed,
        }
    }

    #[test]
    fn work_that_is_handed_over_is_not_awaited() {
        let queue = Edge { kind: EdgeKind::Async, ..edge("a", "queue") };
        let g = Graph::new(&[], &[edge("a", "b"), queue]);
        assert_eq!(g.awaited(&ResourceId::new("a")), [&ResourceId::new("b")]);
        assert_eq!(g.callees(&ResourceId::new("a")).len(), 2);
    }

    #[test]
    fn paths_are_shortest_and_cycles_end() {
        let g = Graph::new(
            &[],
            &[edge("a", "b"), edge("b", "a"), edge("b", "c"), edge("a", "c"), edge("c", "c")],
        );
        let ways = g.ways_from(&ResourceId::new("a"));
        assert_eq!(ways.path_to(&ResourceId::new("c")), [ResourceId::new("a"), ResourceId::new("c")]);
        assert!(!ways.reach(&ResourceId::new("nowhere")));
        assert!(g.callees(&ResourceId::new("nowhere")).is_empty());
    }
}
