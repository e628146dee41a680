# The controller dies after ready: it registers again with the same key, is told its drives, and nothing is lost.
given assigned applications drives=1
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
link-up -> registered
  ensure-console
  ensure-assigned
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
drive-attached drive=0 -> paired
drives-attached -> drives-attached
  ensure-console
  ensure-guest-told
drive-status drive=0 status=mounted -> drives-attached
guest-ready -> ready
  ensure-console
  ensure-guest-told
bridge-opened count=1 -> ssh-proxied
  ensure-console
  ensure-guest-told
channel-closed count=0 -> ssh-proxied
link-down -> ssh-proxied
  = link 0
registered request=1 -> ssh-proxied
  ensure-console
  ensure-guest-told
link-up -> ssh-proxied
  ensure-console
  ensure-guest-told
guest-state state="waiting" -> ssh-proxied
drive-status drive=0 status=mounted -> ssh-proxied
guest-ready -> ssh-proxied
bridge-closed count=0 -> ready
  ensure-console
  ensure-guest-told
guest-ready -> ready
paired count=1 -> ready
  = channels 1
# What fails in a VM that is in use is kept and shown; it does not end the VM.
guest-failed code=RELEASE_SIGNATURE_WRONG detail="manifest 8" -> ready
  = code RELEASE_SIGNATURE_WRONG
