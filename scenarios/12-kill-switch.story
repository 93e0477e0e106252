# A kill switch goes on answering when its authority has ended; callers are only counted from then on.

given  switch.test is a kill switch
and    plain.test is seized
and    the authority ends after 30 seconds
when   127.16.0.12 asks A switch.test
then   the answer holds A 127.0.0.1
and    one query is recorded
when   the authority has ended
and    127.16.0.12 asks A switch.test
then   the answer is NOERROR
and    the answer holds A 127.0.0.1
when   127.16.0.12 asks A plain.test
then   the answer is NOERROR
and    one query is recorded
