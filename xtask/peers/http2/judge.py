"""A judge of HTTP/2 that shares no code with the judged: hyperframe and hpack read what comes back.

`judge.py PORT NAME clear|tls` says each line of the table below over a connection of its own and prints, as one JSON
object a line, what RFC 9113 or RFC 7541 wants and what came. `judge.py PORT NAME clear|tls client` speaks as the library
h2 does, which refuses whatever a server may not say.

Where the RFC has a stream error, an endpoint may end the connection instead (5.4.1), and a malformed request may get a
400 (8.1.1): a line lists what it takes.
"""

import json
import sys

from table import checks
from wire import PREFACE, SETTINGS, Talk, frame


def judge(port, name, tls):
    for check in checks(name, "tls" if tls else "clear"):
        talk = Talk(port, name, tls)
        if check.greets:
            talk.say(PREFACE + frame(SETTINGS))
        talk.say(check.says)
        if check.then is not None:
            seen = check.then(talk)
        else:
            seen = talk.is_alive() if check.wants == ["ignored"] else talk.outcome(check.stream)
        talk.close()
        line = {"section": check.section, "what": check.what, "wanted": check.wants, "seen": seen}
        print(json.dumps(line | {"oddity": check.oddity, "kept": check.kept}), flush=True)


def client(port, name, tls):
    """Three requests at once by h2: GET, HEAD, POST with a body and trailers."""
    import h2.config
    import h2.connection
    import h2.events

    talk = Talk(port, name, tls)
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    for stream, method in [(1, "GET"), (3, "HEAD"), (5, "POST")]:
        fields = [(":method", method), (":scheme", "https"), (":authority", name), (":path", "/by-h2")]
        connection.send_headers(stream, fields, end_stream=method != "POST")
    connection.send_data(5, b"a=b")
    connection.send_headers(5, [("x-end", "1")], end_stream=True)
    talk.say(connection.data_to_send())
    statuses, octets, ended = {}, {}, set()
    while len(ended) < 3:
        for event in connection.receive_data(talk.socket.recv(65536)):
            if isinstance(event, h2.events.ResponseReceived):
                statuses[event.stream_id] = dict(event.headers)[":status"]
            if isinstance(event, h2.events.DataReceived):
                octets[event.stream_id] = octets.get(event.stream_id, 0) + len(event.data)
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if isinstance(event, h2.events.StreamEnded):
                ended.add(event.stream_id)
        talk.say(connection.data_to_send())
    print(json.dumps({"statuses": statuses, "octets": octets}))


if __name__ == "__main__":
    port, name, tls = int(sys.argv[1]), sys.argv[2], sys.argv[3] == "tls"
    (client if sys.argv[4:] == ["client"] else judge)(port, name, tls)
