//! A bare parse of a file of TOML, as a measure of what reading a case file costs: `cargo xtask bench gate` runs it beside
//! `bailiwick case import`. It knows nothing of cases.

use toml::de::{DeTable, DeValue};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("which file?")?;
    let text = std::fs::read_to_string(file)?;
    let root = DeTable::parse(&text).map_err(|error| error.message().to_owned())?;
    println!("{}", root.get_ref().values().map(|value| values(value.get_ref())).sum::<u64>());
    Ok(())
}

/// How many scalars there are.
fn values(value: &DeValue<'_>) -> u64 {
    match value {
        DeValue::Array(all) => all.iter().map(|one| values(one.get_ref())).sum(),
        DeValue::Table(table) => table.values().map(|one| values(one.get_ref())).sum(),
        _ => 1,
    }
}
