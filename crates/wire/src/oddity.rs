//! What was odd about what a peer sent over HTTP, TLS or SMTP, or in front of them, as stable codes.
//!
//! Malformed traffic is evidence, and its exact malformation is a signature of the program that sent it. A code never
//! changes its meaning: stored contacts and rules speak of it. (DNS keeps its own set in [`crate::dns`], as bits.)

macro_rules! oddities {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// One oddity.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Oddity { $($(#[$doc])* $name,)* }

        impl Oddity {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code under which contacts and rules know it.
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

oddities! {
    //----- The head of a request (RFC 9112, 2 to 5)

    /// A line ended by LF alone.
    BareLf = "http.bare-lf",
    /// A CR that no LF follows.
    BareCr = "http.bare-cr",
    /// Empty lines before the request line.
    BlankFirst = "http.blank-first",
    /// A control byte, NUL among them, within a line.
    ControlByte = "http.control-byte",
    /// The first line is no request line; only its shape is kept.
    NotHttp = "http.not-http",
    /// A method that no registry knows.
    Method = "http.method",
    /// White space within the request target.
    TargetSpace = "http.target-space",
    /// A target in none of the four forms.
    TargetForm = "http.target-form",
    /// A target with scheme and host, as proxies get it: recorded, never followed.
    AbsoluteForm = "http.absolute-form",
    /// CONNECT, or a target that is host and port: recorded, never followed.
    AuthorityForm = "http.authority-form",
    /// A version that is neither 0.9, 1.0 nor 1.1.
    Version = "http.version",
    /// HTTP/2 by prior knowledge.
    Http2Preface = "http.h2-preface",
    /// HTTP/1.1 without a Host header.
    MissingHost = "http.missing-host",
    RepeatedHost = "http.repeated-host",
    /// A header continued on the next line.
    ObsFold = "http.obs-fold",
    /// White space between a header's name and its colon.
    SpaceBeforeColon = "http.space-before-colon",
    NoColon = "http.no-colon",
    /// A header name of characters that no name has.
    HeaderName = "http.header-name",
    TooManyHeaders = "http.too-many-headers",
    /// The head is longer than what is read of one.
    HeadTooLong = "http.head-too-long",
    /// The connection ended, or time did, within a head.
    HeadIncomplete = "http.head-incomplete",
    /// The parser refused the head for a reason that has no code of its own.
    HeadGarbage = "http.head-garbage",
    /// The client asks for another protocol on this connection.
    Upgrade = "http.upgrade",
    /// An expectation other than 100-continue.
    Expectation = "http.expectation",

    //----- The body (RFC 9112, 6 and 7)

    /// Content-Length and Transfer-Encoding together: how requests are smuggled.
    LengthAndEncoding = "http.length-and-encoding",
    /// A Content-Length that is no number.
    Length = "http.length",
    /// More than one Content-Length.
    LengthRepeated = "http.length-repeated",
    /// A transfer coding other than chunked, or chunked that is not the last.
    Encoding = "http.transfer-encoding",
    /// Chunked in a version that does not know it.
    EncodingVersion = "http.transfer-encoding-version",
    /// A chunk that is none.
    Chunk = "http.chunk",
    /// The trailers are longer than what is read of them.
    TrailersTooLong = "http.trailers-too-long",
    /// The connection ended, or time did, within a body.
    BodyIncomplete = "http.body-incomplete",
    /// The body is longer than what is read of one.
    BodyTooLong = "http.body-too-long",

    //----- HTTP/2 (RFC 9113; the sections are its own)

    /// The connection does not begin as HTTP/2 does (3.4).
    H2Preface = "h2.preface",
    /// The first frame is no SETTINGS (3.4).
    H2NoSettings = "h2.no-settings",
    /// A frame longer than we take, or of a length that its type does not have (4.2).
    H2FrameSize = "h2.frame-size",
    /// A frame on a stream that its type does not go with, the connection's own among them (6).
    H2FrameStream = "h2.frame-stream",
    /// A server's frame: PUSH_PROMISE, or an answer's push (8.4).
    H2Push = "h2.push-promise",
    /// Padding as long as what it pads (6.1).
    H2Padding = "h2.padding",
    /// A setting outside its range (6.5.2).
    H2Setting = "h2.setting",
    /// A stream that the client may not open: even, or not above those before (5.1.1).
    H2StreamId = "h2.stream-id",
    /// A frame on a stream that is not open yet (5.1).
    H2Idle = "h2.idle-stream",
    /// A frame on a stream that is closed, or half closed by its sender (5.1).
    H2Closed = "h2.closed-stream",
    /// More streams at once than we said that we take (5.1.2).
    H2TooManyStreams = "h2.too-many-streams",
    /// A window raised by nothing (6.9).
    H2WindowZero = "h2.window-zero",
    /// A window raised above 2^31-1 (6.9.1).
    H2WindowOverflow = "h2.window-overflow",
    /// More octets than our window allowed (6.9).
    H2FlowControl = "h2.flow-control",
    /// Answers that wait because the peer opens no window: more than we hold.
    H2WindowStarved = "h2.window-starved",
    /// A stream that depends on itself, which HTTP/2 once forbade (RFC 7540, 5.3.1).
    H2SelfPriority = "h2.self-priority",
    /// A header block that another frame interrupts, or a CONTINUATION of none (6.10).
    H2Continuation = "h2.continuation",
    /// A header block in more frames, or more octets, than we take.
    H2ContinuationFlood = "h2.continuation-flood",
    /// A header block that HPACK cannot decode (RFC 7541).
    H2Compression = "h2.compression",
    /// The peer took a request back.
    H2Reset = "h2.reset",
    /// More streams reset, by either side, than we take (CVE-2023-44487, CVE-2025-8671).
    H2ResetFlood = "h2.reset-flood",
    /// More frames that bring nothing than we take: SETTINGS, PING, PRIORITY, empty DATA and their kin.
    H2ControlFlood = "h2.control-flood",
    /// A field's name in upper case (8.2.1).
    H2Uppercase = "h2.uppercase-name",
    /// CR, LF or NUL within a field's value, or blanks around it (8.2.1).
    H2FieldOctet = "h2.field-octet",
    /// A header that speaks of the connection (8.2.2).
    H2ConnectionHeader = "h2.connection-header",
    /// A pseudo-header that requests do not have, or one in trailers (8.3).
    H2PseudoUnknown = "h2.pseudo-unknown",
    H2PseudoRepeated = "h2.pseudo-repeated",
    /// A pseudo-header behind a header (8.3).
    H2PseudoLate = "h2.pseudo-late",
    /// A request without what its method needs: method, scheme, path, or CONNECT's authority (8.3.1, 8.5).
    H2PseudoMissing = "h2.pseudo-missing",
    /// An authority and a Host header that differ (8.3.1).
    H2HostDiffers = "h2.host-differs",
    /// CONNECT with a protocol (RFC 8441): recorded, never followed.
    H2ExtendedConnect = "h2.extended-connect",
    /// A body of another length than its Content-Length (8.1.1).
    H2Length = "h2.length",
    /// Headers within a body that do not end it (8.1).
    H2Trailers = "h2.trailers",

    //----- The port and what came to it

    /// Plain HTTP on the port for TLS.
    PlainOnTlsPort = "trap.plain-on-tls-port",
    /// TLS on the port for plain HTTP.
    TlsOnPlainPort = "trap.tls-on-plain-port",
    /// Our own verifier showed a fresh sign: no oddity of anybody else's.
    OwnVisit = "trap.own-visit",
    /// A sign of our verifier that its key did not make.
    VisitForged = "trap.visit-forged",
    /// One that is older than a minute.
    VisitStale = "trap.visit-stale",
    /// One that somebody has shown before.
    VisitReplayed = "trap.visit-replayed",
    LooksText = "looks.text",
    LooksBinary = "looks.binary",
    LooksForm = "looks.form",
    LooksTls = "looks.tls",
    LooksSsh = "looks.ssh",
    LooksSmtp = "looks.smtp",
    LooksRdp = "looks.rdp",
    LooksSmb = "looks.smb",
    LooksSocks = "looks.socks",
    LooksProxy = "looks.proxy",
    LooksSsl2 = "looks.sslv2",
    LooksHttp = "looks.http",
    LooksHttp2 = "looks.http2",
    LooksIrc = "looks.irc",
    LooksRedis = "looks.redis",
    LooksMqtt = "looks.mqtt",
    LooksMysql = "looks.mysql",
    LooksFtp = "looks.ftp",
    LooksTelnet = "looks.telnet",
    LooksDns = "looks.dns",
    LooksNtp = "looks.ntp",
    LooksSip = "looks.sip",
    LooksStun = "looks.stun",
    LooksDtls = "looks.dtls",
    LooksQuic = "looks.quic",
    LooksSnmp = "looks.snmp",
    LooksMemcached = "looks.memcached",
    LooksLdap = "looks.ldap",
    LooksBittorrent = "looks.bittorrent",
    LooksJson = "looks.json",
    LooksSilent = "looks.silent",

    //----- The header of a balancer (proxy-protocol.txt)

    /// A listed balancer said something else.
    ProxyMissing = "proxy.missing",
    /// The connection ended, or time did, within the header.
    ProxyIncomplete = "proxy.incomplete",
    /// The header is longer than what is read of one.
    ProxyTooLong = "proxy.too-long",
    /// A line of version 1 that breaks its grammar.
    ProxyLine = "proxy.line",
    /// The signature of version 2 and another version.
    ProxyVersion = "proxy.version",
    /// A command that is neither LOCAL nor PROXY.
    ProxyCommand = "proxy.command",
    /// The addresses are shorter than their family's.
    ProxyAddress = "proxy.address",
    /// Addresses of a family that is none of the Internet's: who called is unknown.
    ProxyFamily = "proxy.family",
    /// A transport other than a stream.
    ProxyTransport = "proxy.transport",
    /// Additions that contradict their lengths, come twice, or are longer than they may be.
    ProxyAddition = "proxy.addition",

    //----- TLS (RFC 8446, 4.1.2 and 5.1)

    /// The hello came in more than one record.
    Fragmented = "tls.fragmented",
    /// A hello in SSL 2.0's form.
    Ssl2 = "tls.sslv2",
    /// The newest version offered is older than TLS 1.2: no handshake can follow.
    OldVersion = "tls.old-version",
    NoSni = "tls.no-sni",
    /// A server name that is no host name: other octets, an empty label, or too long.
    SniForm = "tls.sni-form",
    /// An IP address for a server name, which RFC 6066, 3 forbids.
    SniAddress = "tls.sni-address",
    /// More than one server name: the first is taken.
    SniSeveral = "tls.sni-several",
    /// An encrypted hello lies within (RFC 9849), or a client says so to keep servers tolerant: the name is the outer one.
    Ech = "tls.ech",
    /// A record of a version that there is not.
    RecordVersion = "tls.record-version",
    /// The first handshake message is no ClientHello.
    NotHello = "tls.not-hello",
    /// The hello contradicts its own lengths.
    HelloGarbage = "tls.hello-garbage",
    /// Bytes are left within the hello after its extensions.
    HelloTrailing = "tls.hello-trailing",
    /// An extension that occurs twice.
    ExtensionTwice = "tls.extension-twice",
    /// The hello is longer than what is read of one.
    HelloTooLong = "tls.hello-too-long",
    /// The connection ended, or time did, within the hello.
    HelloIncomplete = "tls.hello-incomplete",

    //----- SMTP: lines and their order (RFC 5321, 2.3.8, 4.1 and 4.5.3; RFC 2920, 3.1)

    /// The client spoke before it was greeted.
    EarlyTalker = "smtp.early-talker",
    /// A command line ended by LF alone.
    CommandBareLf = "smtp.bare-lf",
    /// A CR within a command line.
    CommandBareCr = "smtp.bare-cr",
    CommandNul = "smtp.nul",
    /// An octet above 127 where no address may hold one, or that is no UTF-8.
    CommandEightBit = "smtp.eight-bit",
    /// An address in UTF-8 without SMTPUTF8 (RFC 6531, 3.4).
    Utf8Undeclared = "smtp.utf8-undeclared",
    CommandTooLong = "smtp.line-too-long",
    /// The connection ended, or time did, within a line.
    CommandIncomplete = "smtp.line-incomplete",
    CommandUnknown = "smtp.unknown-command",
    /// An argument that the command has not, or lacks.
    CommandArgument = "smtp.argument",
    /// A command that cannot come at this point.
    CommandOrder = "smtp.order",
    /// Mail without HELO or EHLO.
    NoHelo = "smtp.no-helo",
    /// HELO or EHLO with an argument that is neither a host name nor an address.
    HeloForm = "smtp.helo-form",
    /// Sent before the answer to a command that must be waited for.
    PipelinedEarly = "smtp.pipelined-early",
    TooManyCommands = "smtp.too-many-commands",
    TooManyErrors = "smtp.too-many-errors",

    //----- SMTP: paths (RFC 5321, 4.1.2)

    PathForm = "smtp.path-form",
    PathNoBrackets = "smtp.path-no-brackets",
    /// White space between the colon and the path.
    PathSpace = "smtp.path-space",
    /// `<@a,@b:c@d>`: read and never followed.
    SourceRoute = "smtp.source-route",
    /// A local part with another address in it (`a%b@c`, `b!a@c`, `"a@b"@c`): how relays are looked for.
    RelayRoute = "smtp.relay-route",
    /// A parameter that no extension of ours has.
    MailParameter = "smtp.parameter",
    TooManyRecipients = "smtp.too-many-recipients",

    //----- SMTP: STARTTLS and AUTH (RFC 3207, RFC 4954)

    /// Octets in clear behind STARTTLS, as in CVE-2011-0411: dropped.
    PlaintextAfterStartTls = "smtp.plaintext-after-starttls",
    AuthMechanism = "smtp.auth-mechanism",
    /// A response that is no Base64 or not in its mechanism's form.
    AuthForm = "smtp.auth-form",
    AuthCancelled = "smtp.auth-cancelled",
    /// The connection ended, or time did, within the exchange.
    AuthIncomplete = "smtp.auth-incomplete",
    /// Without TLS.
    AuthInClear = "smtp.auth-in-clear",

    //----- SMTP: the letter (RFC 5321, 4.5.2; RFC 5322; RFC 2045 and 2046)

    /// What another server might take for the end of the letter, and is none: `\n.\n`, `\r.\r` and their kin.
    Smuggling = "smtp.smuggling",
    LetterBareLf = "smtp.letter-bare-lf",
    LetterBareCr = "smtp.letter-bare-cr",
    LetterTooLong = "smtp.letter-too-long",
    LetterIncomplete = "smtp.letter-incomplete",
    /// A line among the headers that is none.
    LetterHeader = "smtp.letter-header",
    LetterTooManyHeaders = "smtp.letter-too-many-headers",
    /// Multipart without a boundary that could end it.
    MimeBoundary = "smtp.mime-boundary",
    MimeDepth = "smtp.mime-depth",
    /// An attachment that its encoding does not fit.
    MimeEncoding = "smtp.mime-encoding",
    TooManyAttachments = "smtp.too-many-attachments",
}

/// Adds an oddity once.
pub(crate) fn note(oddities: &mut Vec<Oddity>, oddity: Oddity) {
    if !oddities.contains(&oddity) {
        oddities.push(oddity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_words_of_their_room() {
        let mut codes: Vec<_> = Oddity::ALL.iter().map(|oddity| oddity.code()).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
        for code in codes {
            let (room, word) = code.split_once('.').unwrap();
            assert!(["http", "h2", "tls", "trap", "looks", "proxy", "smtp"].contains(&room), "{code}");
            assert!(word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{code}");
        }
    }
}
