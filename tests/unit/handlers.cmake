hm_unit_test(handlers NEEDS hm_handlers)
hm_unit_test(metapod NEEDS hm_handlers)
