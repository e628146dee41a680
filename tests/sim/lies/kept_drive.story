# A domain that libvirt says is gone keeps a drive that was given back.
seed 7
calm
lie lives-on
vm at-ms=1000 owner=0 writes=0 applications=1
at 40000 destroyed vm=0 force=1
breaks holder
