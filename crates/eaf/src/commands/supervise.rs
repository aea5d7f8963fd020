//! `eaf supervise`: the process that keeps running work while the factory is away. Started by the factory itself.
//!
//! What: hands over to the engine. Absent: words for people; nobody types this verb.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_engine::local::{SuperviseConfig, supervise};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &Context) -> Result<u8, Failure> {
    let config = SuperviseConfig::new(context.data_dir());
    supervise(&config).map_err(|error| Failure::because(exit::FAILED, Say::new("fail-supervise"), &error))?;
    Ok(exit::OK)
}
