# A person follows a link and types a password: the visit is recorded, the password is nowhere.

given  outlook-verify.test is seized
when   127.0.7.4 opens /owa/ at outlook-verify.test over TLS following "http://blog.example/post" as "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36"
then   the status is 200
and    the page says "sinkhole.example"
when   127.0.7.4 posts "login=ann%40victim.example&passwd=Tr0ubad0r-Story-4" to /owa/auth.owa?key=Tr0ubad0r-Query-4 at outlook-verify.test over TLS
then   2 requests are recorded
and    2 hellos are recorded
and    "Tr0ubad0r-Story-4" is nowhere
and    "Tr0ubad0r-Query-4" is nowhere
and    "ann%40victim.example" is nowhere
