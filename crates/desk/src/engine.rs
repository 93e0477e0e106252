//! Who answers a question: ClickHouse where one is named, or the files of this data folder.

use store::archive::{QueryAnswer, Sight};
use store::clickhouse::ClickHouse;
use store::report::{Report, ReportAnswer};

use crate::api::Engine;
use crate::problem::{Told, bad_request};
use crate::run::Desk;

impl Desk {
    pub(crate) async fn report(
        &self,
        engine: Option<Engine>,
        report: &Report,
        sight: &Sight,
    ) -> Result<ReportAnswer, Told> {
        let answered = match self.engine(engine)? {
            Some(clickhouse) => clickhouse.report(report, sight).await,
            None => self.archive.report(report, sight).await,
        };
        answered.map_err(crate::reports::unanswered)
    }

    pub(crate) async fn query(&self, engine: Option<Engine>, sql: &str, sight: &Sight) -> Result<QueryAnswer, Told> {
        let answered = match self.engine(engine)? {
            Some(clickhouse) => clickhouse.query(sql, sight).await,
            None => self.archive.query_within(sql, sight).await,
        };
        answered.map_err(crate::query::told)
    }

    /// `None`: the archive's own.
    fn engine(&self, wanted: Option<Engine>) -> Result<Option<&ClickHouse>, Told> {
        let named = self.clickhouse.as_ref();
        match wanted {
            Some(Engine::Parquet) => Ok(None),
            None => Ok(named.filter(|(_, answers)| *answers).map(|(clickhouse, _)| clickhouse)),
            Some(Engine::ClickHouse) => {
                let none = || bad_request("no ClickHouse is named", "`urls` in [clickhouse] names one");
                named.map(|(clickhouse, _)| Some(clickhouse)).ok_or_else(none)
            }
        }
    }
}
