# The end: nothing is freed before the domain is seen gone, the record goes last.
given drives=1 assigned timeout.destroyed=100s
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
destroy-asked by="ada" reason="changed my mind" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = deadline 100
# The start was under way on another thread: what came up late is taken away too.
domain-up -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
destroy-asked by="root" force -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = by ada
  = forced 1
libvirt-lost -> destroyed
  = unreachable 1
domain-gone -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
  ensure-drives-free
  ensure-network-free
  = unreachable 0
  = detail changed my mind
drives-free -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
  ensure-network-free
+100s timeout -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
  ensure-network-free
network-free -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
volume-gone -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  forget
# Nothing brings an ended VM back.
registered request=1 -> refused
paired count=1 -> refused
bridge-opened count=1 -> refused
