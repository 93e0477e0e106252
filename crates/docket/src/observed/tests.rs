use proptest::prelude::*;

use super::*;

fn cof_of(text: &str) -> (Vec<cof::Seen>, Result<Taken, FileFault>) {
    let mut seen = Vec::new();
    let taken = cof::read("a.cof", text.as_bytes(), |one| seen.push(one));
    (seen, taken)
}

#[test]
fn a_record_of_passive_dns_says_what_pointed_where_and_when() {
    let text = r#"# from a sensor
{"count":12,"time_first":1514764800,"time_last":1546300800,"rrname":"Login.harbour.example.","rrtype":"A","rdata":["192.0.2.7","::ffff:192.0.2.8"]}
{"rrname":"harbour.example","rrtype":"MX","rdata":"10 mail.harbour.example.","zone_time_first":1514764800,"zone_time_last":1514764900}
{"rrname":"_dmarc.harbour.example","rrtype":"TXT","rdata":"x","time_first":1,"time_last":2}
{"rrname":"harbour.example","rrtype":2,"rdata":"ns1.host.example"}
"#;
    let (seen, taken) = cof_of(text);
    assert_eq!(taken, Ok(Taken { records: 4, passed_over: 1 }));
    assert_eq!(seen[0].name.as_str(), "login.harbour.example");
    let address = |text: &str| cof::Data::Address(text.parse().unwrap());
    assert_eq!(seen[0].data, [address("192.0.2.7"), address("192.0.2.8")]);
    assert_eq!(seen[0].first.unwrap().to_string(), "2018-01-01T00:00:00Z");
    assert_eq!(
        seen[1].data[0].target().map(|(kind, host)| (kind, host.as_str())),
        Some(("MX", "mail.harbour.example"))
    );
    assert_eq!((seen[2].line, seen[2].data[0].target().unwrap().0), (5, "NS"));
}

#[test]
fn a_long_type_with_many_data_costs_what_its_line_costs() {
    let half = RECORD_OCTETS_MAX / 2 - 100;
    let data = vec!["\"\""; half / 3].join(",");
    let (seen, taken) =
        cof_of(&format!(r#"{{"rrname":"a.example","rrtype":"{}","rdata":[{data}]}}"#, "x".repeat(half)));
    assert_eq!((seen.len(), taken), (0, Ok(Taken { records: 1, passed_over: 1 })));
}

#[test]
fn a_fault_says_file_and_line() {
    let (_, taken) = cof_of("{\"rrname\":\"a.example\",\"rrtype\":\"A\",\"rdata\":\"192.0.2.1\"}\n{\"rrname\":5}\n");
    assert!(taken.unwrap_err().to_string().starts_with("a.cof:2: no passive DNS record"));
    let long = format!("\n{}\n", "x".repeat(RECORD_OCTETS_MAX + 1));
    assert_eq!(cof_of(&long).1.unwrap_err().line, Some(2));
    let fault = cof::read("a.cof", b"{}\n\xff", |_| {}).unwrap_err();
    assert_eq!((fault.line, &*fault.what), (Some(2), "not UTF-8 text"));
    let fault =
        rdap::read("r.json", b"{\"ldhName\":\"a.example\",\"objectClassName\":\"domain\"}\n{\"ldhName\"\n", |_| {});
    assert_eq!(fault.unwrap_err().file, "r.json");
    assert!(ct::read("c.json", b"[\n{\"id\":1}\n]", |_| {}).unwrap_err().line >= Some(2));
}

#[test]
fn registration_data_is_read_bare_listed_or_with_its_question() {
    let text = r#"[{"objectClassName":"domain","ldhName":"HARBOUR.example","status":["client hold"],
      "events":[{"eventAction":"registration","eventDate":"2018-11-03T10:11:12Z"}],
      "nameservers":[{"ldhName":"ns1.host.example"}],
      "entities":[{"roles":["registrar"],"vcardArray":["vcard",[["fn",{},"text","Example Registrar"]]]},
                  {"roles":["registrant"],"handle":"H-1","vcardArray":["vcard",[["email",{},"text","who@mail.example"],["org",{},"text","REDACTED FOR PRIVACY"]]]}]}]
{"query":"free.example","answer":{"errorCode":404,"title":"Not Found"}}
{"objectClassName":"entity","handle":"X"}"#;
    let mut all = Vec::new();
    let taken = rdap::read("r.json", text.as_bytes(), |one| all.push(one)).unwrap();
    assert_eq!(taken, Taken { records: 3, passed_over: 1 });
    assert_eq!(all[0].registrar.as_deref(), Some("Example Registrar"));
    assert_eq!(all[0].registrants, ["who@mail.example", "H-1"]);
    assert_eq!(all[0].registered.unwrap().to_string(), "2018-11-03T10:11:12Z");
    assert_eq!((all[1].name.as_str(), all[1].is_unknown), ("free.example", true));
}

#[test]
fn a_certificate_is_one_whether_logged_before_or_after_it_was_made() {
    let text = r#"[{"issuer_ca_id":7,"name_value":"*.harbour.example\nport.example\nwho@mail.example","common_name":"harbour.example","id":1,"serial_number":"0a"},
                   {"issuer_ca_id":7,"name_value":"harbour.example","common_name":null,"id":2,"serial_number":"0a"}]"#;
    let mut all = Vec::new();
    ct::read("c.json", text.as_bytes(), |one| all.push(one)).unwrap();
    assert_eq!(all[0].id, all[1].id);
    let names: Vec<&str> = all[0].names.iter().map(model::DomainName::as_str).collect();
    assert_eq!(names, ["harbour.example", "port.example"]);
}

proptest! {
    #[test]
    fn no_octets_make_a_reader_panic(octets in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = cof::read("x", &octets, |_| {});
        let _ = rdap::read("x", &octets, |_| {});
        let _ = ct::read("x", &octets, |_| {});
        let _ = std::str::from_utf8(&octets).map(rows::fields);
    }

    /// Values of the right shape with wrong contents.
    #[test]
    fn no_answer_makes_a_reader_panic(name in "\\PC{0,30}", time in any::<i64>(), kind in "[A-Z]{0,5}", data in "\\PC{0,30}") {
        let row = serde_json::json!({ "rrname": name, "rrtype": kind, "rdata": data, "time_first": time, "time_last": time });
        cof::read("x", row.to_string().as_bytes(), |_| {}).unwrap();
        let answer = serde_json::json!({ "query": name, "answer": { "objectClassName": "domain", "events": [{ "eventAction": "registration", "eventDate": data }], "entities": [{ "roles": ["registrant"], "vcardArray": ["vcard", [[kind, {}, "text", data], ["email"]]] }] } });
        rdap::read("x", answer.to_string().as_bytes(), |_| {}).unwrap();
        let entry = serde_json::json!([{ "name_value": name, "common_name": data, "id": time.unsigned_abs(), "serial_number": kind }]);
        ct::read("x", entry.to_string().as_bytes(), |_| {}).unwrap();
    }
}
