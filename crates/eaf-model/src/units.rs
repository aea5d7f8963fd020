//! Units as newtypes over integers.
//!
//! What: one type per unit, so that watts are never added to milliseconds. Why integers: a replay must give the same
//! state on every machine. Absent: floats, conversions that round without saying so, and wrapping arithmetic.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            /// Nothing of this unit.
            pub const ZERO: Self = Self(0);
            /// The largest value that this unit can hold.
            pub const MAX: Self = Self(<$inner>::MAX);

            /// The sum, or `None` where it does not fit.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Some(Self(sum)),
                    None => None,
                }
            }

            /// The difference, or `None` where it does not fit.
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(rest) => Some(Self(rest)),
                    None => None,
                }
            }

            /// The sum, held at the largest value of the unit.
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, held at the smallest value of the unit.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// The product with a count, held at the largest value of the unit.
            #[must_use]
            pub const fn saturating_mul(self, count: $inner) -> Self {
                Self(self.0.saturating_mul(count))
            }

            /// True for nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit!(
    /// Electric power in watts.
    Watts(u64)
);
unit!(
    /// Energy in millijoules; 1 kWh is 3,600,000,000.
    MilliJoules(u64)
);
unit!(
    /// Thousandths of one accelerator.
    GpuMilli(u64)
);
unit!(
    /// Thousandths of one CPU thread.
    CpuMilli(u64)
);
unit!(
    /// Memory or storage in bytes.
    Bytes(u64)
);
unit!(
    /// Millionths of one Korean won.
    MicroWon(i64)
);
unit!(
    /// Millionths of one gram of CO2 equivalent.
    MicroGramsCo2(u64)
);
unit!(
    /// Whole accelerators held, times milliseconds; 3,600,000 is one accelerator for an hour.
    AcceleratorMs(u64)
);
unit!(
    /// Processor time in microseconds: finer than a `Span`, so that a short workload does not read zero.
    CpuMicros(u64)
);

/// A duration in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// A span of whole seconds, held at the largest span.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// The sum, held at the largest span.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// The instant that never comes; a workload without a known end "ends" here.
    pub const NEVER: Self = Self(i64::MAX);

    /// This instant moved forward by a span, held at `NEVER`.
    #[must_use]
    pub const fn after(self, span: Span) -> Self {
        let ms = if span.0 > i64::MAX.cast_unsigned() { i64::MAX } else { span.0.cast_signed() };
        Self(self.0.saturating_add(ms))
    }

    /// This instant moved back by a span, held at the first.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        let ms = if span.0 > i64::MAX.cast_unsigned() { i64::MAX } else { span.0.cast_signed() };
        Self(self.0.saturating_sub(ms))
    }

    /// How long after `earlier` this instant is; zero where it is not after.
    pub const fn since(self, earlier: Self) -> Span {
        let ms = self.0.saturating_sub(earlier.0);
        if ms > 0 { Span(ms.cast_unsigned()) } else { Span::ZERO }
    }
}

/// `value * times / per`, rounded half up, in 128-bit arithmetic; `None` where `per` is zero or the result does not fit.
///
/// The one rounding of the house: receipts name it `mul_div`.
pub fn mul_div(value: i128, times: i128, per: i128) -> Option<i128> {
    if per <= 0 {
        return None;
    }
    let product = value.checked_mul(times)?;
    product.checked_mul(2)?.checked_add(per)?.checked_div_euclid(per.checked_mul(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mul_div_rounds_half_up() {
        let check = |value, times, per, expect| assert_eq!(mul_div(value, times, per), expect);
        check(7, 1, 2, Some(4));
        check(5, 1, 3, Some(2));
        check(4, 1, 3, Some(1));
        check(-1, 1, 2, Some(0));
        check(1, 1, 0, None);
        check(i128::MAX, 2, 1, None);
    }

    #[test]
    fn time_holds_at_its_ends() {
        assert_eq!(Time(5).after(Span(u64::MAX)), Time::NEVER);
        assert_eq!(Time(5).since(Time(9)), Span::ZERO);
        assert_eq!(Time(5).before(Span(9)), Time(-4));
    }
}
