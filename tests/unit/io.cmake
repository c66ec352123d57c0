hm_unit_test(http_client SOURCES raw_server.c NEEDS hm_io)
hm_unit_test(timer NEEDS hm_io)
hm_unit_test(notify NEEDS hm_io)
hm_unit_test(sigv4 NEEDS hm_io)
