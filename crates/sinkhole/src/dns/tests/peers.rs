//! What dig and kdig see. `cargo xtask test` runs it; by itself `cargo test` needs no peer.

use std::net::SocketAddr;
use std::process::Command;

use crate::rehearsal::{Stage, collected, settings};

/// What a client prints, one line per line that says something.
fn run(client: &str, server: SocketAddr, arguments: &str) -> String {
    let mut command = Command::new(client);
    command.args(["@127.0.0.1", "-p", &server.port().to_string()]);
    if client == "dig" {
        command.args(["+tries=1", "+time=5", "+noall", "+comments", "+question", "+answer", "+authority"]);
    }
    let output = command.args(arguments.split_whitespace()).output().expect("the client is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    println!("$ {client} {arguments}\n{text}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs dig and kdig: cargo xtask test"]
async fn dig_and_kdig_see_what_the_rfcs_promise() {
    let stage = Stage::new(vec![collected("evil.test")], settings());
    let (running, udp, tcp) = stage.start_dns();
    let soa = "evil.test. 300 IN SOA ns1.sinkhole.example. hostmaster.ns1.sinkhole.example. 7 14400 3600 1209600 300";
    let nodata = ["status: NOERROR", "flags: qr aa;", "ANSWER: 0, AUTHORITY: 1", soa];
    for (client, server, arguments, expected) in [
        ("dig", udp, "evil.test A +norec", &["status: NOERROR", "flags: qr aa;", "evil.test. 300 IN A 127.0.0.1"][..]),
        ("dig", udp, "evil.test A", &["flags: qr aa rd;"]),
        ("dig", udp, "a.b.evil.test AAAA", &["a.b.evil.test. 300 IN AAAA ::1"]),
        ("dig", udp, "evil.test SOA", &["evil.test. 300 IN SOA ns1.sinkhole.example."]),
        ("dig", udp, "evil.test NS", &["IN NS ns1.sinkhole.example.", "IN NS ns2.sinkhole.example."]),
        ("dig", udp, "www.evil.test SRV +norec", &nodata),
        ("dig", udp, "evil.test TYPE65280 +norec", &nodata),
        ("dig", udp, "evil.test HTTPS +norec", &nodata),
        ("dig", udp, "evil.test DS +norec", &nodata),
        ("dig", udp, "example.com A", &["status: REFUSED", "ANSWER: 0, AUTHORITY: 0"]),
        ("dig", udp, "test NS", &["status: REFUSED", "AUTHORITY: 0"]),
        ("dig", tcp, "evil.test A +tcp", &["status: NOERROR", "IN A 127.0.0.1"]),
        ("dig", udp, "wWw.EVIL.tEst A", &["wWw.EVIL.tEst. IN A", "wWw.EVIL.tEst. 300 IN A 127.0.0.1"]),
        ("dig", udp, "evil.test MX", &["IN MX 0 ."]),
        ("dig", udp, "evil.test TXT", &[r#"IN TXT "v=spf1 -all""#]),
        ("dig", udp, "_dmarc.evil.test TXT", &[r#"IN TXT "v=DMARC1; p=reject; sp=reject; adkim=s; aspf=s""#]),
        ("dig", udp, "s1._domainkey.evil.test TXT", &[r#"IN TXT "v=DKIM1; p=""#]),
        ("dig", udp, "evil.test CAA", &[r#"IN CAA 0 issue ";""#]),
        (
            "dig",
            udp,
            "evil.test A +bufsize=512 +nsid +cookie",
            &["status: NOERROR", "EDNS: version: 0, flags:; udp: 1232"],
        ),
        ("dig", udp, "evil.test A +dnssec", &["flags: do; udp: 1232"]),
        ("dig", udp, "evil.test A +edns=1 +noednsneg", &["status: BADVERS"]),
        ("dig", udp, "evil.test A +noedns", &["ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0"]),
        ("dig", udp, "evil.test A +opcode=UPDATE", &["status: NOTIMP"]),
        ("dig", udp, "evil.test A +opcode=15", &["status: NOTIMP"]),
        ("dig", udp, "evil.test A +header-only", &["status: FORMERR"]),
        ("dig", udp, "evil.test ANY +notcp", &["ANSWER: 1,", "IN A 127.0.0.1"]),
        ("dig", udp, "version.bind TXT CH", &["status: REFUSED"]),
        ("dig", udp, "id.server TXT CH", &["status: REFUSED"]),
        ("dig", tcp, "evil.test AXFR", &["Transfer failed"]),
        ("kdig", udp, "evil.test A +nsid +cookie +bufsize=1232", &["status: NOERROR", "evil.test. 300 IN A 127.0.0.1"]),
        ("kdig", tcp, "evil.test TXT +tcp +keepopen", &[r#"TXT "v=spf1 -all""#]),
        ("kdig", udp, "evil.test TYPE65280", &["status: NOERROR", "IN SOA"]),
        ("kdig", udp, "example.com A", &["status: REFUSED"]),
    ] {
        let text = run(client, server, arguments);
        for part in expected {
            assert!(text.contains(part), "{client} {arguments}: no `{part}` in {text}");
        }
        let warned = text.replace("WARNING: recursion requested but not available", "");
        assert!(!warned.contains("WARNING"), "{client} {arguments}: {text}");
    }
    let tally = crate::rehearsal::sum(&running.stop().await);
    assert_eq!(tally.recorded, tally.offered());
    println!("{tally:?}");
}
