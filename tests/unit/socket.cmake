# Socket Mode: the parts of bot/slack that carry the connection. ws_peer.c is the server of these tests, socket_rig.c their loop.
find_package(OpenSSL 3.0 REQUIRED)
set(hm_socket_rig socket_rig.c ws_peer.c)
hm_unit_test(socket_pingpong SOURCES ${hm_socket_rig} NEEDS hm_slack OpenSSL::SSL Threads::Threads)
set_tests_properties(unit.socket_pingpong PROPERTIES TIMEOUT 900)
