# The edge dies with bridges open and stays away: after a time none counts as open any more, whatever the last word was. An
# edge that lived after all says again what it has; its channels and drives the VM has kept all along.
given assigned applications
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
bridge-opened count=1 -> ssh-proxied
  ensure-console
  ensure-guest-told
bridge-opened count=2 -> ssh-proxied
+1s link-down -> ssh-proxied
  = bridges 2
+60s bridge-closed count=0 -> ready
  ensure-console
  ensure-guest-told
  = bridges 0
  = channels 1
+10s bridge-opened count=2 -> ssh-proxied
  ensure-console
  ensure-guest-told
