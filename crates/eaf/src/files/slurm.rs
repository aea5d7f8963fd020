//! Values as Slurm writes them.
//!
//! What: times, memory, generic resources and dependencies of `sbatch`. Why they are apart from the friendly figures: `10`
//! is ten minutes here and a mistake there. Source: the manual page of `sbatch`. Absent: what becomes of them.

use eaf_model::{Bytes, Span, WorkloadId};

/// `--time`: minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, or
/// days-hours:minutes:seconds.
pub(super) fn time(text: &str) -> Option<Span> {
    let number = |part: &str| -> Option<u64> {
        let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if plain { part.parse().ok() } else { None }
    };
    let (days, clock) = match text.split_once('-') {
        Some((days, clock)) => (Some(number(days)?), clock),
        None => (None, text),
    };
    let parts: Option<Vec<u64>> = clock.split(':').map(number).collect();
    let (hours, minutes, seconds) = match (days, parts?.as_slice()) {
        (None, [minutes]) => (0, *minutes, 0),
        (None, [minutes, seconds]) => (0, *minutes, *seconds),
        (Some(_), [hours]) => (*hours, 0, 0),
        (Some(_), [hours, minutes]) => (*hours, *minutes, 0),
        (_, [hours, minutes, seconds]) => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let of_days = days.unwrap_or(0).checked_mul(86_400)?;
    let total = of_days.checked_add(hours.checked_mul(3_600)?)?.checked_add(minutes.checked_mul(60)?)?;
    let span = total.checked_add(seconds)?.checked_mul(1_000)?;
    (span > 0).then_some(Span(span))
}

/// `--mem`: a whole number with K, M, G or T (binary); M where none is given.
pub(super) fn memory(text: &str) -> Option<Bytes> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let shift = match text[digits..].to_ascii_uppercase().as_str() {
        "K" | "KB" => 10,
        "" | "M" | "MB" => 20,
        "G" | "GB" => 30,
        "T" | "TB" => 40,
        _ => return None,
    };
    let number: u64 = text[..digits].parse().ok()?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0).map(Bytes)
}

/// Accelerators: `4` or `MODEL:4`, and `gpu:4` or `gpu:MODEL:4` where `prefixed`.
pub(super) fn gpus(text: &str, prefixed: bool) -> Option<(u32, Option<String>)> {
    let mut parts: Vec<&str> = text.split(':').collect();
    if prefixed {
        if parts.first().is_none_or(|first| *first != "gpu") {
            return None;
        }
        parts.remove(0);
    }
    let count = |part: &str| part.parse::<u32>().ok();
    match parts.as_slice() {
        [] if prefixed => Some((1, None)),
        [only] => match count(only) {
            Some(count) => Some((count, None)),
            None if prefixed && !only.is_empty() => Some((1, Some((*only).to_owned()))),
            None => None,
        },
        [model, number] if !model.is_empty() => Some((count(number)?, Some((*model).to_owned()))),
        _ => None,
    }
}

/// What a workload waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Dependencies {
    pub(super) after_ok: Vec<WorkloadId>,
    pub(super) after_any: Vec<WorkloadId>,
}

/// Why a dependency does not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DependencyProblem {
    /// This kind is not supported.
    Kind(String),
    /// This is no id.
    NotAnId(String),
    /// Any of several (`?`) is not supported.
    Any,
}

/// `--dependency`: `afterok:ID[:ID…]`, `afterany:ID[:ID…]`, several divided by commas, all of which must hold. An id is
/// written `wl-12`, or `12` as in Slurm.
pub(super) fn dependencies(text: &str) -> Result<Dependencies, DependencyProblem> {
    if text.contains('?') {
        return Err(DependencyProblem::Any);
    }
    let mut found = Dependencies::default();
    for clause in text.split(',') {
        let (kind, ids) = clause.split_once(':').unwrap_or((clause, ""));
        let list = match kind {
            "afterok" => &mut found.after_ok,
            "afterany" => &mut found.after_any,
            _ => return Err(DependencyProblem::Kind(kind.to_owned())),
        };
        for id in ids.split(':') {
            let parsed = id.parse().or_else(|_| format!("wl-{id}").parse());
            list.push(parsed.map_err(|_| DependencyProblem::NotAnId(id.to_owned()))?);
        }
    }
    Ok(found)
}

/// True for the name of a MIG slice, such as `1g.10gb`.
pub(super) fn is_slice(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts = name.split_once("g.").and_then(|(compute, memory)| Some((compute, memory.strip_suffix("gb")?)));
    parts.is_some_and(|(compute, memory)| digits(compute) && digits(memory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_time() {
        let check =
            |text: &str, seconds: Option<u64>| assert_eq!(time(text).map(|span| span.0 / 1_000), seconds, "{text:?}");
        check("10", Some(600));
        check("10:30", Some(630));
        check("1:02:03", Some(3_723));
        check("2-3", Some(183_600));
        check("2-3:04", Some(183_840));
        check("2-3:04:05", Some(183_845));
        for bad in ["", "0", "UNLIMITED", "1-", "1:2:3:4", "-5", "1.5", "1h", "99999999999999999999"] {
            check(bad, None);
        }
    }

    #[test]
    fn memory_is_binary_and_megabytes_by_default() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(memory(text).map(|bytes| bytes.0), expect, "{text:?}");
        check("512", Some(512 << 20));
        check("4G", Some(4 << 30));
        check("4gb", Some(4 << 30));
        check("100K", Some(100 << 10));
        for bad in ["", "0", "G", "1.5G", "4X", "-1", "99999999999999T"] {
            check(bad, None);
        }
    }

    #[test]
    fn accelerators_by_count_and_model() {
        let check = |text: &str, prefixed, expect: Option<(u32, Option<&str>)>| {
            let expect = expect.map(|(count, model)| (count, model.map(str::to_owned)));
            assert_eq!(gpus(text, prefixed), expect, "{text:?}");
        };
        check("gpu:4", true, Some((4, None)));
        check("gpu:MI355X:8", true, Some((8, Some("MI355X"))));
        check("gpu", true, Some((1, None)));
        check("gpu:MI355X", true, Some((1, Some("MI355X"))));
        check("fpga:1", true, None);
        check("2", false, Some((2, None)));
        check("H100:2", false, Some((2, Some("H100"))));
        check("H100", false, None);
        check("", false, None);
    }

    #[test]
    fn dependencies_of_both_kinds() {
        let id = |text: &str| text.parse().unwrap();
        let check = |text: &str, expect: Result<Dependencies, DependencyProblem>| {
            assert_eq!(dependencies(text), expect, "{text:?}");
        };
        let both = Dependencies { after_ok: vec![id("wl-1"), id("wl-2.3")], after_any: vec![id("wl-9")] };
        check("afterok:wl-1:wl-2.3,afterany:9", Ok(both));
        check("afterok:1?afterok:2", Err(DependencyProblem::Any));
        check("singleton", Err(DependencyProblem::Kind("singleton".into())));
        check("afterok:x", Err(DependencyProblem::NotAnId("x".into())));
        check("afterok", Err(DependencyProblem::NotAnId(String::new())));
    }
}
