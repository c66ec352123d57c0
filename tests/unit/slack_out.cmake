hm_unit_test(web_pace NEEDS hm_slack)
hm_unit_test(web_judge NEEDS hm_slack)
hm_unit_test(web_api SOURCES raw_server.c NEEDS hm_slack)
