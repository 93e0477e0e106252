rpzPrimary("127.0.0.1:@PRIMARY@", "rpz.invalid", { refresh = @REFRESH@ })
