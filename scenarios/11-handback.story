# A name that is handed back answers what its owner had, and nobody is recorded any more.

given  returned.test is seized
and    returned.test had "@ 300 A 127.16.0.80"
and    returned.test had "@ 300 MX 10 mail"
and    returned.test had "@ 300 NS ns.old-owner.example."
and    returned.test had "www 300 CNAME returned.test."
and    returned.test had "*.shop 300 A 127.16.0.81"
and    bare.test is seized
when   127.16.0.11 asks A returned.test
then   the answer holds A 127.0.0.1
and    one query is recorded
when   returned.test is handed back
and    127.16.0.11 asks A returned.test
then   the answer holds A 127.16.0.80
when   127.16.0.11 asks A www.returned.test
then   the answer holds CNAME returned.test.
and    the answer holds A 127.16.0.80
when   127.16.0.11 asks MX returned.test over TCP
then   the answer holds MX 10 mail.returned.test.
when   127.16.0.11 asks A spring.shop.returned.test
then   the answer holds A 127.16.0.81

# The owner's zone is a whole one: what he had not, does not exist.
when   127.16.0.11 asks A nothing.returned.test
then   the answer is NXDOMAIN
and    the answer holds nothing
when   127.16.0.11 asks TXT returned.test
then   the answer is NOERROR
and    the answer holds nothing

# The delegation points to us until the registry has undone it: the servers named stay ours.
when   127.16.0.11 asks NS returned.test
then   the answer holds NS ns1.sinkhole.example.

# Without records of the owner only SOA and NS are left.
when   bare.test is handed back
and    127.16.0.11 asks A bare.test
then   the answer is NOERROR
and    the answer holds nothing
and    one query is recorded
