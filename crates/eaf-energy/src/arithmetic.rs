//! Arithmetic that holds at its ends instead of failing.
//!
//! Why: a bill is made inside the core, where nothing may panic and a wrap-around would be a wrong bill.
//! Absent: a second rounding; `mul_div` is the one of the house.

use eaf_model::mul_div;

/// `value * times / per`, rounded half up; what does not fit is held at the end that it ran over.
///
/// `per` is a positive constant of the caller.
pub(crate) fn ratio(value: i128, times: i128, per: i128) -> i128 {
    assert!(per > 0, "a ratio is to something");
    mul_div(value, times, per).unwrap_or(if (value < 0) == (times < 0) { i128::MAX } else { i128::MIN })
}

/// The product, held at its ends.
pub(crate) fn product(a: u64, b: u64) -> i128 {
    i128::from(a).saturating_mul(b.into())
}

/// The nearest value that the unit can hold.
pub(crate) fn to_u64(value: i128) -> u64 {
    u64::try_from(value.max(0)).unwrap_or(u64::MAX)
}

/// The nearest value that the unit can hold.
pub(crate) fn to_i64(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}
