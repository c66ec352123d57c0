# The slack room's texts: escaping, blocks, requests, the manifest.
hm_unit_test(escape NEEDS hm_slack)
hm_unit_test(blocks NEEDS hm_slack SOURCES ../support/block_limits.c)
hm_unit_test(form NEEDS hm_slack SOURCES ../support/block_limits.c)
hm_unit_test(request NEEDS hm_slack)
hm_unit_test(manifest NEEDS hm_slack)
