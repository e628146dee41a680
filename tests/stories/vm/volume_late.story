# The volume is not made in time.
given assigned
begin -> requested
  ensure-volume
+119s timeout -> refused
+1s timeout -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = code DEADLINE_PASSED
