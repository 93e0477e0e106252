# What was learned of a name is told only where the order covers sharing; the name itself is known from the order.

given  outlook-verify.test is seized and may be shared
and    quiet.test is seized
when   127.0.7.10 posts "id=1" to /gate.php at outlook-verify.test as "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"
and    127.0.7.11 posts "id=1" to /gate.php at quiet.test as "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"
then   2 requests are recorded
and    127.0.7.10 is labelled victim
and    127.0.7.11 is labelled victim
and    127.0.7.10 is in the victim report
and    127.0.7.11 is not in the victim report
and    outlook-verify.test is in the rpz feed
and    outlook-verify.test is in the suricata feed
and    outlook-verify.test is in the stix feed
