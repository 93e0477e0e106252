"""DNS messages, TLS hellos and captures, by hand: enough to ask a resolver and to feed Suricata."""

import random
import socket
import struct


def dns_query(name, qtype=1, number=None):
    number = random.randrange(65536) if number is None else number
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.rstrip(".").split("."))
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", qtype, 1)


def dns_answer(query, address):
    """The same question with one A record; what the tiny server says to everything."""
    end = 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    qtype = struct.unpack("!H", question[-4:-2])[0]
    count = 1 if qtype == 1 else 0
    head = query[:2] + struct.pack("!5H", 0x8180, 1, count, 0, 0)
    record = b"\xc0\x0c" + struct.pack("!2HIH", 1, 1, 60, 4) + socket.inet_aton(address)
    return head + question + record * count


def ask(server, name, qtype=1, timeout=20):
    """(rcode, number of answers, whether `address` bytes occur) of a look-up over UDP."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.sendto(dns_query(name, qtype), server)
        reply = sock.recv(4096)
    return reply[3] & 15, struct.unpack("!H", reply[6:8])[0], reply


def hello(server_name):
    """A ClientHello with that SNI: what a TLS client says first (RFC 8446, 4.1.2)."""
    name = server_name.encode()
    sni = struct.pack("!HBH", len(name) + 3, 0, len(name)) + name
    extensions = struct.pack("!2H", 0, len(sni)) + sni
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0" + struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + struct.pack("!I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack("!H", len(message)) + message


class Capture:
    """A pcap file of raw IPv4 packets between two documentation addresses (RFC 5737)."""

    CLIENT, SERVER = "192.0.2.10", "198.51.100.53"

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.seconds, self.port = 1_553_752_800, 40_000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def packet(self, protocol, source, target, payload):
        head = struct.pack("!2B3H2BH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0,
                           socket.inet_aton(source), socket.inet_aton(target))
        packet = head + payload
        self.seconds += 1
        self.file.write(struct.pack("<4I", self.seconds, 0, len(packet), len(packet)) + packet)

    def lookup(self, name):
        self.port += 1
        query = dns_query(name, number=self.port)
        udp = struct.pack("!4H", self.port, 53, 8 + len(query), 0) + query
        self.packet(17, self.CLIENT, self.SERVER, udp)

    def conversation(self, port, request):
        """A TCP connection in which the client sends one thing and closes."""
        self.port += 1
        ours, theirs = 1_000, 5_000

        def segment(outward, seq, ack, flags, payload=b""):
            ports = (self.port, port) if outward else (port, self.port)
            tcp = struct.pack("!2H2I2B3H", *ports, seq, ack, 0x50, flags, 65535, 0, 0) + payload
            ends = (self.CLIENT, self.SERVER) if outward else (self.SERVER, self.CLIENT)
            self.packet(6, *ends, tcp)

        end = ours + 1 + len(request)
        segment(True, ours, 0, 0x02)
        segment(False, theirs, ours + 1, 0x12)
        segment(True, ours + 1, theirs + 1, 0x10)
        segment(True, ours + 1, theirs + 1, 0x18, request)
        segment(False, theirs + 1, end, 0x10)
        segment(True, end, theirs + 1, 0x11)
        segment(False, theirs + 1, end + 1, 0x11)
        segment(True, end + 1, theirs + 2, 0x10)
