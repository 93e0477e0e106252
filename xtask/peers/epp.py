"""Sends the commands of a plan, as they stand, through an EPP client that shares no code with us.

epp.py PORT REGISTRAR FILE: prints one result code per command that was sent. A command whose `only_if` is about a check is sent
if the check before it said that the name is free. The client itself refuses an answer that is not to its command.
"""
import json
import socket
import sys

from epptools.client import Client
from epptools.config import Config
from epptools.transport import Connection


class Plain(Connection):
    """The same framing without TLS, on loopback."""

    def open(self):
        self._sock = socket.create_connection(("127.0.0.1", self._config.port), 60)
        self._sock.settimeout(60)


def main():
    port, registrar, file = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    config = Config(host="127.0.0.1", port=port, clid=registrar, password="only-for-tests")
    client = Client(config, Plain(config)).throw_on_failure(False)
    client.connect()
    client.login()
    free = True
    for line in open(file, encoding="utf-8"):
        command = json.loads(line)
        if "avail" in command.get("only_if", "") and not free:
            print("skipped", command["does"])
            continue
        response = client.request(command["xml"])
        free = 'avail="1"' in response.raw if "<host:check" in command["xml"] else free
        print(response.code(), command["does"])
    client.logout()


main()
