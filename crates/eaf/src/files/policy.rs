//! A policy file: the friendly shape of shares and windows.
//!
//! What: tables with spans and dates as people write them, a problem with its line for everything else, and the way back:
//! a policy as lines that read as it again. Absent: whether the factory can keep it; that is asked of the factory.

use super::FileProblem;
use super::doc::{self, Entry, Kind};
use super::fields::{figure, instant, integer, table, text, texts, truth, unknown, wrong};
use super::figures::parse_span;
use crate::say::Say;
use eaf_api::messages;
use eaf_model::{Maintenance, Policy, Quota, Reservation, Share, Time};
use std::collections::BTreeMap;

const FIELDS: &[&str] = &["half_life", "shares", "reservations", "maintenance"];
const SHARE_FIELDS: &[&str] = &["parent", "weight", "priority", "spot", "accelerators"];
const QUOTA_FIELDS: &[&str] = &["guaranteed", "borrowable", "maximum"];
const RESERVATION_FIELDS: &[&str] = &["project", "nodes", "from", "until"];
const MAINTENANCE_FIELDS: &[&str] = &["nodes", "from", "until"];

type Read<T> = Result<T, FileProblem>;

/// A policy and where each part of it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyFile {
    pub(crate) policy: Policy,
    /// By place, such as `shares.vision.parent`: the line, from 1.
    lines: BTreeMap<String, usize>,
}

impl PolicyFile {
    /// The line of a place, or of the nearest part that it lies in.
    pub(crate) fn line_of(&self, place: &str) -> Option<usize> {
        let mut place = place;
        loop {
            if let Some(line) = self.lines.get(place) {
                return Some(*line);
            }
            place = place.rsplit_once('.')?.0;
        }
    }

    fn note(&mut self, place: &str, entry: &Entry) -> String {
        let place = if place.is_empty() { entry.key.clone() } else { format!("{place}.{}", entry.key) };
        self.lines.insert(place.clone(), entry.line);
        place
    }
}

/// Reads a policy file.
pub(crate) fn read(bytes: &[u8]) -> Read<PolicyFile> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| FileProblem::at(doc::line_at(bytes, error.valid_up_to()), Say::new("file-not-utf8")))?;
    let root = doc::toml(text)?;
    let mut file = PolicyFile::default();
    for entry in table("policy", &root)? {
        let place = file.note("", entry);
        match entry.key.as_str() {
            "half_life" => file.policy.half_life = figure("half_life", &entry.value, "7d", parse_span)?,
            "shares" => {
                for entry in table("shares", &entry.value)? {
                    let share = share(&mut file, &place, entry)?;
                    file.policy.shares.insert(entry.key.clone(), share);
                }
            }
            "reservations" => {
                for entry in table("reservations", &entry.value)? {
                    let window = window(&mut file, &place, entry, RESERVATION_FIELDS)?;
                    file.policy.reservations.insert(entry.key.clone(), window);
                }
            }
            "maintenance" => {
                for entry in table("maintenance", &entry.value)? {
                    let Reservation { nodes, from, until, .. } = window(&mut file, &place, entry, MAINTENANCE_FIELDS)?;
                    file.policy.maintenance.insert(entry.key.clone(), Maintenance { nodes, from, until });
                }
            }
            _ => return Err(unknown(entry, FIELDS)),
        }
    }
    Ok(file)
}

fn share(file: &mut PolicyFile, place: &str, entry: &Entry) -> Read<Share> {
    let place = file.note(place, entry);
    let mut share = Share::default();
    for entry in table(&place, &entry.value)? {
        let field = file.note(&place, entry);
        match entry.key.as_str() {
            "parent" => share.parent = Some(text(&field, &entry.value)?),
            "weight" => share.weight = integer(&field, &entry.value)?,
            "priority" => share.priority = integer(&field, &entry.value)?,
            "spot" => share.spot = truth(&field, &entry.value)?,
            "accelerators" => {
                for entry in table(&field, &entry.value)? {
                    let quota = quota(file, &field, entry)?;
                    share.accelerators.insert(entry.key.clone(), quota);
                }
            }
            _ => return Err(unknown(entry, SHARE_FIELDS)),
        }
    }
    Ok(share)
}

/// `16`, or a table that says more.
fn quota(file: &mut PolicyFile, place: &str, entry: &Entry) -> Read<Quota> {
    let place = file.note(place, entry);
    if let Kind::Number(_) = entry.value.kind {
        return Ok(Quota { guaranteed: integer(&place, &entry.value)?, ..Quota::default() });
    }
    let Kind::Table(fields) = &entry.value.kind else { return Err(wrong(&place, &entry.value, "kind-quota")) };
    let mut quota = Quota::default();
    for entry in fields {
        let field = file.note(&place, entry);
        match entry.key.as_str() {
            "guaranteed" => quota.guaranteed = integer(&field, &entry.value)?,
            "borrowable" => quota.borrowable = Some(integer(&field, &entry.value)?),
            "maximum" => quota.maximum = Some(integer(&field, &entry.value)?),
            _ => return Err(unknown(entry, QUOTA_FIELDS)),
        }
    }
    Ok(quota)
}

fn window(file: &mut PolicyFile, place: &str, entry: &Entry, fields: &[&str]) -> Read<Reservation> {
    let place = file.note(place, entry);
    let mut window = Reservation { project: String::new(), nodes: Vec::new(), from: Time::NEVER, until: Time::NEVER };
    for entry in table(&place, &entry.value)? {
        let field = file.note(&place, entry);
        match entry.key.as_str() {
            "project" if fields.contains(&"project") => window.project = text(&field, &entry.value)?,
            "nodes" => window.nodes = texts(&field, &entry.value)?,
            "from" => window.from = instant(&field, &entry.value)?,
            "until" => window.until = instant(&field, &entry.value)?,
            _ => return Err(unknown(entry, fields)),
        }
    }
    let has = |field: &&&str| file.lines.contains_key(&format!("{place}.{field}"));
    match fields.iter().find(|field| !has(field)) {
        Some(missing) => {
            let say = Say::new("file-missing").with("field", format!("{place}.{missing}"));
            Err(FileProblem::at(entry.line, say))
        }
        None => Ok(window),
    }
}

/// A policy as lines of a file: `shares.vision.weight = 2`. Every value stands on a line of its own.
pub(crate) fn lines(policy: &Policy) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::from([("half_life".to_owned(), quoted(&messages::span(policy.half_life)))]);
    for (name, share) in &policy.shares {
        let place = format!("shares.{name}");
        lines.insert(format!("{place}.weight"), share.weight.to_string());
        let priority = Some(share.priority).filter(|priority| *priority != 0);
        lines.extend(priority.map(|priority| (format!("{place}.priority"), priority.to_string())));
        lines.extend(share.spot.then(|| (format!("{place}.spot"), "true".to_owned())));
        lines.extend(share.parent.iter().map(|parent| (format!("{place}.parent"), quoted(parent))));
        for (model, quota) in &share.accelerators {
            let place = format!("{place}.accelerators.{}", key(model));
            lines.insert(format!("{place}.guaranteed"), quota.guaranteed.to_string());
            lines.extend(quota.borrowable.map(|count| (format!("{place}.borrowable"), count.to_string())));
            lines.extend(quota.maximum.map(|count| (format!("{place}.maximum"), count.to_string())));
        }
    }
    let mut window = |place: String, nodes: &[String], from: Time, until: Time| {
        let nodes = nodes.iter().map(|node| quoted(node)).collect::<Vec<_>>().join(", ");
        lines.insert(format!("{place}.nodes"), format!("[{nodes}]"));
        lines.insert(format!("{place}.from"), date(from));
        lines.insert(format!("{place}.until"), date(until));
    };
    for (name, reserved) in &policy.reservations {
        window(format!("reservations.{name}"), &reserved.nodes, reserved.from, reserved.until);
    }
    for (name, maintained) in &policy.maintenance {
        window(format!("maintenance.{name}"), &maintained.nodes, maintained.from, maintained.until);
    }
    let projects = policy.reservations.iter().map(|(name, reserved)| (name, &reserved.project));
    lines.extend(projects.map(|(name, project)| (format!("reservations.{name}.project"), quoted(project))));
    lines
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A key as TOML wants it.
fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

fn date(at: Time) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| quoted(&at.0.to_string()), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
half_life = "14d"

[shares.acme]
weight = 2
accelerators.MI355X = 16

[shares.vision]
parent = "acme"
priority = -3
spot = true
accelerators.MI355X = { guaranteed = 8, borrowable = 4, maximum = 12 }
accelerators."RTX PRO" = 0

[reservations.class]
project = "school"
nodes = ["gaon", "naru"]
from = 2026-12-01T09:00:00+09:00
until = 2026-12-01T12:00:00+09:00

[maintenance.pumps]
nodes = ["gaon"]
from = "2026-12-02T00:00:00Z"
until = "2026-12-02T06:00:00Z"
"#;

    #[test]
    fn a_policy_reads_prints_and_reads_again() {
        let file = read(FILE.as_bytes()).expect("a policy");
        let vision = &file.policy.shares["vision"];
        let quota = Quota { guaranteed: 8, borrowable: Some(4), maximum: Some(12) };
        assert_eq!((vision.parent.as_deref(), vision.accelerators["MI355X"]), (Some("acme"), quota));
        assert_eq!(file.policy.reservations["class"].from, Time(1_796_083_200_000));
        assert_eq!((file.line_of("shares.vision.parent"), file.line_of("shares.vision.weight")), (Some(9), Some(8)));
        let printed: Vec<String> = lines(&file.policy).iter().map(|(key, value)| format!("{key} = {value}")).collect();
        assert_eq!(read(printed.join("\n").as_bytes()).expect("its lines").policy, file.policy);
    }

    fn check(text: &str, line: usize, id: &str) {
        let problem = read(text.as_bytes()).expect_err(text);
        assert_eq!(problem.line, Some(line), "{problem:?}");
        assert!(format!("{:?}", problem.say).contains(id), "{problem:?}");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        check("half_life = \"soon\"", 1, "file-figure");
        check("[shares.a]\nwait = 2", 2, "file-unknown-field");
        check("[shares.a]\nweight = -1", 2, "kind-integer");
        check("\n[shares.a.accelerators]\nH100 = \"many\"", 3, "kind-quota");
        check("[maintenance.a]\nnodes = [\"x\"]\nfrom = 2026-12-01\nuntil = 2026-12-02", 3, "kind-instant");
        check("[reservations.a]\nnodes = [\"x\"]", 1, "file-missing");
        check("[maintenance.a]\nproject = \"x\"", 2, "file-unknown-field");
        check("shares = 3", 1, "kind-table");
        check("[shares", 1, "file-syntax");
    }
}
