hm_unit_test(http_server NEEDS hm_io PkgConfig::lws PkgConfig::uv CURL::libcurl)
