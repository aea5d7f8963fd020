//! Formulas: a small language of whole numbers, so that anyone can derive a figure again.
//!
//! What: `+ - * /`, parentheses, names of inputs, and `sum`, `min`, `max`, `dot(list, list)` and `mul_div(a, b, c)`, which
//! is a times b over c, rounded half up: the one rounding there is (`a / b` is `mul_div(a, 1, b)`). Why unknown is a value: a
//! figure that is made from something unknown is unknown, and so is one that does not fit in 128 bits.
//! Bounds: 512 characters and 16 levels. Absent: floats, loops, definitions, and panics on any text.

use eaf_model::mul_div;
use std::fmt;

/// The longest formula, in bytes.
const BYTES_MAX: usize = 512;
/// The deepest nesting.
const DEPTH_MAX: usize = 16;

/// A number, or `None` where it is unknown.
pub(super) type Number = Option<i128>;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A number.
    One(Number),
    /// A list of them, for `sum`, `min`, `max` and `dot`.
    Many(Vec<Number>),
}

/// Why a formula has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormulaProblem {
    /// Something else was expected at this byte.
    Unexpected,
    /// No input has this name.
    UnknownName(String),
    /// No function has this name, or not with these arguments.
    UnknownFunction(String),
    /// A list stands where a number is wanted, or the other way round.
    WrongShape,
    /// A number, the formula or its nesting is too large.
    TooLarge,
}

/// A formula that has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormulaError {
    /// The byte that it fails at.
    pub at: usize,
    /// Why.
    pub problem: FormulaProblem,
}

impl fmt::Display for FormulaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at + 1;
        match &self.problem {
            FormulaProblem::Unexpected => write!(f, "something else is expected at character {at}"),
            FormulaProblem::UnknownName(name) => write!(f, "no input is called {name}"),
            FormulaProblem::UnknownFunction(name) => write!(f, "{name} is no function of these arguments"),
            FormulaProblem::WrongShape => write!(f, "a list and a number are mixed up at character {at}"),
            FormulaProblem::TooLarge => write!(f, "it is too large at character {at}"),
        }
    }
}

impl std::error::Error for FormulaError {}

/// The value of a formula whose inputs are looked up by name.
pub(super) fn evaluate(formula: &str, lookup: impl Fn(&str) -> Option<Value>) -> Result<Number, FormulaError> {
    let mut reader = Reader { text: formula.as_bytes(), at: 0, depth: 0, lookup };
    if formula.len() > BYTES_MAX {
        return Err(reader.fail(FormulaProblem::TooLarge));
    }
    let value = reader.sum()?;
    reader.spaces();
    if reader.at < reader.text.len() {
        return Err(reader.fail(FormulaProblem::Unexpected));
    }
    reader.number(&value)
}

struct Reader<'a, L> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    lookup: L,
}

impl<L: Fn(&str) -> Option<Value>> Reader<'_, L> {
    fn fail(&self, problem: FormulaProblem) -> FormulaError {
        FormulaError { at: self.at, problem }
    }

    fn spaces(&mut self) {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    /// Reads this byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        self.spaces();
        let there = self.text.get(self.at) == Some(&byte);
        self.at += usize::from(there);
        there
    }

    fn word(&mut self, wanted: impl Fn(u8) -> bool) -> String {
        let from = self.at;
        while self.text.get(self.at).is_some_and(|byte| wanted(*byte)) {
            self.at += 1;
        }
        self.text[from..self.at].iter().copied().map(char::from).collect()
    }

    fn number(&self, value: &Value) -> Result<Number, FormulaError> {
        match value {
            Value::One(number) => Ok(*number),
            Value::Many(_) => Err(self.fail(FormulaProblem::WrongShape)),
        }
    }

    fn both(&self, a: &Value, b: &Value, join: impl Fn(i128, i128) -> Number) -> Result<Value, FormulaError> {
        let (a, b) = (self.number(a)?, self.number(b)?);
        Ok(Value::One(a.zip(b).and_then(|(a, b)| join(a, b))))
    }

    fn sum(&mut self) -> Result<Value, FormulaError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fail(FormulaProblem::TooLarge));
        }
        let mut value = self.product()?;
        loop {
            if self.take(b'+') {
                let other = self.product()?;
                value = self.both(&value, &other, i128::checked_add)?;
            } else if self.take(b'-') {
                let other = self.product()?;
                value = self.both(&value, &other, i128::checked_sub)?;
            } else {
                self.depth -= 1;
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<Value, FormulaError> {
        let mut value = self.atom()?;
        loop {
            if self.take(b'*') {
                let other = self.atom()?;
                value = self.both(&value, &other, i128::checked_mul)?;
            } else if self.take(b'/') {
                let other = self.atom()?;
                value = self.both(&value, &other, |a, b| mul_div(a, 1, b))?;
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<Value, FormulaError> {
        if self.take(b'(') {
            let value = self.sum()?;
            return if self.take(b')') { Ok(value) } else { Err(self.fail(FormulaProblem::Unexpected)) };
        }
        let digits = self.word(|byte| byte.is_ascii_digit());
        if !digits.is_empty() {
            let number = digits.parse().map_err(|_| self.fail(FormulaProblem::TooLarge))?;
            return Ok(Value::One(Some(number)));
        }
        let name = self.word(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if name.is_empty() {
            return Err(self.fail(FormulaProblem::Unexpected));
        }
        if self.take(b'(') {
            let arguments = self.arguments()?;
            return self.call(name, &arguments);
        }
        (self.lookup)(&name).ok_or_else(|| self.fail(FormulaProblem::UnknownName(name)))
    }

    /// What stands between the parentheses of a call.
    fn arguments(&mut self) -> Result<Vec<Value>, FormulaError> {
        let mut arguments = Vec::new();
        if self.take(b')') {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.sum()?);
            if self.take(b')') {
                return Ok(arguments);
            }
            if !self.take(b',') {
                return Err(self.fail(FormulaProblem::Unexpected));
            }
        }
    }

    fn call(&self, name: String, arguments: &[Value]) -> Result<Value, FormulaError> {
        let value = match (name.as_str(), arguments) {
            ("mul_div", [Value::One(a), Value::One(b), Value::One(c)]) => {
                a.zip(*b).zip(*c).and_then(|((a, b), c)| mul_div(a, b, c))
            }
            ("dot", [Value::Many(a), Value::Many(b)]) if a.len() == b.len() => {
                let product = |(a, b): (&Number, &Number)| a.zip(*b).and_then(|(a, b)| a.checked_mul(b));
                add(a.iter().zip(b).map(product))
            }
            ("sum", _) => add(flat(arguments)),
            ("min", [_, ..]) => flat(arguments).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().min()),
            ("max", [_, ..]) => flat(arguments).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()),
            _ => return Err(self.fail(FormulaProblem::UnknownFunction(name))),
        };
        Ok(Value::One(value))
    }
}

fn flat(arguments: &[Value]) -> impl Iterator<Item = Number> {
    arguments
        .iter()
        .flat_map(|argument| match argument {
            Value::One(number) => std::slice::from_ref(number),
            Value::Many(numbers) => numbers,
        })
        .copied()
}

fn add(mut numbers: impl Iterator<Item = Number>) -> Number {
    numbers.try_fold(0_i128, |sum, number| sum.checked_add(number?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lookup(name: &str) -> Option<Value> {
        match name {
            "a" => Some(Value::One(Some(7))),
            "big" => Some(Value::One(Some(i128::MAX))),
            "unknown" => Some(Value::One(None)),
            "list" => Some(Value::Many(vec![Some(1), Some(2), Some(3)])),
            "none" => Some(Value::Many(Vec::new())),
            _ => None,
        }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a table of cases reads better")]
    fn check(formula: &str, expect: Result<Number, FormulaProblem>) {
        assert_eq!(evaluate(formula, lookup).map_err(|error| error.problem), expect, "{formula}");
    }

    #[test]
    fn formulas_have_their_values() {
        for (formula, value) in [
            ("1 + 2 * a", 15),
            ("(1+2)*a - 1 - 1", 19),
            ("a / 2", 4),
            ("mul_div(a, 3, 2)", 11),
            ("sum(list, a)", 13),
            ("sum()", 0),
            ("sum(none)", 0),
            ("dot(list, list)", 14),
            ("max(1, 3 - a)", 1),
            ("min(list)", 1),
        ] {
            check(formula, Ok(Some(value)));
        }
    }

    #[test]
    fn what_is_unknown_or_too_large_is_unknown() {
        for formula in
            ["unknown + 1", "0 * unknown", "sum(list, unknown)", "big + 1", "big * big", "a / 0", "max(none)"]
        {
            check(formula, Ok(None));
        }
    }

    #[test]
    fn what_is_no_formula_is_refused() {
        check("", Err(FormulaProblem::Unexpected));
        check("1 +", Err(FormulaProblem::Unexpected));
        check("1 2", Err(FormulaProblem::Unexpected));
        check("(1", Err(FormulaProblem::Unexpected));
        check("x", Err(FormulaProblem::UnknownName("x".into())));
        check("f(1)", Err(FormulaProblem::UnknownFunction("f".into())));
        check("mul_div(1, 2)", Err(FormulaProblem::UnknownFunction("mul_div".into())));
        check("dot(list, none)", Err(FormulaProblem::UnknownFunction("dot".into())));
        check("list + 1", Err(FormulaProblem::WrongShape));
        check("list", Err(FormulaProblem::WrongShape));
        check(&"9".repeat(60), Err(FormulaProblem::TooLarge));
        check(&"(".repeat(100), Err(FormulaProblem::TooLarge));
        check(&"1".repeat(600), Err(FormulaProblem::TooLarge));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-+*/(), a-z0-9_]{0,80}|.{0,40}") {
            let _ = evaluate(&text, lookup);
        }

        #[test]
        fn sums_agree_with_arithmetic(a: i64, b: i64, c in 1..i64::MAX) {
            let name = |name: &str| Some(Value::One(Some(match name { "a" => a, "b" => b, _ => c }.into())));
            let (a, b, c) = (i128::from(a), i128::from(b), i128::from(c));
            prop_assert_eq!(evaluate("a - b * 2 + c", name), Ok(Some(a - b * 2 + c)));
            prop_assert_eq!(evaluate("mul_div(a, b, c)", name), Ok(mul_div(a, b, c)));
        }
    }
}
