# The wiring.
hm_unit_test(auth NEEDS hm_app)
hm_unit_test(notices SOURCES fake_timer.c NEEDS hm_app)
hm_unit_test(papers SOURCES fake_timer.c NEEDS hm_app)
hm_unit_test(token_source NEEDS hm_app)
hm_unit_test(credentials SOURCES raw_server.c NEEDS hm_app)
hm_unit_test(recipe_test_words NEEDS hm_app)
hm_unit_test(watch_news SOURCES capture.c NEEDS hm_app)
