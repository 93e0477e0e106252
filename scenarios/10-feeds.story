# What may be shared is in the feeds, defanged nowhere a machine reads; what may not be shared is in none.

given  outlook-verify.test is seized and may be shared
and    quiet.test is seized
when   127.0.7.10 opens /x at outlook-verify.test
then   one request is recorded
and    outlook-verify.test is in the rpz feed
and    outlook-verify.test is in the suricata feed
and    quiet.test is not in the rpz feed
and    quiet.test is not in the stix feed
