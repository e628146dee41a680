# A drive that cannot be attached, then one whose key is wrong: each told of that drive, each tried again.
given assigned drives=2
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
drive-attached drive=0 -> paired
drive-failed drive=1 code=DRIVE_ATTACH_FAILED detail="no such volume" -> paired
  = drive.1 failed
drives-attached -> refused
channel-closed count=0 -> registered
  ensure-console
  ensure-assigned
  = drive.1 failed
# The owner pairs again: what failed is tried again.
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
  = drive.0 attached
  = drive.1 wanted
# A guest cannot speak of a drive that it was not given.
drive-status drive=1 status=mounted -> refused
drive-status drive=7 status=mounted -> refused
drive-attached drive=1 -> paired
drives-attached -> drives-attached
  ensure-console
  ensure-guest-told
drive-status drive=0 status=mounted -> drives-attached
# Attached again after a restart of kilnd: it is no less mounted for it.
drive-attached drive=0 -> drives-attached
  = drive.0 mounted
drive-status drive=1 status=failed code=DRIVE_KEY_WRONG -> drives-attached
  = drive.1 failed
# What the host alone knows is not the guest's to say.
drive-status drive=1 status=attached -> refused
drive-status drive=1 status=wanted -> refused
guest-ready -> refused
guest-trouble code=USERS_MALFORMED detail="users[3].uid: used by users[1]" -> drives-attached
  = code USERS_MALFORMED
drive-status drive=1 status=mounted -> drives-attached
guest-ready -> ready
  ensure-console
  ensure-guest-told
  = code none
  = detail 
