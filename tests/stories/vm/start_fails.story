# A domain that does not start is tried again with a new secret, as often as allowed.
given assigned boots=3
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
domain-failed code=DOMAIN_FAILED detail="no memory" -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 2
  = deadline 120
domain-gone code=DOMAIN_GONE detail="crashed" -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 3
domain-failed code=DOMAIN_FAILED detail="no memory" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = code DOMAIN_FAILED
  = detail no memory
