# Socket Mode.
hm_fuzz_target(socket_scan NEEDS hm_slack MAX_LEN 4096)
