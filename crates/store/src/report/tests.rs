//! What reports ask, in both dialects. What they answer is compared in `archive::query::tests::reports`.

use super::*;

fn wish() -> Wish {
    Wish {
        since: Some("2019-03-27T00:00:00Z".parse().unwrap()),
        until: Some("2019-03-29T12:00:00.5Z".parse().unwrap()),
        case: CaseId::parse("c-1").ok(),
        source: Some("::ffff:203.0.113.7".parse().unwrap()),
        ..Wish::default()
    }
}

#[test]
fn every_report_in_both_dialects() {
    for name in ReportName::ALL {
        let report = name.of(&wish()).unwrap();
        let both = format!(
            "{}\n\n-- ClickHouse\n\n{}",
            report.to_sql(Dialect::DataFusion),
            report.to_sql(Dialect::ClickHouse)
        );
        insta::assert_snapshot!(name.as_str(), both);
    }
    let by_hour = Wish { by: Interval::Hour, ..Wish::default() };
    let hours = ReportName::Timeline.of(&by_hour).unwrap();
    insta::assert_snapshot!("timeline-by-hour", hours.to_sql(Dialect::DataFusion));
    let withheld = ReportName::Victims.withheld(&wish()).unwrap();
    insta::assert_snapshot!("victims-withheld", withheld.to_sql(Dialect::ClickHouse));
}

#[test]
fn a_history_has_a_source_and_a_name_is_known_or_not() {
    assert_eq!(ReportName::SourceHistory.of(&Wish::default()), None);
    for name in ReportName::ALL {
        assert_eq!(name.as_str().parse(), Ok(name));
    }
    assert!("top-secrets".parse::<ReportName>().is_err());
}

#[test]
fn every_report_sorts_to_its_last_group() {
    for name in ReportName::ALL {
        let report = name.of(&wish()).unwrap();
        let sql = report.to_sql(Dialect::ClickHouse);
        let order = sql.rsplit("ORDER BY").next().unwrap();
        assert!(report.groups.iter().all(|group| order.contains(&group.column().name)), "{name}: {order}");
    }
}
