# The thin volume cannot be made.
given assigned
begin -> requested
  ensure-volume
domain-gone -> refused
volume-failed code=VOLUME_FAILED detail="pool kiln is full" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = code VOLUME_FAILED
  = detail pool kiln is full
