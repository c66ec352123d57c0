hm_unit_test(run NEEDS hm_stage hm_run)
