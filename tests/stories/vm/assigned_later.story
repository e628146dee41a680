# A VM that boots and registers as nobody's waits without a deadline, and is given to an owner once.
given drives=1
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
registered request=1 -> registered
  ensure-console
  = deadline 0
+99999s timeout -> refused
paired count=1 -> refused
assign owner=5 -> registered
  ensure-console
  ensure-assigned
  = owner 5
  = deadline 3600
assign owner=6 -> refused
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
