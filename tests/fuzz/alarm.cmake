# Alarm rules and the messages they judge.
hm_fuzz_target(alarm NEEDS hm_alarm MAX_LEN 8192)
