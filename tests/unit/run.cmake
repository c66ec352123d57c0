hm_unit_test(run NEEDS hm_stage hm_run)
hm_unit_test(run_ask NEEDS hm_stage hm_run)
