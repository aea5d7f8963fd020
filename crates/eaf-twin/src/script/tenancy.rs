//! Shares and windows in a script.
//!
//! What: one line a share or a window, each added to the policy in force. Why windows begin so long from now: a script
//! knows no dates. Absent: taking one away; a policy that is applied whole does that.

use super::error::ScriptError;
use super::figures::span_text;
use super::parse::Words;
use eaf_model::{Quota, Share, Span};
use std::fmt;

/// Nodes that are kept for somebody, or for nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowParts {
    /// For whom; `None` for maintenance.
    pub project: Option<String>,
    /// Which nodes, by name.
    pub nodes: Vec<String>,
    /// From now to its begin.
    pub begins_in: Span,
    /// From its begin to its end.
    pub lasts: Span,
}

/// `4 MI355X, at most 8 MI355X, lends 2 MI355X, part of acme, weight 2, priority 3, spot`.
pub(super) fn share(words: &mut Words<'_>) -> Result<Share, ScriptError> {
    let mut share = Share::default();
    loop {
        if words.eat("part") {
            words.need(&["of"])?;
            share.parent = Some(words.word("a share")?.to_owned());
        } else if words.eat("weight") {
            share.weight = words.number()?;
        } else if words.eat("priority") {
            share.priority = words.number()?;
        } else if words.eat("spot") {
            share.spot = true;
        } else {
            let (is_maximum, is_lent) = (words.eat("at"), words.eat("lends"));
            if is_maximum {
                words.need(&["most"])?;
            }
            let count = words.number()?;
            let quota: &mut Quota = share.accelerators.entry(words.word("a model")?.to_owned()).or_default();
            match (is_maximum, is_lent) {
                (true, _) => quota.maximum = Some(count),
                (_, true) => quota.borrowable = Some(count),
                _ => quota.guaranteed = count,
            }
        }
        if !words.eat(",") {
            return Ok(share);
        }
    }
}

/// `node-1 node-2, for vision, in 1h, lasting 2h`.
pub(super) fn window(words: &mut Words<'_>, is_for_somebody: bool) -> Result<WindowParts, ScriptError> {
    let nodes = words.names()?;
    let mut project = None;
    if is_for_somebody {
        words.need(&[",", "for"])?;
        project = Some(words.word("a project")?.to_owned());
    }
    words.need(&[",", "in"])?;
    let begins_in = words.span()?;
    words.need(&[",", "lasting"])?;
    Ok(WindowParts { project, nodes, begins_in, lasts: words.span()? })
}

/// A share as a script has it.
pub(super) fn share_text(share: &Share) -> String {
    let mut items = Vec::new();
    for (model, quota) in &share.accelerators {
        items.push(format!("{} {model}", quota.guaranteed));
        items.extend(quota.maximum.map(|maximum| format!("at most {maximum} {model}")));
        items.extend(quota.borrowable.map(|lent| format!("lends {lent} {model}")));
    }
    items.extend(share.parent.iter().map(|parent| format!("part of {parent}")));
    items.extend(Some(share.priority).filter(|priority| *priority != 0).map(|priority| format!("priority {priority}")));
    items.extend(share.spot.then(|| "spot".to_owned()));
    if share.weight != 1 || items.is_empty() {
        items.push(format!("weight {}", share.weight));
    }
    items.join(", ")
}

impl fmt::Display for WindowParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.nodes.join(" "))?;
        if let Some(project) = &self.project {
            write!(f, ", for {project}")?;
        }
        write!(f, ", in {}, lasting {}", span_text(self.begins_in), span_text(self.lasts))
    }
}
