# Unit tests that need more than their room.
if(NOT KILN_FUZZ)
  # It passes on to a real edge.
  target_link_libraries(unit_cli_connect_pass PRIVATE kiln_edge)
  # Its calls wait for a shorter time.
  target_link_options(unit_edge_hello PRIVATE -Wl,--wrap=rpc_call)
  # There is no memory for it once.
  target_link_options(unit_core_reconcile_orphans PRIVATE -Wl,--wrap=realloc)
  # What waits is told how long, and need not wait.
  target_link_options(unit_cli_connect_again PRIVATE -Wl,--wrap=loop_timer_arm)
  target_link_options(unit_core_reconcile PRIVATE -Wl,--wrap=loop_timer_arm)
  target_link_options(unit_guest_again PRIVATE -Wl,--wrap=loop_timer_arm,--wrap=ws_connect,--wrap=ws_send)
  # It is slow.
  target_link_options(unit_core_store_convert PRIVATE -Wl,--wrap=mdb_dbi_open)
endif()
