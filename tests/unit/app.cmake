# The wiring.
hm_unit_test(auth NEEDS hm_app)
hm_unit_test(notices NEEDS hm_app)
hm_unit_test(papers NEEDS hm_app)
hm_unit_test(token_source NEEDS hm_app)
hm_unit_test(credentials SOURCES raw_server.c NEEDS hm_app)
