"""What is sent, and what must follow, section by section of RFC 9113 (and of RFC 7541 where it says so)."""

from dataclasses import dataclass, field
from typing import Callable, Optional

from wire import (
    ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PREFACE, PRIORITY, PUSH_PROMISE,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, WITH_PRIORITY, block, frame, packed, setting, u32,
)

WHOLE = END_STREAM | END_HEADERS


@dataclass
class Check:
    section: str
    what: str
    says: bytes
    wants: list
    stream: int = 1
    # The preface and empty SETTINGS go in front.
    greets: bool = True
    # Asks in another way what became of it.
    then: Optional[Callable] = None
    # Of a request that must be on record: how it is named, and which lines are around what is wrong.
    oddity: str = ""
    kept: list = field(default_factory=list)


def goaway(*codes):
    return ["GOAWAY " + code for code in codes]


def either(*codes):
    return ["RST " + code for code in codes] + goaway(*codes)


MALFORMED = ["answered", *either("PROTOCOL_ERROR")]


def checks(name, run):
    """`run` tells what one run sends from what another does."""
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", name), (":path", "/judged")]
    posted = [(":method", "POST"), *fields[1:]]
    get, post = block(fields), block(posted)

    def request(stream=1, flags=WHOLE, payload=get):
        return frame(HEADERS, flags, stream, payload)

    opened = request(flags=END_HEADERS, payload=post)
    return [
        *connection(request, opened, get, packed(fields)),
        *states(request, opened, get, post),
        *frames(request, opened, get, post),
        *requests(request, opened, posted),
        *malformed(name, run),
        *compression(request, get),
    ]


def connection(request, opened, get, huffman):
    protocol = goaway("PROTOCOL_ERROR")
    return [
        Check("3.4", "another preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", ["closed", *protocol], greets=False),
        Check("3.4", "PING before SETTINGS", PREFACE + frame(PING, 0, 0, b"12345678"), protocol, greets=False),
        Check("3.4", "the first frame back is SETTINGS", request(), ["SETTINGS"], then=first_frame),
        Check("4.1", "a frame of no known type", frame(0x77, 0xFF, 0, b"what"), ["ignored"]),
        Check("4.1", "flags that PING has not", frame(PING, 0xFE, 0, b"12345678"), ["ignored"]),
        Check("4.1", "the reserved bit", frame(HEADERS, WHOLE, 1 | 1 << 31, get), ["answered"]),
        Check("4.2", "DATA of 16,384 octets", opened + frame(DATA, END_STREAM, 1, b"a" * 16384), ["answered"]),
        Check("4.2", "DATA of 16,385 octets", opened + frame(DATA, END_STREAM, 1, b"a" * 16385), either("FRAME_SIZE_ERROR")),
        Check("4.2", "HEADERS of 16,385 octets", request(payload=b"a" * 16385), goaway("FRAME_SIZE_ERROR")),
        Check("4.3", "Huffman codes and indices", request(payload=huffman), ["answered"]),
        Check("4.3", "PRIORITY within a block", request(flags=END_STREAM) + frame(PRIORITY, 0, 1, bytes(5)), protocol),
        Check("4.3", "HEADERS of another stream within a block", request(flags=END_STREAM) + request(3), protocol),
        Check("5.5", "an unknown frame within a block", request(flags=END_STREAM) + frame(0x77), protocol),
        Check("5.5", "an unknown frame within a body", opened + frame(0x77, 0, 1) + frame(DATA, END_STREAM, 1), ["answered"]),
        Check("6.5.2", "a setting of no known number", frame(SETTINGS, 0, 0, setting(0xFF, 1)), ["ignored"]),
    ]


def first_frame(talk):
    talk.until(lambda talk: talk.frames)
    return type(talk.frames[0]).__name__.removesuffix("Frame").upper() if talk.frames else "closed"


def states(request, opened, get, post):
    protocol, closed = goaway("PROTOCOL_ERROR"), either("STREAM_CLOSED")
    reset = opened + frame(RST_STREAM, 0, 1, u32(8))
    many = b"".join(frame(HEADERS, END_HEADERS, stream, post) for stream in range(1, 1001, 2))
    return [
        Check("5.1", "idle: DATA", frame(DATA, END_STREAM, 1, b"a"), protocol),
        Check("5.1", "idle: RST_STREAM", frame(RST_STREAM, 0, 1, u32(8)), protocol),
        Check("5.1", "idle: WINDOW_UPDATE", frame(WINDOW_UPDATE, 0, 1, u32(1)), protocol),
        Check("5.1", "idle: CONTINUATION", frame(CONTINUATION, END_HEADERS, 1, get), protocol),
        Check("5.1", "idle: PRIORITY", frame(PRIORITY, 0, 1, bytes(4) + b"\x10"), ["ignored"]),
        Check("5.1", "half closed: DATA", request() + frame(DATA, END_STREAM, 1, b"a"), ["answered", *closed]),
        Check("5.1", "half closed: HEADERS", request() + request(), ["answered", *closed]),
        Check("5.1", "half closed: CONTINUATION", request() + frame(CONTINUATION, END_HEADERS, 1, get), ["answered", *protocol]),
        Check("5.1", "closed by its client: DATA", reset + frame(DATA, END_STREAM, 1, b"a"), closed),
        Check("5.1", "closed by its client: HEADERS", reset + request(), closed),
        Check("5.1", "closed by its client: CONTINUATION", reset + frame(CONTINUATION, END_HEADERS, 1, get), protocol),
        Check("5.1", "closed by its client: PRIORITY", reset + frame(PRIORITY, 0, 1, bytes(4) + b"\x10"), ["ignored"]),
        Check("5.1.1", "a stream of an even number", request(2), protocol),
        Check("5.1.1", "a stream below the last", request(5) + request(3), protocol, stream=3),
        Check("5.1.2", "500 streams at once", many, either("REFUSED_STREAM", "PROTOCOL_ERROR", "ENHANCE_YOUR_CALM"), stream=999),
        Check("5.3", "a stream that depends on itself", request(flags=WHOLE | WITH_PRIORITY, payload=u32(1) + b"\x10" + get), ["answered", *either("PROTOCOL_ERROR")]),
    ]


def frames(request, opened, get, post):
    protocol, size = goaway("PROTOCOL_ERROR"), goaway("FRAME_SIZE_ERROR")
    flow, largest = "FLOW_CONTROL_ERROR", u32(2**31 - 1)
    half = len(get) // 2
    pieces = [get[at:at + 4] for at in range(0, len(get), 4)]
    split = request(flags=END_STREAM, payload=pieces[0]) + b"".join(frame(CONTINUATION, 0, 1, piece) for piece in pieces[1:])
    flood = request(flags=END_STREAM) + frame(CONTINUATION, 0, 1, b"") * 1000
    return [
        Check("6.1", "DATA on stream 0", frame(DATA, END_STREAM, 0, b"a"), protocol),
        Check("6.1", "padding longer than DATA", opened + frame(DATA, END_STREAM | PADDED, 1, b"\x09a"), protocol),
        Check("6.1", "padded DATA", opened + frame(DATA, END_STREAM | PADDED, 1, b"\x02a\0\0"), ["answered"]),
        Check("6.2", "HEADERS on stream 0", request(0), protocol),
        Check("6.2", "padding longer than HEADERS", request(flags=WHOLE | PADDED, payload=b"\xff" + get), protocol),
        Check("6.2", "padding and priority", request(flags=WHOLE | PADDED | WITH_PRIORITY, payload=b"\x02" + bytes(4) + b"\x10" + get + b"\0\0"), ["answered"]),
        Check("6.3", "PRIORITY on stream 0", frame(PRIORITY, 0, 0, bytes(5)), protocol),
        Check("6.3", "PRIORITY of four octets", frame(PRIORITY, 0, 1, bytes(4)), either("FRAME_SIZE_ERROR")),
        Check("6.4", "RST_STREAM on stream 0", frame(RST_STREAM, 0, 0, u32(8)), protocol),
        Check("6.4", "RST_STREAM of three octets", opened + frame(RST_STREAM, 0, 1, bytes(3)), size),
        Check("6.5", "an acknowledgement with settings", frame(SETTINGS, ACK, 0, setting(1, 1)), size),
        Check("6.5", "SETTINGS on a stream", frame(SETTINGS, 0, 1, setting(3, 1)), protocol),
        Check("6.5", "SETTINGS of five octets", frame(SETTINGS, 0, 0, bytes(5)), size),
        Check("6.5.2", "a push that is neither on nor off", frame(SETTINGS, 0, 0, setting(2, 2)), protocol),
        Check("6.5.2", "a window of 2^31", frame(SETTINGS, 0, 0, setting(4, 2**31)), goaway(flow)),
        Check("6.5.2", "frames of 16,383 octets", frame(SETTINGS, 0, 0, setting(5, 16383)), protocol),
        Check("6.5.2", "frames of 2^24 octets", frame(SETTINGS, 0, 0, setting(5, 2**24)), protocol),
        Check("6.5.3", "SETTINGS is acknowledged", frame(SETTINGS, 0, 0, setting(3, 7)), ["2 acknowledged"], then=acknowledged),
        Check("6.6", "PUSH_PROMISE by a client", frame(PUSH_PROMISE, END_HEADERS, 1, u32(2) + get), protocol),
        Check("6.7", "PING comes back", frame(PING, 0, 0, b"12345678"), ["12345678"], then=ponged),
        Check("6.7", "PING that is an answer", frame(PING, ACK, 0, b"12345678"), ["nothing"], then=ponged),
        Check("6.7", "PING on a stream", frame(PING, 0, 1, b"12345678"), protocol),
        Check("6.7", "PING of seven octets", frame(PING, 0, 0, b"1234567"), size),
        Check("6.8", "GOAWAY on a stream", frame(GOAWAY, 0, 1, bytes(8)), protocol),
        Check("6.8", "GOAWAY behind a request", request() + frame(GOAWAY, 0, 0, bytes(8)), ["answered"]),
        Check("6.9", "a window raised by nothing", frame(WINDOW_UPDATE, 0, 0, u32(0)), protocol),
        Check("6.9", "a stream's window raised by nothing", opened + frame(WINDOW_UPDATE, 0, 1, u32(0)), either("PROTOCOL_ERROR")),
        Check("6.9", "WINDOW_UPDATE of three octets", frame(WINDOW_UPDATE, 0, 0, bytes(3)), size),
        Check("6.9.1", "a window above 2^31-1", frame(WINDOW_UPDATE, 0, 0, largest), goaway(flow)),
        Check("6.9.1", "a stream's window above 2^31-1", opened + frame(WINDOW_UPDATE, 0, 1, largest), either(flow)),
        Check("6.9.1", "a window of one octet", frame(SETTINGS, 0, 0, setting(4, 1)) + request(), ["1 octet, then all"], then=drop_by_drop),
        Check("6.9.2", "a window that the client takes back", frame(SETTINGS, 0, 0, setting(4, 0)) + request() + frame(SETTINGS, 0, 0, setting(4, 65535)), ["answered"]),
        Check("6.10", "a block in two", request(flags=END_STREAM, payload=get[:half]) + frame(CONTINUATION, END_HEADERS, 1, get[half:]), ["answered"]),
        Check("6.10", "a block in pieces of four octets", split + frame(CONTINUATION, END_HEADERS, 1), ["answered"]),
        Check("6.10", "CONTINUATION behind a whole block", opened + frame(CONTINUATION, END_HEADERS, 1, get), protocol),
        Check("6.10", "CONTINUATION on stream 0", request(flags=END_STREAM) + frame(CONTINUATION, END_HEADERS, 0, get), protocol),
        Check("6.10", "DATA within a block", request(flags=END_STREAM) + frame(DATA, END_STREAM, 1, b"a"), protocol),
        Check("10.5", "a thousand empty CONTINUATIONs", flood, goaway("ENHANCE_YOUR_CALM")),
        Check("7", "GOAWAY with an unknown code", request() + frame(GOAWAY, 0, 0, bytes(4) + u32(0xFF)), ["answered"]),
        Check("7", "RST_STREAM with an unknown code", opened + frame(RST_STREAM, 0, 1, u32(0xFF)), ["ignored"]),
    ]


def acknowledged(talk):
    talk.say(frame(PING, 0, 0, b"settings"))
    talk.until(lambda talk: talk.pongs)
    return f"{sum(type(one).__name__ == 'SettingsFrame' and 'ACK' in one.flags for one in talk.frames)} acknowledged"


def ponged(talk):
    talk.say(frame(PING, 0, 0, b"lastping"))
    talk.until(lambda talk: b"lastping" in talk.pongs)
    return b" ".join(pong for pong in talk.pongs if pong != b"lastping").decode() or "nothing"


def drop_by_drop(talk):
    talk.until(lambda talk: talk.octets.get(1))
    first = talk.octets.get(1)
    talk.say(frame(WINDOW_UPDATE, 0, 1, u32(100000)))
    return f"{first} octet, then all" if talk.outcome(1) == "answered" else "stuck"


def requests(request, opened, posted):
    length = request(flags=END_HEADERS, payload=block([*posted, ("content-length", "3")]))
    trailers = block([("x-end", "1")])
    head = block([(":method", "HEAD"), *posted[1:]])
    connect = block([(":method", "CONNECT"), (":authority", "a.example:443")])
    crumbs = block([(":method", "GET"), *posted[1:], ("cookie", "a=b"), ("cookie", "c=d"), ("te", "trailers")])
    protocol = either("PROTOCOL_ERROR")
    return [
        Check("8.1", "trailers", opened + frame(DATA, 0, 1, b"a") + request(payload=trailers), ["answered"]),
        Check("8.1", "HEADERS within a body that do not end it", opened + request(flags=END_HEADERS, payload=trailers), protocol),
        Check("8.1", "a pseudo-header in trailers", opened + request(payload=block([(":path", "/")])), protocol),
        Check("8.1.1", "a body as long as it says", length + frame(DATA, 0, 1, b"a") + frame(DATA, END_STREAM, 1, b"=b"), ["answered"]),
        Check("8.1.1", "a body that is longer", length + frame(DATA, END_STREAM, 1, b"abcd"), protocol),
        Check("8.1.1", "a body that is shorter", length + frame(DATA, END_STREAM, 1, b"ab"), protocol),
        Check("8.1", "HEAD has no body", request(payload=head), ["no octet"], then=lambda talk: f"{talk.octets.get(1, 0) or 'no'} octet" if talk.outcome(1) == "answered" else "not answered"),
        Check("8.2.3", "cookies in crumbs, and TE: trailers", request(payload=crumbs), ["answered"]),
        Check("8.5", "CONNECT opens no tunnel", request(flags=END_HEADERS, payload=connect), ["404"], then=lambda talk: str(talk.outcome(1) and talk.statuses.get(1))),
    ]


def malformed(name, run):
    """Each is on record, with its oddity and the headers around what is wrong."""
    method, scheme, authority = (":method", "GET"), (":scheme", "http"), (":authority", name)
    lines = []

    def check(section, what, oddity, odd=(), without="", late=()):
        pseudo = [one for one in (method, scheme, authority, (":path", "/malformed")) if one[0] != without]
        mark = f"mark-{run}-{len(lines)}-"
        headers = [("x-first", mark), *odd, ("x-last", mark)]
        said = frame(HEADERS, WHOLE, 1, block([*pseudo[:1], *late, *pseudo[1:], *headers]))
        kept = [f"x-first: {mark}", f"x-last: {mark}"]
        lines.append(Check(section, what, said, MALFORMED, oddity=oddity, kept=kept))

    for what, odd, oddity in [
        ("a name in upper case", ("X-Upper", "1"), "h2.uppercase-name"),
        ("CR within a value", ("x-odd", "a\rb"), "h2.field-octet"),
        ("LF within a value", ("x-odd", "a\nb"), "h2.field-octet"),
        ("NUL within a value", ("x-odd", "a\0b"), "h2.field-octet"),
        ("a blank before a value", ("x-odd", " a"), "h2.field-octet"),
        ("a blank behind a value", ("x-odd", "a "), "h2.field-octet"),
        ("a blank within a name", ("x odd", "1"), "http.header-name"),
        ("a colon within a name", ("x:odd", "1"), "http.header-name"),
        ("an empty name", ("", "1"), "http.header-name"),
        ("a name above 127", ("x-\xe4", "1"), "http.header-name"),
    ]:
        check("8.2.1", what, oddity, [odd])
    for odd in [
        ("connection", "close"), ("proxy-connection", "close"), ("keep-alive", "1"), ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"), ("te", "gzip"),
    ]:
        check("8.2.2", f"{odd[0]}: {odd[1]}", "h2.connection-header", [odd])
    check("8.3", "a pseudo-header that nobody has", "h2.pseudo-unknown", late=[(":odd", "1")])
    check("8.3", "an answer's pseudo-header", "h2.pseudo-unknown", late=[(":status", "200")])
    check("8.3", "a pseudo-header behind a header", "h2.pseudo-late", late=[("x-between", "1")])
    check("8.3.1", "no method", "h2.pseudo-missing", without=":method")
    check("8.3.1", "no scheme", "h2.pseudo-missing", without=":scheme")
    check("8.3.1", "no path", "h2.pseudo-missing", without=":path")
    check("8.3.1", "an empty path", "h2.pseudo-missing", late=[(":path", "")], without=":path")
    check("8.3.1", "two methods", "h2.pseudo-repeated", late=[(":method", "GET")])
    check("8.3.1", "two schemes", "h2.pseudo-repeated", late=[(":scheme", "http"), (":scheme", "http")], without=":scheme")
    check("8.3.1", "two paths", "h2.pseudo-repeated", [], late=[(":path", "/first")])
    check("8.3.1", "another host than the authority", "h2.host-differs", [("host", "other.example")])
    check("8.1.1", "a length that is none", "http.length", [("content-length", "-1")])
    return lines


def compression(request, get):
    broken = goaway("COMPRESSION_ERROR")
    return [
        Check("7541, 2.3.3", "index 0", request(payload=get + b"\x80"), broken),
        Check("7541, 2.3.3", "an index beyond the tables", request(payload=get + b"\xfe"), broken),
        Check("7541, 4.2", "a size update behind a field", request(payload=get + b"\x20"), broken),
        Check("7541, 5.1", "a number without an end", request(payload=get + b"\xff" * 20), broken),
        Check("7541, 5.2", "Huffman padding of eight bits", request(payload=get + b"\x00\x82\xff\xff\x01a"), broken),
        Check("7541, 5.2", "Huffman padding of zeros", request(payload=get + b"\x00\x81\x18\x01a"), broken),
        Check("7541, 5.2", "the code that ends a string", request(payload=get + b"\x00\x84\xff\xff\xff\xff\x01a"), broken),
        Check("7541, 5.2", "a string that is cut", request(payload=get + b"\x00\x05ab"), broken),
        Check("7541, 6.3", "a table larger than we allow", request(payload=b"\x3f\xe2\x1f" + get), broken),
        Check("7541, 6.3", "a table of no size", request(payload=b"\x20" + get), ["answered"]),
    ]
