# The ground floor.
hm_fuzz_target(json NEEDS hm_base MAX_LEN 4096)
hm_fuzz_target(text NEEDS hm_base MAX_LEN 512)
