# Absence is not death: a lost libvirt changes no state; what it could not do is asked again when it is back.
given assigned
begin -> requested
  ensure-volume
libvirt-lost -> requested
  = unreachable 1
libvirt-back -> requested
  ensure-volume
  = unreachable 0
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
libvirt-lost -> booted
registered request=1 -> registered
  ensure-console
  ensure-assigned
  = unreachable 1
libvirt-back -> registered
  ensure-console
  ensure-assigned
domain-paused code=DOMAIN_FAILED detail="no space left" -> registered
  ensure-console
  ensure-assigned
  = paused 1
  = detail no space left
domain-resumed -> registered
  = paused 0
  = detail 
# The positive word is another matter.
domain-gone code=DOMAIN_GONE detail="destroyed from outside" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-volume-gone
  ensure-drives-free
  ensure-network-free
  = code DOMAIN_GONE
  = detail destroyed from outside
