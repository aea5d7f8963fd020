//! The index values of an array, as Slurm writes them.
//!
//! What: `0-9`, `1,3,7`, `0-100:10`, and lists of these. Absent: `%limit`, which is refused by name; how many may run at
//! once is not something that a workload decides here.

use crate::say::Say;
use std::collections::BTreeSet;

/// The most values that one array may have; the core has the same bound as a setting.
const VALUES_MAX: usize = 10_000;

/// Index values by rising value.
pub(crate) fn parse(text: &str) -> Result<Vec<u16>, Say> {
    let malformed = || Say::new("array-malformed").with("given", text);
    if text.contains('%') {
        return Err(Say::new("array-limit"));
    }
    let number = |part: &str| part.trim().parse::<u16>().map_err(|_| malformed());
    let mut values = BTreeSet::new();
    for part in text.split(',') {
        let (range, step) = part.split_once(':').map_or((part, None), |(range, step)| (range, Some(step)));
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None if step.is_some() => return Err(malformed()),
            None => (number(range)?, number(range)?),
        };
        let step = step.map_or(Ok(1), number)?;
        if step == 0 || last < first {
            return Err(malformed());
        }
        for value in (first..=last).step_by(step.into()) {
            if !values.insert(value) {
                return Err(Say::new("array-twice").with("value", value));
            }
        }
        if values.len() > VALUES_MAX {
            return Err(Say::new("array-too-long").with("max", VALUES_MAX));
        }
    }
    Ok(values.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_api::messages::Lang;

    fn check(text: &str, expect: Result<&[u16], &str>) {
        let got = parse(text).map_err(|say| say.in_lang(Lang::En));
        assert_eq!(got, expect.map(<[u16]>::to_vec).map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn ranges_steps_and_lists() {
        check("3", Ok(&[3]));
        check("0-3", Ok(&[0, 1, 2, 3]));
        check("1-10:4,20", Ok(&[1, 5, 9, 20]));
        check("7,1", Ok(&[1, 7]));
        check("0-9%2", Err("a limit on how many run at once (%) is not supported; leave it out"));
        check("1-3,2", Err("2 is named twice"));
        check("0-20000", Err("an array has at most 10000 members"));
        let malformed = |text: &str| format!("“{text}” is not a list of index values, such as 0-9, 1,3,7 or 0-100:10");
        for text in ["", "a", "5-1", "1-", "-1", "1-5:0", "4:2", "70000", "1,,2"] {
            check(text, Err(&malformed(text)));
        }
    }
}
