# A victim in a withheld network is in no output; a victim beside it is reported.

given  outlook-verify.test is seized and may be shared
and    the country IR is withheld
when   127.0.7.5 posts "id=7" to /gate.php at outlook-verify.test as "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"
and    127.0.9.5 posts "id=9" to /gate.php at outlook-verify.test as "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)"
then   2 requests are recorded
and    127.0.7.5 is labelled victim
and    127.0.9.5 is labelled victim
and    127.0.7.5 is in the victim report
and    127.0.9.5 is in no output
