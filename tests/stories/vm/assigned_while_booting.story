# Given to an owner before it has registered: the registration's reply carries the owner.
given drives=0
begin -> requested
  ensure-volume
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
assign owner=5 -> image-created
  = deadline 120
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
assign owner=6 -> refused
registered request=1 -> registered
  ensure-console
  ensure-assigned
  = deadline 3600
