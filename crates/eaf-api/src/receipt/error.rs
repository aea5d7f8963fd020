//! Why a receipt is not accepted, by line.

use super::formula::FormulaError;
use crate::messages::{Lang, Value, text};

/// Why a receipt is not accepted. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// It is larger than any receipt.
    #[error("the file has {bytes} bytes; a receipt has at most {max}")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// The most that a receipt has.
        max: usize,
    },
    /// A byte is not UTF-8.
    #[error("line {line}: not UTF-8 text")]
    NotUtf8 {
        /// The line.
        line: usize,
    },
    /// There is no seal, or it is cut or not as a factory writes it.
    #[error("line {line}: {field} is missing, cut or not as a factory writes it")]
    Seal {
        /// The line.
        line: usize,
        /// What was expected there.
        field: String,
    },
    /// It was sealed with another key than the one that was expected.
    #[error("line {line}: seal.key is {stated}, and the expected key is {pinned}")]
    ForeignKey {
        /// The line of the key.
        line: usize,
        /// What the file states.
        stated: String,
        /// The key that was expected.
        pinned: String,
    },
    /// A line of the body is not the one that was sealed.
    #[error("line {line}: {field} was changed after it was signed{}", .mismatch.as_ref().map(|m| format!(": {m}")).unwrap_or_default())]
    Changed {
        /// The line.
        line: usize,
        /// Its field, or the name of its figure.
        field: String,
        /// The first figure that does not add up for it, where one does not.
        mismatch: Option<Mismatch>,
    },
    /// A line of the seal was changed; the body is as it was signed.
    #[error("line {line}: {field} was changed; the rest is as it was signed")]
    SealChanged {
        /// The line.
        line: usize,
        /// Its field.
        field: String,
    },
    /// The signature is not of this body and key.
    #[error("line {line}: seal.signature is not a signature of this receipt by its key")]
    Signature {
        /// The line of the signature.
        line: usize,
    },
    /// It is signed, and is not a receipt of a format that this program reads.
    #[error("line {line}: {problem}")]
    Malformed {
        /// The line.
        line: usize,
        /// What the reader of JSON said.
        problem: String,
    },
    /// It is signed, and not written as a factory writes it.
    #[error("line {line}: {field} is not written as a factory writes it")]
    NotCanonical {
        /// The line.
        line: usize,
        /// Its field, or the name of its figure.
        field: String,
    },
    /// It is signed, and a formula has no value.
    #[error("line {line}: the formula of {figure} has no value: {source}")]
    Formula {
        /// The line.
        line: usize,
        /// The figure.
        figure: String,
        /// Why.
        source: FormulaError,
    },
    /// It is signed, and a figure is not what its formula gives.
    #[error("line {line}: {mismatch}")]
    DoesNotAddUp {
        /// The line.
        line: usize,
        /// The figure.
        mismatch: Mismatch,
    },
}

/// A figure that is not what its formula gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{figure} is stated as {} and comes to {}", shown(*.stated), shown(*.recomputed))]
pub struct Mismatch {
    /// Its name.
    pub figure: String,
    /// What the receipt states.
    pub stated: Option<i64>,
    /// What its formula gives.
    pub recomputed: Option<i64>,
}

fn shown(value: Option<i64>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

impl ReceiptError {
    /// The line that it names; `None` where the file as a whole is at fault.
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::TooLarge { .. } => None,
            Self::NotUtf8 { line }
            | Self::Seal { line, .. }
            | Self::ForeignKey { line, .. }
            | Self::Changed { line, .. }
            | Self::SealChanged { line, .. }
            | Self::Signature { line }
            | Self::Malformed { line, .. }
            | Self::NotCanonical { line, .. }
            | Self::Formula { line, .. }
            | Self::DoesNotAddUp { line, .. } => Some(*line),
        }
    }
}

/// The error in the reader's language.
pub fn describe(lang: Lang, error: &ReceiptError) -> String {
    let mut args: Vec<(&str, Value<'_>)> = Vec::new();
    if let Some(line) = error.line() {
        args.push(("line", line.to_string().into()));
    }
    let differs = |mismatch: &Mismatch| {
        let args = [
            ("figure", Value::from(mismatch.figure.clone())),
            ("stated", shown(mismatch.stated).into()),
            ("recomputed", shown(mismatch.recomputed).into()),
        ];
        text(lang, "receipt-mismatch", &args)
    };
    let id = match error {
        ReceiptError::TooLarge { bytes, max } => {
            args.extend([("bytes", bytes.to_string().into()), ("max", max.to_string().into())]);
            "receipt-too-large"
        }
        ReceiptError::NotUtf8 { .. } => "receipt-not-utf8",
        ReceiptError::Seal { field, .. } => {
            args.push(("field", field.as_str().into()));
            "receipt-no-seal"
        }
        ReceiptError::ForeignKey { stated, pinned, .. } => {
            args.extend([("stated", stated.as_str().into()), ("pinned", pinned.as_str().into())]);
            "receipt-foreign-key"
        }
        ReceiptError::Changed { field, mismatch, .. } => {
            args.push(("field", field.as_str().into()));
            match mismatch {
                None => "receipt-changed",
                Some(mismatch) => {
                    args.push(("mismatch", differs(mismatch).into()));
                    "receipt-changed-figure"
                }
            }
        }
        ReceiptError::SealChanged { field, .. } => {
            args.push(("field", field.as_str().into()));
            "receipt-seal-changed"
        }
        ReceiptError::Signature { .. } => "receipt-signature",
        ReceiptError::Malformed { problem, .. } => {
            args.push(("problem", problem.as_str().into()));
            "receipt-malformed"
        }
        ReceiptError::NotCanonical { field, .. } => {
            args.push(("field", field.as_str().into()));
            "receipt-not-canonical"
        }
        ReceiptError::Formula { figure, source, .. } => {
            args.extend([("figure", figure.as_str().into()), ("formula", source.to_string().into())]);
            "receipt-formula"
        }
        ReceiptError::DoesNotAddUp { mismatch, .. } => {
            args.push(("mismatch", differs(mismatch).into()));
            "receipt-does-not-add-up"
        }
    };
    text(lang, id, &args)
}
