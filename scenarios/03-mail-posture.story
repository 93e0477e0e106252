# Mail to a seized name is other people's mail: nobody can send any to it, nor in its name.

given  outlook-verify.test is seized
when   127.0.7.3 asks MX outlook-verify.test
then   the answer holds MX 0 .
when   127.0.7.3 asks TXT outlook-verify.test
then   the answer holds TXT v=spf1 -all
when   127.0.7.3 asks MX mail.outlook-verify.test
then   the answer holds MX 0 .
when   127.0.7.3 asks TXT _dmarc.outlook-verify.test
then   the answer is NOERROR
