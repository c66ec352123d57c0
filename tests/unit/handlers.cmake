hm_unit_test(handlers NEEDS hm_handlers)
hm_unit_test(actions NEEDS hm_handlers)
hm_unit_test(redact NEEDS hm_handlers)
hm_unit_test(xml NEEDS hm_handlers)
