"""Frames for the judge: written octet by octet, so that they may be wrong, and read by hyperframe and hpack."""

import socket
import ssl
import struct

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 1, 1, 4, 8, 32
CODES = [
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
]
PATIENCE = 60


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def setting(number, value):
    return struct.pack(">HI", number, value)


def u32(number):
    return struct.pack(">I", number)


def block(fields):
    """A header block without an index and without Huffman coding: any octets may stand in it."""
    def text(octets):
        octets = octets if isinstance(octets, bytes) else octets.encode("latin-1")
        if len(octets) < 127:
            return bytes([len(octets)]) + octets
        rest, out = len(octets) - 127, [127]
        while rest >= 128:
            out.append(rest % 128 + 128)
            rest //= 128
        return bytes(out + [rest]) + octets

    return b"".join(b"\x00" + text(name) + text(value) for name, value in fields)


def packed(fields):
    """The same as hpack writes it: indexed and Huffman-coded."""
    return Encoder().encode(fields)


class Talk:
    """One connection, and what came back over it."""

    def __init__(self, port, name, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname=name)
            assert self.socket.selected_alpn_protocol() == "h2", "no h2 by ALPN"
        self.decoder, self.came, self.frames, self.is_over = Decoder(), b"", [], False
        self.statuses, self.resets, self.goaway, self.pongs, self.ended, self.octets = {}, {}, None, [], set(), {}

    def say(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError:
            pass  # whoever has heard enough closes while we speak

    def step(self):
        """Takes one frame in; whether there was one."""
        while len(self.came) < 9 or len(self.came) < 9 + int.from_bytes(self.came[:3], "big"):
            try:
                more = self.socket.recv(65536)
            except OSError:
                more = b""
            if not more:
                self.is_over = True
                return False
            self.came += more
        one, length = Frame.parse_frame_header(memoryview(self.came[:9]))
        one.parse_body(memoryview(self.came[9:9 + length]))
        self.came = self.came[9 + length:]
        self.take(one)
        return True

    def take(self, one):
        self.frames.append(one)
        if isinstance(one, HeadersFrame):
            fields = dict(self.decoder.decode(one.data))
            self.statuses[one.stream_id] = int(fields[":status"])
        if isinstance(one, DataFrame):
            self.octets[one.stream_id] = self.octets.get(one.stream_id, 0) + len(one.data)
        if "END_STREAM" in one.flags:
            self.ended.add(one.stream_id)
        if isinstance(one, RstStreamFrame):
            self.resets[one.stream_id] = one.error_code
        if isinstance(one, GoAwayFrame):
            self.goaway = one.error_code
        if isinstance(one, PingFrame) and "ACK" in one.flags:
            self.pongs.append(one.opaque_data)
        if isinstance(one, SettingsFrame) and "ACK" not in one.flags:
            self.say(frame(SETTINGS, ACK))

    def until(self, is_enough):
        while not is_enough(self) and self.step():
            pass

    def outcome(self, stream):
        """In one word what became of a stream, or of the connection."""
        self.until(lambda talk: talk.goaway is not None or stream in talk.resets or stream in talk.ended)
        if self.goaway is not None:
            return "GOAWAY " + CODES[self.goaway]
        if stream in self.resets:
            return "RST " + CODES[self.resets[stream]]
        return "answered" if stream in self.ended else "closed"

    def is_alive(self):
        self.say(frame(PING, 0, 0, b"aliveyet"))
        self.until(lambda talk: talk.goaway is not None or b"aliveyet" in talk.pongs)
        if self.goaway is not None:
            return "GOAWAY " + CODES[self.goaway]
        return "ignored" if b"aliveyet" in self.pongs else "closed"

    def close(self):
        self.socket.close()
