# What the handlers read besides JSON.
hm_fuzz_target(xml NEEDS hm_handlers MAX_LEN 2048)
