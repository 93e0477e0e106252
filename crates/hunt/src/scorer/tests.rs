use model::suspect::ResemblanceKind::{Brand, Homoglyph, LikeKnown, Lure, Owned, Tld, Typo};
use proptest::prelude::*;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

fn scorer() -> Scorer {
    let known = ["session-manager.info", "confirm-session-identifier.info", "verify-linkedin.net"];
    Scorer::new(&known.map(name))
}

#[test]
fn each_reason_is_found_by_itself() {
    let scorer = scorer();
    for (text, kind, what) in [
        ("outlook-verify.net", Brand, "outlook"),
        ("myoutlooking.example", Brand, "outlook, inside"),
        ("te1egram.net", Homoglyph, "te1egram for telegram"),
        ("rnicrosoft-help.example", Homoglyph, "rnicrosoft for microsoft"),
        ("xn--pple-43d.example", Homoglyph, "letters that read apple"),
        ("mircosoft-login.example", Typo, "mircosoft for microsoft"),
        ("mircosoftlogin.example", Typo, "mircosoft for microsoft"),
        ("verifiy-account.net", Typo, "verifiy for verify"),
        ("useridentity-confirm.info", Lure, "identity"),
        ("com-users.net", Lure, "com-, the end of another name"),
        ("confirm-identity.info", Lure, "such words only"),
        ("confirm-identity.info", Tld, ".info"),
        ("manager-sessions.example", LikeKnown, "session-manager[.]info (manager, session)"),
        ("session-manager.info", LikeKnown, "known already"),
        ("login.live.com", Owned, "live"),
    ] {
        let suspect = scorer.score(&name(text));
        let found = suspect.reasons.iter().any(|reason| (reason.kind, reason.what.as_str()) == (kind, what));
        assert!(found, "{text}: {:?}", suspect.reasons);
    }
}

#[test]
fn what_is_nobodys_business_scores_nothing() {
    let scorer = scorer();
    for text in
        ["example.org", "gardening.info", "login.live.com", "shopping.example", "ac.uk", "city.gov", "finance.example"]
    {
        let suspect = scorer.score(&name(text));
        assert_eq!(suspect.score, 0, "{text}: {:?}", suspect.reasons);
    }
}

#[test]
fn more_reasons_score_higher() {
    let scorer = scorer();
    let ladder = ["example.org", "support.example", "support-desk.example", "verify-support-account.info"];
    let scores = ladder.map(|text| scorer.score(&name(text)).score);
    assert!(scores.is_sorted() && scores[0] < scores[3], "{scores:?}");
}

#[test]
fn a_name_that_a_brand_owns_is_not_suspect_and_its_imitation_is() {
    let scorer = scorer();
    assert_eq!(scorer.score(&name("account.microsoft.com")).score, 0);
    assert!(scorer.score(&name("account-microsoft.com")).score >= 40);
    assert!(scorer.score(&name("microsoft.com.verify-session.info")).score >= 60);
}

proptest! {
    #[test]
    fn every_name_has_a_score_that_its_reasons_add_up_to(text in "[a-z0-9]{1,12}(-[a-z0-9]{1,12}){0,4}\\.(info|com|gov|co\\.uk)") {
        thread_local!(static SCORER: Scorer = scorer());
        let suspect = SCORER.with(|scorer| scorer.score(&name(&text)));
        let sum: i16 = suspect.reasons.iter().map(|reason| reason.points).sum();
        prop_assert_eq!(i16::from(suspect.score), sum.clamp(0, 100));
    }
}
