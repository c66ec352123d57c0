# The slack room's texts: escaping, blocks, requests, the manifest.
hm_unit_test(escape NEEDS hm_slack)
