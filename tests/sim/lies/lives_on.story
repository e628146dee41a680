# A domain that libvirt says is gone runs on, and is not in its lists.
seed 7
calm
lie lives-on
vm at-ms=1000 silent=1
at 40000 destroyed vm=0 force=1
breaks known-domain
