# From create to SSH and to its end: every state once, in order.
given drives=2 assigned applications
begin -> requested
  ensure-volume
  = deadline 120
volume-ready -> image-created
  ensure-network
  ensure-domain
  ensure-console
  = boot 1
domain-up -> booted
  ensure-boot-file-gone
  ensure-console
  = deadline 300
+9s registered request=1 -> registered
  ensure-console
  ensure-assigned
link-up -> registered
  ensure-console
  ensure-assigned
guest-state state="waiting" -> registered
  = guest waiting
+40s paired count=1 -> paired
  ensure-console
  ensure-drives-attached
drive-attached drive=0 -> paired
drives-attached -> refused
drive-attached drive=1 -> paired
drives-attached -> drives-attached
  ensure-console
  ensure-guest-told
drive-status drive=0 status=unlocked -> drives-attached
drive-status drive=0 status=mounted -> drives-attached
guest-ready -> refused
drive-status drive=1 status=mounted -> drives-attached
guest-ready -> ready
  ensure-console
  ensure-guest-told
  = deadline 0
  = code none
bridge-opened count=1 -> ssh-proxied
  ensure-console
  ensure-guest-told
bridge-opened count=2 -> ssh-proxied
bridge-closed count=1 -> ssh-proxied
bridge-closed count=0 -> ready
  ensure-console
  ensure-guest-told
+9000s destroy-asked by="ada" reason="work done" -> destroyed
  ensure-bridges-closed
  ensure-channels-closed
  ensure-boot-file-gone
  ensure-domain-gone
  = by ada
  = detail work done
  = code none
