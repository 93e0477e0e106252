# What is malformed is evidence: it is recorded, whatever becomes of the answer.

given  outlook-verify.test is seized

# A header that promises a question, and no question.
when   127.0.7.7 sends the octets 123401000001000000000000
then   the answer is FORMERR
and    one query is recorded

# A response is no question: to answer it could start a loop between two servers.
when   127.0.7.7 sends the octets 567881000000000000000000
then   there is no answer
and    2 queries are recorded

# A request line that ends in a bare LF, and one that is none at all.
when   127.0.7.7 says "GET /a HTTP/1.1\nHost: outlook-verify.test\n\n"
then   the oddity http.bare-lf is recorded
when   127.0.7.7 says "\r\n\r\nHELO?\r\n\r\n"
then   2 requests are recorded
