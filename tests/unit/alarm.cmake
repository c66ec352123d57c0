# Alarm rules.
hm_unit_test(finder NEEDS hm_base)
hm_unit_test(guard NEEDS hm_alarm)
hm_unit_test(alarm NEEDS hm_alarm SOURCES ../support/golden.c)
hm_unit_test(shipped_alarms NEEDS hm_app)
hm_unit_test(case NEEDS hm_view SOURCES ../support/block_limits.c ../support/block_text.c ../support/golden.c)
hm_unit_test(alarm_nearest NEEDS hm_alarm)
hm_unit_test(settable NEEDS hm_alarm)
