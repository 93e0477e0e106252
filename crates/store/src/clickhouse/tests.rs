//! What is made, and that it has the archive's columns. Whether ClickHouse takes it is seen by the suite `clickhouse`.

use model::id::CaseId;

use super::columns::type_of;
use super::ddl::SHIPPED;
use super::*;
use crate::archive::tables::Shape;

fn target(profile: Profile) -> Target {
    let server = |url: &str| Server::parse(url).unwrap();
    let shards = match profile {
        Profile::Single => vec![vec![server("http://127.0.0.1")]],
        _ => vec![vec![server("https://a.example"), server("https://b.example:1")], vec![server("http://[::1]")]],
    };
    let (database, cluster, user) = ("bailiwick".into(), "sites".into(), "bailiwick".into());
    Target { shards, profile, database, cluster, user, password: None, quorum: None }
}

fn made(profile: Profile, keep: Keep, readers: &[Reader]) -> String {
    statements(&target(profile), keep, readers).join(";\n\n") + ";\n"
}

#[test]
fn the_statements_of_every_profile() {
    let keep = Keep { days: 400, raw_days: 90 };
    let cases = vec![CaseId::parse("c-1").unwrap(), CaseId::parse("c-2").unwrap()];
    let readers = [Reader { user: "cert".into(), cases }];
    insta::assert_snapshot!("single", made(Profile::Single, Keep::default(), &[]));
    insta::assert_snapshot!("cluster", made(Profile::Cluster, keep, &readers));
    insta::assert_snapshot!("old", made(Profile::Old, keep, &[]));
}

/// The lines between the brackets of a table's statement.
fn columns_made(profile: Profile, table: &str) -> Vec<String> {
    let begins = format!("CREATE TABLE IF NOT EXISTS {}", target(profile).local(table));
    let all = statements(&target(profile), Keep::default(), &[]);
    let made = all.iter().find(|sql| sql.starts_with(&begins) && sql.contains("ORDER BY")).expect("it is made");
    let lines = made.lines().skip_while(|line| *line != "(").skip(1).take_while(|line| *line != ")");
    lines.map(|line| line.trim().trim_end_matches(',').to_owned()).collect()
}

#[test]
fn every_table_has_the_columns_of_its_files_in_their_order() {
    for profile in Profile::ALL {
        for table in SHIPPED {
            let schema = Shape::named(table).unwrap().schema;
            let made = columns_made(profile, table);
            let expected: Vec<String> =
                schema.fields().iter().map(|field| format!("{} {}", field.name(), type_of(field, profile))).collect();
            assert!(made.len() > expected.len(), "and the day");
            for (made, expected) in made.iter().zip(&expected) {
                let plain = made.split(" CODEC(").next().unwrap();
                assert_eq!(plain, expected, "{profile} {table}");
            }
        }
    }
}

#[test]
fn the_views_have_the_columns_that_the_archives_have() {
    let sightings = include_str!("../archive/query/sightings.sql");
    let all = statements(&target(Profile::Cluster), Keep::default(), &[]);
    let made = all.iter().find(|sql| sql.contains("bailiwick.sightings")).unwrap();
    for (prefix, ours) in [("outcomes.", "last_"), ("verdicts.", "last_")] {
        let words = sightings.split(|letter: char| !(letter.is_alphanumeric() || "._".contains(letter)));
        for name in
            words.filter_map(|word| word.strip_prefix(prefix)).filter(|name| *name != "contact_id" && *name != "nth")
        {
            assert!(made.contains(&format!("{ours}{name}")), "{prefix}{name} is missing");
        }
    }
    for field in Shape::named("contacts").unwrap().schema.fields() {
        assert!(made.contains(&format!("c.{0} AS {0}", field.name())));
    }
    for roll_up in ["daily_names", "daily_sources"] {
        let made =
            all.iter().find(|sql| sql.starts_with(&format!("CREATE VIEW IF NOT EXISTS bailiwick.{roll_up} "))).unwrap();
        for field in Shape::named(roll_up).unwrap().schema.fields() {
            assert!(made.contains(field.name().as_str()), "{roll_up} {}", field.name());
        }
    }
}

#[test]
fn what_a_statement_makes_can_be_looked_for() {
    let all = statements(&target(Profile::Cluster), Keep::default(), &[]);
    let made: Vec<&str> = all.iter().filter_map(|statement| made_by(statement)).collect();
    assert_eq!(made.len(), all.len() - 1, "all but the database: {made:?}");
    assert!(made.contains(&"contacts_local") && made.contains(&"sightings") && made.contains(&"daily_counting_local"));
}

#[test]
fn an_old_server_hears_of_nothing_that_it_does_not_know() {
    let made = made(Profile::Old, Keep { days: 1, raw_days: 1 }, &[]);
    for unknown in ["DateTime64", "CODEC", "TTL", "LowCardinality", "Bool", "IPv6", "allow_nullable_key", "INDEX"] {
        assert!(!made.contains(unknown), "{unknown}");
    }
}

#[test]
fn what_cannot_stand_in_a_statement_is_no_target() {
    for (url, is_one) in [
        ("http://ch.example", true),
        ("https://ch.example:8443/", true),
        ("http://[2001:db8::1]:8123", true),
        ("ch.example:8123", false),
        ("http://user:secret@ch.example", false),
        ("http://ch.example/play", false),
        ("http://ch.example?database=x", false),
        ("http://ch.example:99999", false),
        ("http://[::1", false),
        ("http://[::1]x", false),
        ("http://", false),
    ] {
        assert_eq!(Server::parse(url).is_ok(), is_one, "{url}");
    }
    assert_eq!(Server::parse("https://A.example").unwrap().to_string(), "https://a.example:8443");
    assert!(target(Profile::Cluster).check().is_ok());
    let broken: [fn(&mut Target); 7] = [
        |target| target.database = "a b".into(),
        |target| target.cluster = "x; DROP".into(),
        |target| target.user = String::new(),
        |target| target.quorum = Some(2),
        |target| target.shards.clear(),
        |target| target.shards.push(Vec::new()),
        |target| target.profile = Profile::Single,
    ];
    for spoil in broken {
        let mut target = target(Profile::Cluster);
        spoil(&mut target);
        assert!(target.check().is_err(), "{target:?}");
    }
}

#[test]
fn a_quorum_is_the_majority_unless_somebody_says_otherwise() {
    let mut of = target(Profile::Cluster);
    assert_eq!((of.quorum_of(0), of.quorum_of(1)), (Some(2), None));
    of.quorum = Some(1);
    assert_eq!(of.quorum_of(0), None);
    assert_eq!(target(Profile::Single).quorum_of(0), None);
}
