hm_unit_test(nu NEEDS hm_handlers)
