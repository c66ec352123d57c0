hm_unit_test(run NEEDS hm_stage hm_run)
hm_unit_test(run_ask NEEDS hm_stage hm_run)
hm_unit_test(run_many NEEDS hm_stage hm_run)
hm_unit_test(run_locks NEEDS hm_stage hm_run)
