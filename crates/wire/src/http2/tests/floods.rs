//! Every limit is reached, and the machine stays small while it is.

use super::*;

/// Says it again and again, and returns what came of it; the machine must be over before the end.
fn flood(said: impl Iterator<Item = Said>) -> Talk {
    let mut talk = Talk::new(Limits::default());
    talk.hear(Duration::ZERO, &Said::hello().0);
    for part in said {
        talk.hear(Duration::ZERO, &part.0);
        stays_small(&talk.http);
        if talk.told.last().is_some_and(|line| line == "close") {
            return talk;
        }
    }
    panic!("the flood was let through: {:?}", talk.told.last());
}

/// What a machine holds between two pieces of input.
fn stays_small(http: &Http2) {
    let limits = http.limits;
    assert!(http.pending.len() < frames::FRAME_HEAD + FRAME_OCTETS_MAX);
    assert!(http.block.as_ref().is_none_or(|block| block.octets.len() <= limits.head_octets_max));
    assert!(http.streams.len() <= STREAMS_MAX && http.streams.head_octets() <= OPEN_HEADS_OCTETS_MAX);
    assert!(http.held.octets <= HELD_OCTETS_MAX);
    assert!(http.loose.len() <= Oddity::ALL.len() && http.queue.is_empty());
}

fn ends_with(talk: &Talk, oddity: &str) {
    assert!(talk.told.iter().any(|line| line.contains(&format!("!{oddity}"))), "{oddity}: {:?}", talk.told.last());
    assert_eq!(talk.answers().last().unwrap(), "goaway 11", "{oddity}");
}

fn streams() -> impl Iterator<Item = u32> {
    (1..20_001).step_by(2)
}

#[test]
fn rapid_resets_end() {
    let talk = flood(streams().map(|id| Said::default().post(id, &[]).reset(id)));
    ends_with(&talk, "h2.reset-flood");
    assert!(talk.told.len() < 220, "{}", talk.told.len());
    ends_with(&flood(streams().map(|id| Said::default().get(id).reset(id))), "h2.reset-flood");
    // Resets that we are provoked to send count as well (CVE-2025-8671).
    let talk = flood(streams().map(|id| Said::default().post(id, &[]).window(id, 0)));
    ends_with(&talk, "h2.reset-flood");
}

#[test]
fn frames_that_bring_nothing_end() {
    let many = || (0..2000).map(|_| Said::default());
    for (name, talk) in [
        ("ping", flood(many().map(|it| it.frame(frames::PING, 0, 0, b"12345678")))),
        ("settings", flood(many().map(|it| it.frame(frames::SETTINGS, 0, 0, &[])))),
        ("priority", flood(many().map(|it| it.frame(frames::PRIORITY, 0, 3, &[0; 5])))),
        ("windows", flood(many().map(|it| it.window(0, 1)))),
        ("unknown", flood(many().map(|it| it.frame(99, 0, 0, &[])))),
        ("data", flood(std::iter::once(Said::default().post(1, &[])).chain(many().map(|it| it.data(1, false, b""))))),
    ] {
        ends_with(&talk, "h2.control-flood");
        assert!(talk.sent.len() < 20_000, "{name}: {}", talk.sent.len());
    }
}

#[test]
fn a_ping_a_second_is_no_flood() {
    let mut talk = Talk::new(Limits::default());
    talk.hear(Duration::ZERO, &Said::hello().0);
    for second in 0..5000 {
        talk.hear(Duration::from_secs(second), &Said::default().frame(frames::PING, 0, 0, b"12345678").0);
    }
    assert!(talk.told.is_empty());
}

#[test]
fn continuations_end() {
    let head = || Said::default().frame(frames::HEADERS, frames::END_STREAM, 1, &block(GET));
    let empty = (0..100).map(|_| Said::default().frame(frames::CONTINUATION, 0, 1, b""));
    let talk = flood(std::iter::once(head()).chain(empty));
    ends_with(&talk, "h2.continuation-flood");
    assert!(talk.told[0].starts_with("1: GET / host=a.example bad"), "{:?}", talk.told);
    assert!(talk.answers().len() < 5);

    let mut field = vec![0, 1, b'x', 0x7f, 0x81, 0x7d];
    field.extend(vec![b'y'; 16_128]);
    let long = (0..100).map(|_| Said::default().frame(frames::CONTINUATION, 0, 1, &field));
    ends_with(&flood(std::iter::once(head()).chain(long)), "h2.continuation-flood");
}

#[test]
fn a_head_that_unfolds_ends() {
    let mut bomb = block(GET);
    bomb.extend([0x40, 1, b'a', 0x7f, 0xa1, 0x1e]);
    bomb.extend(vec![b'x'; 4000]);
    bomb.extend(vec![0xbe; 12_000]);
    let said = Said::default().frame(frames::HEADERS, frames::END_HEADERS | frames::END_STREAM, 1, &bomb);
    let talk = flood(std::iter::once(said));
    assert!(talk.told[0].contains("!http.head-too-long"), "{:?}", talk.told);
    assert!(talk.kept.len() < 70_000);
    let many = vec![("x", "y"); 200];
    let talk = flood(std::iter::once(Said::default().headers(1, true, &[GET, &many].concat())));
    assert!(talk.told[0].contains("!http.too-many-headers"), "{:?}", talk.told);
}

#[test]
fn a_hundred_streams_and_no_more() {
    let said = streams().take(STREAMS_MAX + 1).fold(Said::hello(), |said, id| said.post(id, &[]));
    let talk = talk(Limits::default(), &said);
    let last = talk.told.iter().find(|line| line.starts_with("201: ")).unwrap();
    assert!(last.contains("!h2.too-many-streams"), "{last}");
    assert!(talk.answers().contains(&"reset 201 7".to_owned()));
    assert!(!talk.answers().contains(&"reset 199 7".to_owned()));
}

#[test]
fn more_streams_than_we_take_end_at_last() {
    // A client that does not know yet what we take may send a thousand; one that goes on means harm.
    let talk = flood(streams().map(|id| Said::default().post(id, &[])));
    ends_with(&talk, "h2.control-flood");
    let refused = talk.answers().iter().filter(|it| it.ends_with(" 7")).count();
    assert_eq!(refused, 1000);
}

#[test]
fn long_heads_of_open_requests_have_a_limit() {
    let mut talk = Talk::new(Limits::default());
    talk.hear(Duration::ZERO, &Said::hello().0);
    let long = "x".repeat(15_000);
    streams().take(20).for_each(|id| talk.hear(Duration::ZERO, &Said::default().post(id, &[("x-long", &long)]).0));
    let refused = talk.told.iter().filter(|line| line.contains("!h2.too-many-streams")).count();
    assert_eq!(refused, 20 - OPEN_HEADS_OCTETS_MAX / 15_100, "{:?}", talk.told.last());
}

#[test]
fn bodies_are_granted_what_is_dropped_and_cut_at_the_limit() {
    let limits = Limits { body_octets_max: 100_000, ..Limits::default() };
    let piece = vec![b'x'; 16_000];
    let said = (0..8).fold(Said::hello().post(1, &[]), |said, at| said.data(1, at == 7, &piece));
    let talk = talk(limits, &said);
    assert_eq!(talk.told[1], "1. 112000 octets cut [] !http.body-too-long".replace(" !", ", goes on !"));
    let answers = talk.answers();
    assert_eq!(answers.iter().filter(|it| *it == "window 1").count(), 2, "{answers:?}");
    assert!(answers.contains(&"reset 1 0".to_owned()), "it is told to stop: {answers:?}");
    // What the window does not allow is a breach.
    let said = (0..5).fold(Said::hello().post(1, &[]).post(3, &[]), |said, _| said.data(3, false, &piece));
    assert!(talk_sends(&said, "goaway 0"));
}

fn talk_sends(said: &Said, answer: &str) -> bool {
    talk(Limits::default(), said).answers().contains(&answer.to_owned())
}

//----------- Windows ----------------------------------------------------------------------------------------------

/// A client whose streams have no window.
fn closed_windows() -> Said {
    Said::hello().frame(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])
}

fn page_of(octets: usize, http: &mut Http2, stream: u32) {
    assert!(http.respond(stream, 200, &[], &vec![b'p'; octets]) > octets as u64);
}

fn heard(said: &Said) -> (Http2, Vec<u32>) {
    let mut http = Http2::new(Limits::default());
    http.on_bytes(Duration::ZERO, &said.0);
    let mut ended = Vec::new();
    while let Some(output) = http.poll(Duration::ZERO) {
        if let Output::Observe(Seen::End { stream, .. }) = output {
            ended.push(stream);
        }
    }
    (http, ended)
}

#[test]
fn equal_pages_wait_as_one_and_others_have_a_limit() {
    let said = streams().take(STREAMS_MAX).fold(closed_windows(), Said::get);
    let (mut http, ended) = heard(&said);
    ended.iter().for_each(|stream| page_of(100_000, &mut http, *stream));
    let mut outputs = std::iter::from_fn(|| http.poll(Duration::ZERO));
    assert!(!outputs.any(|output| matches!(output, Output::Close)), "a hundred times the same page");

    let (mut http, ended) = heard(&said);
    ended.iter().for_each(|stream| {
        http.respond(*stream, 200, &[], &vec![b'p'; 20_000 + *stream as usize]);
    });
    let mut outputs = std::iter::from_fn(|| http.poll(Duration::ZERO));
    assert!(outputs.any(|output| matches!(output, Output::Close)), "thirteen different pages");
}

#[test]
fn a_page_follows_as_the_window_opens() {
    let (mut http, _) = heard(&closed_windows().get(1));
    page_of(40_000, &mut http, 1);
    let mut talk = Talk { http, told: Vec::new(), sent: Vec::new(), kept: Vec::new() };
    talk.drain(Duration::ZERO);
    talk.hear(Duration::ZERO, &Said::default().window(1, 10).window(1, 20_000).0);
    talk.hear(Duration::ZERO, &Said::default().frame(frames::SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]).0);
    let answers = talk.answers();
    assert_eq!(
        answers,
        ["headers 1", "data 1 10", "data 1 16384", "data 1 3616", "ack", "data 1 16384", "data 1 3606"]
    );
    assert!(!talk.http.is_busy());
}

#[test]
fn a_window_of_single_octets_ends() {
    let (mut http, _) = heard(&closed_windows().get(1));
    page_of(40_000, &mut http, 1);
    let mut talk = Talk { http, told: Vec::new(), sent: Vec::new(), kept: Vec::new() };
    (0..2000).for_each(|_| talk.hear(Duration::ZERO, &Said::default().window(1, 1).0));
    ends_with(&talk, "h2.control-flood");
    // A small one is served: forty pages of a hundred pieces each are four thousand updates.
    let (mut http, ended) = heard(&streams().take(40).fold(closed_windows(), Said::get));
    ended.iter().for_each(|stream| page_of(40_000, &mut http, *stream));
    let mut talk = Talk { http, told: Vec::new(), sent: Vec::new(), kept: Vec::new() };
    for stream in ended {
        (0..101).for_each(|_| talk.hear(Duration::ZERO, &Said::default().window(0, 400).window(stream, 400).0));
    }
    assert!(!talk.http.is_busy() && talk.told.is_empty(), "{:?}", talk.told);
}

#[test]
fn an_idle_connection_is_small() {
    assert!(size_of::<Http2>() <= 640, "{}", size_of::<Http2>());
}
