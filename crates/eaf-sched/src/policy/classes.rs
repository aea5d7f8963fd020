//! Nodes that are alike, numbered.
//!
//! What: a number for every distinct form among the nodes, kept while nodes change; numbers of forms that are gone are used
//! again. Why: when all scores are void, one score for each form is enough, and a large fleet has far fewer forms than nodes.
//! Absent: what makes two nodes alike; the policy says.

use super::node::Node;
use std::collections::BTreeMap;

/// The numbering.
#[derive(Clone, Debug, Default)]
pub struct Classes {
    /// Form to its number and how many nodes have it.
    forms: BTreeMap<Node, (u32, u32)>,
    unused: Vec<u32>,
    of: Vec<u32>,
}

impl Classes {
    /// Numbers a fleet by the forms of its nodes.
    pub fn new(forms: impl Iterator<Item = Node>) -> Self {
        let mut classes = Self::default();
        for form in forms {
            let number = classes.join(form);
            classes.of.push(number);
        }
        classes
    }

    /// One more node.
    pub fn push(&mut self, form: Node) {
        let number = self.join(form);
        self.of.push(number);
    }

    /// The number of each node.
    pub fn of(&self) -> &[u32] {
        &self.of
    }

    /// All numbers are below this.
    pub fn bound(&self) -> usize {
        self.forms.len() + self.unused.len()
    }

    /// A node changed its form.
    pub fn change(&mut self, node: usize, before: &Node, after: Node) {
        let entry = self.forms.get_mut(before).expect("the form is known");
        entry.1 -= 1;
        if *entry == (entry.0, 0) {
            self.unused.push(entry.0);
            self.forms.remove(before);
        }
        self.of[node] = self.join(after);
    }

    fn join(&mut self, form: Node) -> u32 {
        let next = self.forms.len() + self.unused.len();
        let Self { forms, unused, .. } = self;
        let entry = forms.entry(form).or_insert_with(|| {
            let number = unused.pop().unwrap_or_else(|| u32::try_from(next).expect("fewer forms than nodes"));
            (number, 0)
        });
        entry.1 += 1;
        entry.0
    }
}
