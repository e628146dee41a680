# The owner's channel ends. Before the drives are attached the VM waits for the owner again; after that it loses nothing.
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
# A second session of the owner's keeps it paired.
paired count=2 -> paired
  ensure-console
  ensure-drives-attached
channel-closed count=1 -> paired
drive-attached drive=0 -> paired
channel-closed count=0 -> registered
  ensure-console
  ensure-assigned
  = drive.0 attached
  = drive.1 wanted
  = deadline 3600
drive-attached drive=1 -> registered
drives-attached -> registered
paired count=1 -> paired
  ensure-console
  ensure-drives-attached
drives-attached -> drives-attached
  ensure-console
  ensure-guest-told
channel-closed count=0 -> drives-attached
  = channels 0
drive-status drive=0 status=mounted -> drives-attached
paired count=1 -> drives-attached
drive-status drive=1 status=mounted -> drives-attached
guest-ready -> ready
  ensure-console
  ensure-guest-told
channel-closed count=0 -> ready
paired count=1 -> ready
