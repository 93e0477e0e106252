rpzPrimary("127.0.0.1:@PRIMARY@", "rpz.invalid", {
    refresh = @REFRESH@, tsigname = "k1.invalid", tsigalgo = "hmac-sha256", tsigsecret = "@SECRET@"
})
