//! What insight labels with: the journal, the tables of networks, and the operator's settings.

use std::sync::Arc;

use insight::run::{Labels, Settings};
use insight::tables::Tables;
use store::Journal;

use crate::config::Config;
use crate::failure::{Failure, Tried};

pub(crate) fn labels(config: &Config, journal: Arc<Journal>) -> Result<Labels, Failure> {
    let tables = Tables::load(&config.insight.tables).tried("loading the tables of networks")?;
    let own = config.insight.own_addresses.iter().copied().chain(config.verify.sources()).collect();
    let settings = Settings { own, ..Default::default() };
    Ok(Labels { journal, tables: Arc::new(tables), settings, alone: Default::default() })
}
