# Kiln's own programs against hostile ones, without a VM: real daemons and libvirt in a world, real guests as processes in
# network namespaces. Each case has a world of its own.
if(NOT KILN_FUZZ)
  set(ns ${CMAKE_CURRENT_LIST_DIR})

  # The real edge, whose words the linker leads through hands that are not.
  add_executable(ns_hostile_edge ${ns}/hostile_edge.c ${ns}/hostile.c ${ns}/hostile_calls.c ${ns}/hostile_link.c
                 ${ns}/hostile_channel.c ${ns}/malice.c)
  target_link_libraries(ns_hostile_edge PRIVATE kiln_edge)
  target_link_options(ns_hostile_edge PRIVATE -Wl,--wrap=kilnd_call,--wrap=kilnd_notify,--wrap=links_send,--wrap=ws_send)

  add_executable(ns_peer ${ns}/peer.c ${ns}/peer_guest.c ${ns}/peer_owner.c ${ns}/peer_search.c ${ns}/peer_flood.c)
  target_link_libraries(ns_peer PRIVATE kiln_io)

  add_executable(ns_users ${ns}/users.c)
  target_link_libraries(ns_users PRIVATE kiln_guest ${CMOCKA})

  add_executable(ns_sandbox_edge ${ns}/sandbox_edge.c ${ns}/sandbox_deeds.c)
  target_link_libraries(ns_sandbox_edge PRIVATE kiln_edge)
  add_executable(ns_sandbox_core ${ns}/sandbox_core.c ${ns}/sandbox_deeds.c)
  target_link_libraries(ns_sandbox_core PRIVATE kiln_core)

  if(NOT KILN_SANITIZE)
    add_library(ns_slow_disk MODULE ${ns}/slow_disk.c)
    set_target_properties(ns_slow_disk PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/ns)
  endif()

  set_target_properties(ns_hostile_edge ns_peer ns_users ns_sandbox_edge ns_sandbox_core PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/ns)

  if(NOT KILN_SANITIZE)
    file(GLOB cases RELATIVE ${ns} CONFIGURE_DEPENDS ${ns}/case_*)
    foreach(case ${cases})
      add_test(NAME ns/${case} COMMAND tests/world/run tests/ns/${case} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
      set_tests_properties(ns/${case} PROPERTIES TIMEOUT 1500 ENVIRONMENT "KILN_BIN=${CMAKE_BINARY_DIR}/bin;NS_BIN=${CMAKE_BINARY_DIR}/ns")
    endforeach()
    set_tests_properties(ns/case_secrets PROPERTIES COST 120)
    set_tests_properties(ns/case_libvirtd_restarted PROPERTIES COST 85)
    set_tests_properties(ns/case_hostile_channel ns/case_stub ns/case_tls ns/case_store_restore ns/case_edge_killed PROPERTIES COST 60)
  endif()
endif()
