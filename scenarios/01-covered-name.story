# A seized name is answered for, and so is everything below it.

given  outlook-verify.test is seized
when   127.0.7.1 asks A outlook-verify.test
then   the answer is NOERROR
and    the answer holds A 127.0.0.1
when   127.0.7.1 asks A login.eu.outlook-verify.test
then   the answer is NOERROR
and    the answer holds A 127.0.0.1
when   127.0.7.1 asks AAAA www.outlook-verify.test over TCP
then   the answer holds AAAA ::1
when   127.0.7.1 asks NS outlook-verify.test
then   the answer holds NS ns1.sinkhole.example.
and    the answer holds NS ns2.sinkhole.example.

# Nothing below a seized name "does not exist": NXDOMAIN would silence the names beneath it (RFC 8020).
when   127.0.7.1 asks SRV _ldap._tcp.outlook-verify.test
then   the answer is NOERROR
and    the answer holds nothing
when   127.0.7.1 asks TYPE65280 outlook-verify.test
then   the answer is NOERROR
and    the answer holds nothing
and    6 queries are recorded
