//! The figures that the program carries: price book, grid, power, partitions and exchange.
//!
//! What: `data/*.toml`, read at start where the operator's settings leave them out. Absent: the figures themselves;
//! `data/SOURCES.md` says where each is from.

use eaf_model::{CarbonProfile, ExchangeBook, PartitionBook, PowerModel, PriceBook, Settings};
use serde::de::DeserializeOwned;

/// A file that the program carries does not read; a defect of the build.
#[derive(Debug, thiserror::Error)]
#[error("the embedded {file} does not read")]
pub struct EmbeddedError {
    /// Which one.
    pub file: &'static str,
    /// What is wrong with it.
    pub source: toml::de::Error,
}

/// `settings` with the embedded figures where it has none of its own.
pub fn embedded_settings(mut settings: Settings) -> Result<Settings, EmbeddedError> {
    if settings.prices == PriceBook::default() {
        settings.prices = read("data/prices.toml", include_str!("../../../../data/prices.toml"))?;
    }
    if settings.carbon == CarbonProfile::default() {
        settings.carbon =
            read("data/carbon/kr_2021-2024.toml", include_str!("../../../../data/carbon/kr_2021-2024.toml"))?;
    }
    if settings.power == PowerModel::default() {
        settings.power = read("data/power.toml", include_str!("../../../../data/power.toml"))?;
    }
    if settings.partitions == PartitionBook::default() {
        settings.partitions = read("data/partitions.toml", include_str!("../../../../data/partitions.toml"))?;
    }
    if settings.exchange == ExchangeBook::default() {
        settings.exchange = read("data/exchange.toml", include_str!("../../../../data/exchange.toml"))?;
    }
    Ok(settings)
}

fn read<T: DeserializeOwned>(file: &'static str, text: &str) -> Result<T, EmbeddedError> {
    toml::from_str(text).map_err(|source| EmbeddedError { file, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_comes_from_the_embedded_files() {
        let filled = embedded_settings(Settings::default()).unwrap();
        assert!(!filled.prices.name.is_empty());
        assert_eq!(filled.carbon.milligrams_per_kwh.len(), 12 * 24);
        assert!(filled.power.cpu_busy_milliwatts > 0);
        assert!(filled.partitions.mode("H100", "MIG").is_some());
        assert_eq!(filled.exchange.h100_milli.get("A100-80GB"), Some(&250));

        let mut own = Settings::default();
        own.prices.name = "own".to_owned();
        assert_eq!(embedded_settings(own).unwrap().prices.name, "own");
    }
}
