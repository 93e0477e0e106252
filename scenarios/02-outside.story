# A name that no order covers is refused, however like a seized one it looks, and the knock is recorded.

given  outlook-verify.test is seized
when   127.0.7.2 asks A notoutlook-verify.test
then   the answer is REFUSED
and    the answer holds nothing
when   127.0.7.2 asks A test
then   the answer is REFUSED
when   127.0.7.2 asks NS verify.test over TCP
then   the answer is REFUSED
and    3 queries are recorded
