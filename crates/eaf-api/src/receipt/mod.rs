//! The receipt: what a workload held, used and cost, as a document that derives itself again.
//!
//! What: `build` makes it from facts of the journal, `sign` seals it, `verify` recomputes and checks it offline, `render`
//! shows it to people. Why text lines: every figure is one line of the file, so whatever was changed is named by its line.
//! Shape: a body of fields, attempts, tasks and figures; then a seal with the factory's public key, the SHA-256 of every
//! line of the body, and an ed25519 signature over the body. Figures are whole numbers of small units; the price is the
//! sum of its charges to the millionth of a won, and whole won are a matter of presentation.
//! Absent: where facts come from, clocks, and tax.

mod build;
mod document;
mod error;
mod formula;
pub mod keys;
mod render;
mod seal;
mod verify;

pub use build::{AttemptFacts, ReceiptFacts, TaskFacts, build};
pub use document::{
    FORMAT, Figure, FigureUnit, Input, Receipt, ReceiptAttempt, ReceiptTasks, ReceiptWorkload, Term, Unknown,
};
pub use error::{ReceiptError, describe};
pub use formula::{FormulaError, FormulaProblem};
pub use keys::{KeyPair, PublicKey};
pub use render::render;
pub use seal::sign;
pub use verify::{RECEIPT_BYTES_MAX, VerifiedReceipt, stated_key, verify};

#[cfg(test)]
mod tests;
