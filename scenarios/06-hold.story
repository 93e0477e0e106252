# One person puts a name on hold, at once: it is answered still, and callers are only counted.

given  outlook-verify.test is seized
when   127.0.7.6 asks A outlook-verify.test
then   one query is recorded
when   outlook-verify.test is put on hold
and    127.0.7.6 asks A outlook-verify.test
then   the answer is NOERROR
when   127.0.7.6 asks A notoutlook-verify.test
then   the answer is REFUSED
and    2 queries are recorded
