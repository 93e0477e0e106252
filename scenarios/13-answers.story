# A case may lead its callers to traps of its own.

given  trapped.test is seized
and    the case answers with 127.16.0.13
when   127.16.0.1 asks A www.trapped.test
then   the answer holds A 127.16.0.13
when   127.16.0.1 asks AAAA www.trapped.test
then   the answer is NOERROR
and    the answer holds nothing
