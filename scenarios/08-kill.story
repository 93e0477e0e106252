# What was answered is recorded, although the program is killed a moment later.

given  outlook-verify.test is seized
when   127.0.7.8 asks A outlook-verify.test
and    127.0.7.8 opens / at outlook-verify.test
and    the program is killed and started again
then   one query is recorded
and    one request is recorded
when   127.0.7.8 asks A outlook-verify.test
then   2 queries are recorded
