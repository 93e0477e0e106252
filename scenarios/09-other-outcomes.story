# A name that shall be held by its registry is not ours to answer for; one that we may only answer for is not recorded.

given  held.test is ordered to be hold
and    outlook-verify.test is seized
and    quiet.test is answered for, without record
when   127.0.7.9 asks A held.test
then   the answer is REFUSED
when   127.0.7.9 asks A quiet.test
then   the answer is NOERROR
and    the answer holds A 127.0.0.1
when   127.0.7.9 asks A outlook-verify.test
then   the answer is NOERROR
and    2 queries are recorded
