# A VM without drives goes through the same states, and needs no key.
given assigned
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
  ensure-assigned
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
drives-attached -> drives-attached
  ensure-console
  ensure-guest-told
guest-ready -> ready
  ensure-console
  ensure-guest-told
# It offers no applications, so no bridge is for it.
bridge-opened count=1 -> refused
