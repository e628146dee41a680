# An image whose stub never runs: killed at its deadline, with the step that was waited for.
given drives=1 assigned timeout.booted=60s
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
  = deadline 60
# A timer armed for an earlier state, or early, is none.
+59s timeout -> refused
+1s timeout -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = code DEADLINE_PASSED
  = detail the guest's registration is awaited
  = story destroyed: the guest did not register in time
# Why it ended is still told when all that was left of it is gone.
domain-gone -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
  ensure-drives-free
  ensure-network-free
  = detail the guest's registration is awaited
  = story destroyed: the guest did not register in time
