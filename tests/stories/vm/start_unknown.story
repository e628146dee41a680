# kilnd was away while a domain may have started: what is not seen may have run, so the next start has a new secret. That is no failure.
given assigned boots=1
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 1
recovered -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 2
# Created, and not set running: the same domain.
recovered boot=2 -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 2
# The start of before came up after all, and is in the way once.
recovered boot=1 -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 3
domain-failed code=DOMAIN_FAILED -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 4
# The store is back from a copy that was made before later starts.
recovered boot=9 -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 9
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
recovered boot=9 -> booted
  ensure-boot-file-gone
  ensure-console
  = boot 9
