"""A certificate authority for the suite `acme`: acme2certifier with a CA of its own, behind HTTPS on loopback.

`authority.py FOLDER PORT DNS_PORT` makes a CA and a certificate for 127.0.0.1 in FOLDER, and serves until it is ended. It
looks for challenges at 127.0.0.1:DNS_PORT and nowhere else.

`authority.py FOLDER --due NAME` prints a key and a certificate of that CA with less than a third of its life left.
"""

import datetime
import os
import ssl
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.timezone.utc)


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write(path, octets):
    with open(path, "wb") as file:
        file.write(octets)


def make_ca(folder):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named("Authority of the suite"))
        .issuer_name(named("Authority of the suite"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 400 * DAY)
        .not_valid_after(NOW + 400 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    withdrawn = x509.CertificateRevocationListBuilder().issuer_name(named("Authority of the suite"))
    withdrawn = withdrawn.last_update(NOW).next_update(NOW + 30 * DAY).sign(key, hashes.SHA256())
    os.mkdir(os.path.join(folder, "issued"))
    write(os.path.join(folder, "ca.crl"), withdrawn.public_bytes(serialization.Encoding.PEM))
    write(os.path.join(folder, "ca.key"), pem(key))
    write(os.path.join(folder, "ca.pem"), certificate.public_bytes(serialization.Encoding.PEM))


def issue(folder, names, not_before, not_after):
    with open(os.path.join(folder, "ca.key"), "rb") as file:
        ca_key = serialization.load_pem_private_key(file.read(), None)
    with open(os.path.join(folder, "ca.pem"), "rb") as file:
        ca = x509.load_pem_x509_certificate(file.read())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(named("leaf"))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    return pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def due(folder, name):
    names = [x509.DNSName(name), x509.DNSName("*." + name)]
    sys.stdout.write(issue(folder, names, NOW - 80 * DAY, NOW + 10 * DAY).decode())


def look_at_port(port):
    """dnspython asks port 53; the suite's name server has another, and acme2certifier has no setting for it."""
    import dns.resolver

    usual = dns.resolver.Resolver.__init__

    def init(self, *arguments, **named_arguments):
        usual(self, *arguments, **named_arguments)
        self.port = port

    dns.resolver.Resolver.__init__ = init


def configure(folder):
    config = f"""
[DEFAULT]
debug: False
dns_server_list: ["127.0.0.1"]

[CAhandler]
handler_module: acme2certifier.cahandlers.openssl_ca_handler
issuing_ca_key: {folder}/ca.key
issuing_ca_cert: {folder}/ca.pem
issuing_ca_crl: {folder}/ca.crl
cert_validity_days: 30
cert_save_path: {folder}/issued

[DBhandler]
handler_module: acme2certifier.dbhandlers.wsgi_handler
dbfile: {folder}/acme.db

[Challenge]
dns_validation_pause_timer: 0.2

[Order]
tnauthlist_support: False
"""
    write(os.path.join(folder, "acme_srv.cfg"), config.encode())
    os.environ["ACME_SRV_CONFIGFILE"] = os.path.join(folder, "acme_srv.cfg")


def serve(folder, port, dns_port):
    import ipaddress
    from wsgiref.simple_server import WSGIServer, make_server

    make_ca(folder)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    write(os.path.join(folder, "server.pem"), issue(folder, [address], NOW - DAY, NOW + 30 * DAY))
    configure(folder)
    look_at_port(dns_port)
    from acme2certifier.share.acme2certifier_wsgi import application, get_handler_cls

    class Server(WSGIServer):
        def setup_environ(self):
            super().setup_environ()
            self.base_environ["HTTPS"] = "on"

    server = make_server("127.0.0.1", port, application, Server, get_handler_cls())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, "server.pem"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[2] == "--due":
        due(sys.argv[1], sys.argv[3])
    else:
        serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
