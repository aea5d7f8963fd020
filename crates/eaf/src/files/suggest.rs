//! The known name that is nearest to an unknown one.
//!
//! What: one suggestion or none. Absent: guessing further than two slips of the finger.

/// The known name nearest to `given`, if one is near.
pub(super) fn nearest<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    let given = given.to_ascii_lowercase().replace('-', "_");
    let distance = |name: &str| strsim::osa_distance(&given, &name.replace('-', "_"));
    let near = |name: &&str| distance(name) <= 2.min(name.len() / 2);
    let prefixed = |name: &&str| given.len() >= 3 && (name.starts_with(&given) || given.starts_with(*name));
    known
        .iter()
        .copied()
        .filter(near)
        .min_by_key(|name| distance(name))
        .or_else(|| known.iter().copied().find(prefixed))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        let known = ["memory", "tasks", "wall_time", "after_ok"];
        let check = |given: &str, expect: Option<&str>| assert_eq!(nearest(given, &known), expect, "{given:?}");
        check("memroy", Some("memory"));
        check("task", Some("tasks"));
        check("walltime", Some("wall_time"));
        check("Wall-Time", Some("wall_time"));
        check("mem", Some("memory"));
        check("gpus", None);
        check("", None);
    }
}
