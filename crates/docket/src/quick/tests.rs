use super::*;

fn complete() -> Wish {
    let said = |text: &str| Some(text.to_owned());
    Wish {
        names: vec!["Login-Harbour.example".into(), "mail.harbour.example".into()],
        authority: said("own-registration"),
        contact: said("desk@harbour.example"),
        purpose: said("find who still calls; legitimate interest in network security"),
        issuer: said("Example Registrar, account \"harbour\""),
        name_servers: vec!["ns1.harbour.example".into(), "ns2.quay.example".into()],
        ..Wish::default()
    }
}

#[test]
fn a_few_names_become_a_case_with_the_least_acts() {
    let QuickCase { text, file } = case_file(&complete()).unwrap();
    assert_eq!(file.orders[0].terms.authority.instrument, Instrument::OwnRegistration);
    assert_eq!(file.lists[0].acts, Acts::default());
    assert_eq!(file.terms.group.name, "unattributed");
    insta::assert_snapshot!(text);
}

#[test]
fn what_is_missing_comes_back_as_questions() {
    let Err(NotYet::Missing(questions)) = case_file(&Wish::default()) else { panic!("everything is missing") };
    let fields: Vec<&str> = questions.iter().map(|question| question.field.as_str()).collect();
    assert_eq!(fields, ["names", "authority", "issuer", "contact", "purpose", "name_servers"]);
    let court = Wish { authority: Some("civil-tro".into()), ..complete() };
    let Err(NotYet::Missing(questions)) = case_file(&court) else { panic!("a court's order is no quick case") };
    assert_eq!(questions[0].field, "authority");
    let many = Wish { names: vec!["a.example".into(); QUICK_NAMES_MAX + 1], ..complete() };
    assert!(matches!(case_file(&many), Err(NotYet::Missing(_))));
}

#[test]
fn a_bad_name_is_a_fault_of_the_file_that_was_written() {
    let wish = Wish { names: vec!["harbour.duckdns.org".into()], ..complete() };
    let Err(NotYet::Faulty { text, faults }) = case_file(&wish) else { panic!("no registrar can redirect it") };
    assert!(casefile::render_faults(&text, "quick", &faults).contains("provider-removal"));
}

#[test]
fn the_registrar_is_told_what_to_set_and_which_ds_to_remove() {
    let file = case_file(&Wish { names: vec!["harbour.example".into()], ..complete() }).unwrap().file;
    insta::assert_snapshot!(steps_text(&registrar_steps(&file)));
}
