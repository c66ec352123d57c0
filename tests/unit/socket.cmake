# Socket Mode: the parts of bot/slack that carry the connection. ws_peer.c is the server of these tests, socket_rig.c their loop.
set(hm_socket_rig socket_rig.c ws_peer.c)
hm_unit_test(socket_scan NEEDS hm_slack)
hm_unit_test(socket_dial NEEDS hm_slack)
hm_unit_test(socket_pulse NEEDS hm_slack)
hm_unit_test(socket_flow SOURCES ${hm_socket_rig} NEEDS hm_slack OpenSSL::SSL Threads::Threads)
hm_unit_test(socket_wire SOURCES wire_client.c ${hm_socket_rig} NEEDS hm_slack OpenSSL::SSL Threads::Threads)
hm_unit_test(socket_pingpong SOURCES ${hm_socket_rig} NEEDS hm_slack OpenSSL::SSL Threads::Threads)
# Thousands of connections and tens of thousands of round trips; valgrind takes its time.
set_tests_properties(unit.socket_flow unit.socket_wire unit.socket_pingpong PROPERTIES TIMEOUT 900)
