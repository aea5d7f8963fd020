//! The catalogue of accelerators: what the makers say of each model.
//!
//! What: a built-in file that an operator may replace, and finding a model by the names that machines use. Why every
//! figure may be absent: unknown stays unknown, and is never taken for zero. Absent: prices.

use crate::local::Vendor;
use eaf_model::{Bytes, Watts};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const BUILT_IN: &str = include_str!("../../../../data/accelerators.toml");

/// What is known of one model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueModel {
    /// The name that workloads ask for.
    pub name: String,
    /// Who makes it, for people.
    pub maker: String,
    /// Who makes it, for its runtime.
    pub vendor: Vendor,
    /// Memory of the board in billions of bytes.
    #[serde(default)]
    memory_gb: Option<u64>,
    /// The most that the board draws, in watts.
    #[serde(default)]
    max_watts: Option<u64>,
    /// What it draws when idle, in watts.
    #[serde(default)]
    idle_watts: Option<u64>,
    /// The maker's names of the ways in which it can be cut.
    #[serde(default)]
    pub partition_modes: Vec<String>,
    /// How many parts it can be cut into.
    #[serde(default)]
    pub partitions_max: Option<u32>,
    /// `vendor:device`, in hexadecimal.
    #[serde(default)]
    pub pci_ids: Vec<String>,
    /// Other names of it.
    #[serde(default)]
    pub product_names: Vec<String>,
    /// Where each figure is from.
    pub sources: BTreeMap<String, String>,
}

impl CatalogueModel {
    /// Memory of the board.
    pub fn memory(&self) -> Option<Bytes> {
        self.memory_gb.map(|gb| Bytes(gb.saturating_mul(1_000_000_000)))
    }

    /// The most that the board draws.
    pub fn max_watts(&self) -> Option<Watts> {
        self.max_watts.map(Watts)
    }

    /// What it draws when idle.
    pub fn idle_watts(&self) -> Option<Watts> {
        self.idle_watts.map(Watts)
    }

    /// Figures that stand without a source, which a catalogue may not have.
    fn unsourced(&self) -> impl Iterator<Item = &'static str> {
        let figures = [
            ("memory_gb", self.memory_gb.is_some()),
            ("max_watts", self.max_watts.is_some()),
            ("idle_watts", self.idle_watts.is_some()),
            ("partition_modes", !self.partition_modes.is_empty() || self.partitions_max.is_some()),
            ("pci_ids", !self.pci_ids.is_empty()),
            ("product_names", !self.product_names.is_empty()),
        ];
        figures.into_iter().filter(|(name, stated)| *stated && !self.sources.contains_key(*name)).map(|(name, _)| name)
    }
}

/// The catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The models.
    #[serde(rename = "model", default)]
    pub models: Vec<CatalogueModel>,
}

/// A file that is no catalogue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// It cannot be read.
    #[error("cannot read the catalogue {}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// It is not of the form of a catalogue.
    #[error("this is no catalogue of accelerators")]
    Form(#[from] toml::de::Error),
    /// Two models have one name.
    #[error("the catalogue has the model {name} twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A figure has no source.
    #[error("the catalogue states {figure} of {name} without a source")]
    Unsourced {
        /// The model.
        name: String,
        /// The figure.
        figure: &'static str,
    },
}

impl Catalogue {
    /// The catalogue that is part of this program.
    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the built-in catalogue is tested")
    }

    /// A catalogue in a file.
    pub fn read(path: &Path) -> Result<Self, CatalogueError> {
        let text = std::fs::read_to_string(path);
        Self::parse(&text.map_err(|source| CatalogueError::Read { path: path.to_owned(), source })?)
    }

    /// A catalogue as text.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        let catalogue: Self = toml::from_str(text)?;
        let mut names = BTreeSet::new();
        for model in &catalogue.models {
            if !names.insert(&model.name) {
                return Err(CatalogueError::Twice { name: model.name.clone() });
            }
            if let Some(figure) = model.unsourced().next() {
                return Err(CatalogueError::Unsourced { name: model.name.clone(), figure });
            }
        }
        Ok(catalogue)
    }

    /// The model of this name, in any case.
    pub fn model(&self, name: &str) -> Option<&CatalogueModel> {
        self.models.iter().find(|model| model.name.eq_ignore_ascii_case(name))
    }

    /// The model of a product, as a machine names it: one of the words is a name of the model.
    pub fn of_product(&self, product: &str) -> Option<&CatalogueModel> {
        let words: Vec<&str> = product.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        let named = |name: &String| words.iter().any(|word| word.eq_ignore_ascii_case(name));
        self.models.iter().find(|model| named(&model.name) || model.product_names.iter().any(named))
    }

    /// The model of a PCI device.
    pub fn of_pci(&self, vendor: u64, device: u64) -> Option<&CatalogueModel> {
        let id = format!("{vendor:04x}:{device:04x}");
        self.models.iter().find(|model| model.pci_ids.contains(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(product: &str, expect: Option<&str>) {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.of_product(product).map(|model| model.name.as_str()), expect, "{product}");
    }

    #[test]
    fn products_are_found_by_the_names_that_machines_use() {
        check("AMD Instinct MI300X", Some("MI300X"));
        check("AMD Instinct MI300X VF", Some("MI300X"));
        check("NVIDIA H100 80GB HBM3", Some("H100"));
        check("NVIDIA H200", Some("H200"));
        check("NVIDIA GH200 480GB", None);
        check("RBLN-CA25", Some("ATOM-Max"));
        check("NVIDIA A100-SXM4-40GB", None);
        assert_eq!(Catalogue::built_in().of_pci(0x1002, 0x75a3).map(|model| model.name.as_str()), Some("MI355X"));
    }

    #[test]
    fn figures_are_the_makers_and_unknown_stays_unknown() {
        let catalogue = Catalogue::built_in();
        let figures =
            |name: &str| catalogue.model(name).map(|m| (m.memory().map(|b| b.0 / 1_000_000_000), m.max_watts()));
        assert_eq!(figures("mi355x"), Some((Some(288), Some(Watts(1_400)))));
        assert_eq!(figures("RNGD"), Some((Some(48), Some(Watts(180)))));
        assert_eq!(figures("REBEL"), Some((Some(144), None)));
        assert_eq!(figures("ATOM-Max"), Some((None, None)));
        assert_eq!(catalogue.models.len(), 9);
    }

    #[test]
    fn a_bad_catalogue_is_refused_with_what_is_wrong() {
        let model = "[[model]]\nname = \"A\"\nmaker = \"M\"\nvendor = \"amd\"\n";
        let check = |text: String, expect: &str| {
            let error = Catalogue::parse(&text).expect_err("refused").to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(format!("{model}[model.sources]\n{model}[model.sources]\n"), "twice");
        check(format!("{model}max_watts = 5\n[model.sources]\n"), "max_watts of A without a source");
        check(format!("{model}watts = 5\n[model.sources]\n"), "no catalogue");
    }
}
