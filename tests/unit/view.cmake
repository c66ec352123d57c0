# What people see.
set(view_support view_runs.c ../support/block_limits.c ../support/block_text.c ../support/golden.c)
hm_unit_test(card NEEDS hm_view SOURCES ${view_support})
hm_unit_test(help NEEDS hm_view SOURCES ${view_support})
hm_unit_test(dry NEEDS hm_view SOURCES ${view_support})
hm_unit_test(start NEEDS hm_view SOURCES ../support/block_limits.c ../support/block_text.c ../support/golden.c)
hm_unit_test(home NEEDS hm_view SOURCES ${view_support})
hm_unit_test(replies NEEDS hm_view SOURCES view_runs.c ../support/golden.c)
hm_unit_test(card_ask NEEDS hm_stage hm_view SOURCES ../support/block_limits.c ../support/block_text.c ../support/golden.c)
